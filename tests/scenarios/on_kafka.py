"""Runs all scenarios through Kafka at once: real intake, real ledger worker, one journal partition per story.

Ticks are for everyone, and stories live at different times; so each story has
a partition of the journal for itself: its accounts are named so that they fall
there, and its ticks are written there only. First each story is told to the
core, under these names: what was told is what is published, and what the core
said is what must be found in the topics, rows and facts alike.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from processors.validation import problems
from schemas.codec import TOPIC_OF_TYPE, decode_source, encode, type_of
from schemas.envelope import Envelope, to_headers
from schemas.events import PaymentReceived
from schemas.facts import LedgerFact
from schemas.fields import account_id, split_account_id
from schemas.journal import (
    BROADCAST_KEY,
    BetweenAccounts,
    JournalEntry,
    JournalEvent,
    SourceEvent,
    TickPassed,
    encode_entry,
)
from streams.intake import place
from tests.scenarios.on_core import Stage, run
from tests.scenarios.script import Answer, Happening, Script, Step

__all__ = ["JOURNAL", "Told", "Writing", "batches", "renamed", "tell", "writings"]

JOURNAL = "ledger.journal"
_OTHER_CUSTOMERS = ("to_customer", "into", "parent")
SOURCE = "story"
_FROM = re.compile(r"@(C\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """A record to be written; ``partition`` only for what goes past intake."""

    topic: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]
    partition: int | None = None


@dataclass(slots=True, kw_only=True)
class Told:
    """A story as the core was told it: the inputs in order, and what it said, by account."""

    script: Script
    partition: int
    inputs: list[JournalEvent]
    rows: dict[bytes, bytes]
    facts: dict[str, list[LedgerFact]]


def tell(script: Script, *, partition: int) -> Told:
    """Tell a story to the core, whose runner checks every expectation in it, and note what passed."""
    stage = Stage()
    facts: dict[str, list[LedgerFact]] = {}
    for fact in run(script, stage=stage):
        if not isinstance(fact, TickPassed):
            facts.setdefault(fact.account, []).append(fact)
    rows = stage.partition.rows()
    return Told(script=script, partition=partition, inputs=stage.told, rows=rows, facts=facts)


def renamed(script: Script, *, partition: int, partitions: int) -> Script:
    """Name the accounts of a story so that their keys fall into its partition."""
    names = _Names(suffix=f"-{partition}", partition=partition, partitions=partitions)
    return replace(script, steps=tuple(_renamed_step(step, names=names) for step in script.steps))


def writings(told: Told) -> Iterator[Writing]:
    """Give the records of a story in order; what intake would refuse goes to the journal directly."""
    for index, event in enumerate(told.inputs):
        event_id = f"event-{index}"
        if isinstance(event, BetweenAccounts):
            continue  # the ledger writes it by itself
        if isinstance(event, TickPassed) or not _is_welcome(event):
            entry = encode_entry(JournalEntry(event, event_id, SOURCE))
            key = BROADCAST_KEY if isinstance(event, TickPassed) else _key(event)
            yield Writing(topic=JOURNAL, key=key, value=entry, headers=[], partition=told.partition)
        else:
            name = type_of(event)
            headers = to_headers(Envelope(id=event_id, source=SOURCE, type=name))
            yield Writing(topic=TOPIC_OF_TYPE[name], key=_key(event), value=encode(event), headers=headers)


def batches(records: Iterable[Writing]) -> list[list[Writing]]:
    """Cut where order is not promised: between topics, and between keys of one topic."""
    return [list(group) for _, group in itertools.groupby(records, key=lambda each: (each.topic, each.key))]


def _key(event: SourceEvent) -> bytes:
    customer = getattr(event, "customer", None)
    return (event.company if customer is None else account_id(event.company, customer)).encode()


def _is_welcome(event: SourceEvent) -> bool:
    try:
        return not problems(decode_source(type_of(event), encode(event)))
    except ValueError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """How a story's companies and customers are called on Kafka."""

    suffix: str
    partition: int
    partitions: int
    known: dict[str, str] = field(default_factory=dict)

    def company(self, company: str) -> str:
        return company + self.suffix

    def account(self, account: str) -> str:
        if account not in self.known:
            company, customer = split_account_id(account)
            if customer == "*":  # all of a company's
                return account_id(self.company(company), customer)
            self.known[account] = next(
                name
                for number in itertools.count()
                if self._falls_right(name := account_id(self.company(company), f"{customer}.{number}"))
            )
        return self.known[account]

    def _falls_right(self, account: str) -> bool:
        return place(account, partitions=self.partitions) == self.partition


def _renamed_step(step: Step, *, names: _Names) -> Step:
    expects = [
        replace(each, clauses=_renamed_clauses(each.clauses, names=names.account)) for each in step.expects
    ]
    if isinstance(step, Happening):
        return replace(step, event=_renamed_event(step.event, names=names), expects=expects)
    if isinstance(step, Answer):
        return replace(step, account=names.account(step.account), expects=expects)
    return replace(step, expects=expects)


def _renamed_clauses(clauses: dict[str, str], *, names: Callable[[str], str]) -> dict[str, str]:
    if "account" not in clauses:
        return clauses
    company = clauses["account"].partition(":")[0]

    def customer(found: re.Match[str]) -> str:
        """Name the customer that something came from: ``CH-1@C1``."""
        return "@" + split_account_id(names(account_id(company, found[1])))[1]

    written = {name: _FROM.sub(customer, value) for name, value in clauses.items()}
    return written | {"account": names(clauses["account"])}


def _renamed_event(event: Any, *, names: _Names) -> Any:
    customer = getattr(event, "customer", None)
    if customer is None:
        return msgspec.structs.replace(event, company=names.company(event.company))
    company, name = split_account_id(names.account(account_id(event.company, customer)))
    others: dict[str, Any] = {
        field: split_account_id(names.account(account_id(event.company, getattr(event, field))))[1]
        for field in _OTHER_CUSTOMERS
        if getattr(event, field, None)
    }
    if isinstance(event, PaymentReceived) and any(line.customer for line in event.lines):
        others["lines"] = tuple(
            line
            if line.customer is None
            else msgspec.structs.replace(
                line,
                customer=split_account_id(names.account(account_id(event.company, line.customer)))[1],
            )
            for line in event.lines
        )
    return msgspec.structs.replace(event, company=company, customer=name, **others)

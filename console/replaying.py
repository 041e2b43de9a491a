"""The journal folded again, by the same class as the worker's, and compared with what the worker wrote.

Pure over records: reading Kafka is ``logs``. Equal means: the same rows under
the same keys, and of each account the same facts in the same order.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from types import MappingProxyType

import msgspec

from processors.partition import JournalRecord, KnownFailures, Partition, Poison
from schemas.codec import TOPIC_OF_TYPE, encode, type_of
from schemas.facts import AccountQuarantined, LedgerFact

__all__ = [
    "COMPARED_TOPICS",
    "Difference",
    "Ledger",
    "differences",
    "fold_journal",
    "raised_on",
    "value_difference",
]

COMPARED_TOPICS = (
    "ledger.movement",
    "collections.reminder.v1",
    "collections.decision.v1",
    "collections.exception.v1",
)
_RUN_RECORDS_MAX = 2_000
_QUARANTINED = type_of(AccountQuarantined).encode()


@dataclass(slots=True, kw_only=True)
class Ledger:
    """What a journal comes to.

    Attributes:
        rows: encoded rows by encoded key.
        facts: topic -> account -> encoded facts in order.
        records: how many journal records were folded.
        poison: records that the fold raised on.
    """

    rows: dict[bytes, bytes] = field(default_factory=dict)
    facts: dict[str, dict[str, list[bytes]]] = field(default_factory=dict)
    records: int = 0
    poison: list[Poison] = field(default_factory=list)

    def add_fact(self, topic: str, *, account: str, value: bytes) -> None:
        """Append a fact of an account."""
        self.facts.setdefault(topic, {}).setdefault(account, []).append(value)

    def count(self, topic: str) -> int:
        """Count the facts of a topic."""
        return sum(map(len, self.facts.get(topic, {}).values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One place where two ledgers differ: ``where`` it is and ``what`` each says there."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def fold_journal(
    partitions: Mapping[int, Iterable[JournalRecord]],
    *,
    failures: Mapping[int, KnownFailures] = MappingProxyType({}),
) -> Ledger:
    """Fold each partition's records from its beginning, without what was raised on (``raised_on``)."""
    ledger = Ledger()
    for number, records in partitions.items():
        partition = Partition(number=number, failures=failures.get(number, {}))
        for run in _runs(records):
            _fold_run(partition, run, ledger=ledger)
        ledger.rows |= partition.rows()
    return ledger


def raised_on(decisions: Iterable[bytes]) -> dict[int, list[tuple[str, str]]]:
    """Read from a partition's decisions what its ledger raised on: journal offset -> (account, error).

    A replay leaves out the same records: they are in the dead letters, and
    what was made of them since is in the journal behind them (DESIGN 3.6).
    """
    found: dict[int, list[tuple[str, str]]] = {}
    for value in decisions:
        if _QUARANTINED in value and msgspec.json.decode(value)["type"] == _QUARANTINED.decode():
            fact = msgspec.json.decode(value, type=AccountQuarantined)
            found.setdefault(fact.journal_offset, []).append((fact.account, fact.error))
    return found


def differences(*, replayed: Ledger, written: Ledger) -> Iterator[Difference]:
    """Say where the ledgers differ: rows by key first, then facts by topic and account."""
    for key in sorted(replayed.rows.keys() | written.rows.keys()):
        what = value_difference(replayed=replayed.rows.get(key), written=written.rows.get(key))
        if what:
            yield Difference(where=f"row {key.decode()}", what=what)
    for topic in COMPARED_TOPICS:
        ours, theirs = replayed.facts.get(topic, {}), written.facts.get(topic, {})
        for account in sorted(ours.keys() | theirs.keys()):
            what = _sequence_difference(ours.get(account, []), theirs.get(account, []))
            if what:
                yield Difference(where=f"{topic}, account {account}", what=what)


def value_difference(*, replayed: bytes | None, written: bytes | None) -> str:
    """Say which fields of two encoded rows or facts differ; "" when none does: their order does not count."""
    if replayed == written:
        return ""
    if replayed is None or written is None:
        return "was not written" if written is None else "is written, but replay has no such row"
    ours, theirs = _fields(replayed), _fields(written)
    names = [name for name in sorted(ours.keys() | theirs.keys()) if ours.get(name) != theirs.get(name)]
    return "; ".join(f"{name} is {theirs.get(name)}, replayed {ours.get(name)}" for name in names)


def _runs(records: Iterable[JournalRecord]) -> Iterator[Sequence[JournalRecord]]:
    iterator = iter(records)
    while run := list(islice(iterator, _RUN_RECORDS_MAX)):
        yield run


def _fold_run(partition: Partition, run: Sequence[JournalRecord], *, ledger: Ledger) -> None:
    rest, cursor = run, ""
    while rest:
        step = partition.step(rest, cursor=cursor)
        partition.commit()
        for fact in step.facts:
            _take(fact, ledger=ledger)
        ledger.poison += step.poison
        ledger.records += step.consumed
        rest, cursor = rest[step.consumed :], step.cursor


def _take(fact: LedgerFact, *, ledger: Ledger) -> None:
    ledger.add_fact(TOPIC_OF_TYPE[type_of(fact)], account=fact.account, value=encode(fact))


def _sequence_difference(replayed: Sequence[bytes], written: Sequence[bytes]) -> str:
    for index, (ours, theirs) in enumerate(zip(replayed, written, strict=False)):
        if ours != theirs and (what := value_difference(replayed=ours, written=theirs)):
            return f"fact {index}: {what}"
    if len(replayed) != len(written):
        return f"{len(written)} facts are written, replayed {len(replayed)}"
    return ""


def _fields(value: bytes) -> dict[str, object]:
    decoded: dict[str, object] = msgspec.json.decode(value)
    return decoded

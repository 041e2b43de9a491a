"""Many statements at once (S0-18, S0-24, S2-23, S3-07): whom a selection means, and the commands that follow.

Pure over values. The id of a command is a function of what was asked, of whom, and of what was seen
then: a batch that was interrupted, or is run again, asks for nothing twice. What has changed since it
was seen the ledger refuses.
"""

import datetime
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from infra.database.queries.statements import Statement
from schemas.commands import (
    AccountCommand,
    AddNote,
    ApproveReminder,
    DropReminder,
    EditReminder,
    SendNow,
    SetNextDate,
)
from schemas.fields import Channel, split_account_id

__all__ = ["Asked", "Changes", "Entry", "Planned", "Seen", "Selection", "Skipped", "chosen", "planned"]

Verb = Literal["approve", "edit", "drop", "send-now", "next-date", "log"]
Skipped = Literal["", "nothing waits", "already so", "too soon", "empty", "changed meanwhile"]

Seen = tuple[str, int, int]


class Selection(Struct, frozen=True, kw_only=True):
    """Which statements are meant; empty or None: all.

    ``levels`` and ``channels`` are of what is proposed. ``days_min`` and ``days_max`` are of the worst item;
    ``amount_min`` is (currency, minor units) of what is overdue.
    """

    company: str = ""
    accounts: frozenset[str] = frozenset()
    levels: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    responsible: str = ""
    trust: str | None = None
    amount_min: tuple[str, int] | None = None
    days_min: int | None = None
    days_max: int | None = None
    proposed_only: bool = False

    def means(self, each: Statement) -> bool:
        """Say whether it is meant."""
        step = "" if each.proposal is None else each.proposal.content.step
        return (
            self.company in ("", each.company)
            and (not self.accounts or each.account in self.accounts)
            and (not self.levels or step in self.levels)
            and (not self.channels or not self.channels.isdisjoint(each.channels))
            and self.responsible in ("", each.responsible)
            and self.trust in (None, each.trust)
            and (self.amount_min is None or self._is_owed(each))
            and (self.days_min is None or each.days >= self.days_min)
            and (self.days_max is None or each.days <= self.days_max)
            and (not self.proposed_only or each.proposal is not None)
        )

    def _is_owed(self, each: Statement) -> bool:
        currency, least_minor = self.amount_min or ("", 0)
        return dict(each.at_risk).get(currency, 0) >= least_minor

    @property
    def is_everybody(self) -> bool:
        """Say whether nothing at all is chosen by."""
        return self == Selection(proposed_only=self.proposed_only)


class Changes(Struct, frozen=True, kw_only=True):
    """What is changed of proposals; None: it stays."""

    text: str | None = None
    template: str | None = None
    channels: tuple[Channel, ...] | None = None
    attach_invoices: bool | None = None
    next_on: datetime.date | None = None

    def __bool__(self) -> bool:
        return self != Changes()


class Entry(Struct, frozen=True, kw_only=True):
    """What is written into the log of each (S0-11, S1-11)."""

    kind: Literal["note", "call_attempt", "conversation"] = "note"
    text: str
    responsible: str = ""


class Asked(Struct, frozen=True, kw_only=True):
    """What is asked for all of them; ``because`` is a reason (R5, R19), ``approve`` goes with an edit."""

    verb: Verb
    author: str = ""
    because: str = ""
    changes: Changes = Changes()
    approve: bool = False
    next_on: datetime.date | None = None
    entry: Entry | None = None


class Planned(Struct, frozen=True, kw_only=True):
    """What follows for one statement: commands in their order, or why there are none; ``note`` says more."""

    statement: Statement
    events: tuple[AccountCommand, ...] = ()
    skipped: Skipped = ""
    note: str = ""


def chosen(found: Iterable[Statement], *, selection: Selection) -> list[Statement]:
    """Give the statements that a selection means, in their order."""
    return [each for each in found if selection.means(each)]


def planned(
    found: Iterable[Statement], *, asked: Asked, seen: Mapping[str, Seen] | None = None
) -> Iterator[Planned]:
    """Say what follows for each statement.

    Args:
        found: the statements.
        asked: what is asked for all of them.
        seen: by account, the proposal that a person looked at (reminder, revision, edits): of another one
            nothing is asked. Accounts without it are taken as they are.
    """
    for each in found:
        match asked.verb:
            case "next-date":
                yield _next_date(each, asked=asked)
            case "send-now":
                yield _send_now(each, asked=asked)
            case "log":
                yield _log(each, asked=asked)
            case _ if each.account in (seen or {}) and (seen or {})[each.account] != _proposed(each):
                yield Planned(statement=each, skipped="changed meanwhile")
            case _ if each.proposal is None:
                yield Planned(statement=each, skipped="nothing waits")
            case "drop":
                drop = DropReminder(
                    **_told(each, asked),
                    reminder=each.proposal.reminder,
                    reason=asked.because,
                    edits=each.edits,
                )
                yield Planned(statement=each, events=(drop,))
            case _:
                yield _edit_and_approve(each, asked=asked)


def _proposed(each: Statement) -> Seen:
    if each.proposal is None:
        return "", 0, 0
    return each.proposal.reminder, each.proposal.revision, each.edits or 0


def _edit_and_approve(each: Statement, *, asked: Asked) -> Planned:
    """Change a proposal, let it go, or both: then in this order, on the revision that was seen."""
    proposal = each.proposal
    if proposal is None:
        raise AssertionError(f"nothing waits for {each.account}")
    events: list[AccountCommand] = []
    edits = each.edits
    if asked.changes:
        changes = msgspec.structs.asdict(asked.changes)
        told = _told(each, asked, "edit")
        events.append(EditReminder(**told, reminder=proposal.reminder, edits=edits, **changes))
        edits = None if edits is None else edits + 1  # the approval is of what this has made of it
    note = ""
    if asked.verb == "approve" or asked.approve:
        approve = ApproveReminder(
            **_told(each, asked, "approve"),
            reminder=proposal.reminder,
            revision=proposal.revision,
            now_because=asked.because,
            edits=edits,
        )
        events.append(approve)
        if proposal.too_soon_until is not None and not asked.because:
            note = f"waits until {proposal.too_soon_until}: too soon"
    return Planned(statement=each, events=tuple(events), skipped="" if events else "empty", note=note)


def _send_now(each: Statement, *, asked: Asked) -> Planned:
    if each.too_soon_until is not None and not asked.because:
        return Planned(
            statement=each, skipped="too soon", note=f"before {each.too_soon_until} it needs a reason"
        )
    return Planned(statement=each, events=(SendNow(**_told(each, asked), because=asked.because),))


def _next_date(each: Statement, *, asked: Asked) -> Planned:
    if asked.next_on is None:
        raise AssertionError("a date is to be set, and there is none")
    if each.next_on == asked.next_on:
        return Planned(statement=each, skipped="already so")
    return Planned(statement=each, events=(SetNextDate(**_told(each, asked), next_on=asked.next_on),))


def _log(each: Statement, *, asked: Asked) -> Planned:
    if asked.entry is None:
        raise AssertionError("something is to be logged, and there is nothing")
    entry = msgspec.structs.asdict(asked.entry)
    return Planned(statement=each, events=(AddNote(**_told(each, asked), **entry),))


def _told(each: Statement, asked: Asked, part: str = "") -> dict[str, Any]:
    """Give what each command has: whose, when (the company's day), by whom, and an id made of what was asked and seen."""
    seen: tuple[object, ...] = (each.next_on,)
    if asked.verb == "send-now":
        seen = ()  # once a day, whatever has come of it since
    elif each.proposal is not None:
        seen = (each.proposal.reminder, each.proposal.revision, each.next_on)
    content = msgspec.json.encode([part, msgspec.to_builtins(asked), each.account, each.today, seen])
    company, customer = split_account_id(each.account)
    return {
        "company": company,
        "customer": customer,
        "occurred_at": each.today.isoformat(),
        "command": f"batch/{hashlib.blake2s(content, digest_size=16).hexdigest()}",
        "author": asked.author,
    }

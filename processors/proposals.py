"""Reminders that wait for a person (R19, R20): proposed at ticks, kept up to date, superseded.

::

    proposed ──approved, and nothing against it──► open (``reminder.remind``)
       │  ▲ facts, edits: a new revision
       ├──nothing of it is due any more──► superseded
       └──a person──► dropped (``processors.approval``)

A message with one manual step in it is proposed as a whole, and what comes due
while it waits joins it, unless it is approved. Nothing here is seen by notifiers.
"""

import datetime
import hashlib
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from processors.account import Account
from processors.arrangements import asked_minor
from processors.charged import charged_on, charges_on
from processors.circumstances import Circumstances, Verdict
from processors.context import FoldContext
from processors.kin import last_contact_on
from processors.ladder import Rung, is_level
from processors.reminder import (
    Composed,
    DueItem,
    compose,
    identify,
    note_steps,
    row_item,
)
from schemas.facts import LedgerFact, ReminderEnded, ReminderProposed
from schemas.rows import Proposal, ReminderRow, ReminderRowItem

__all__ = [
    "WhoDecides",
    "approved_items",
    "asks_for_more",
    "end",
    "forget_word",
    "is_changed",
    "leave",
    "not_before",
    "proposal_of",
    "propose",
    "steps_of",
    "supersede",
    "who_decides",
]

WhoDecides = Literal["customer", "company", "step"]


def proposal_of(account: Account) -> ReminderRow | None:
    """Give the reminder of the account that waits for a person."""
    name = account.row.proposal
    return account.reminders[name] if name else None


def who_decides(at: Circumstances, rungs: Iterable[Rung]) -> WhoDecides | None:
    """Say for whose mode a message with these steps does not go by itself; None: it does (R20)."""
    if at.account.row.mode == "manual":
        return "customer"
    if not at.company.profile.automatic:
        return "company"
    return None if all(rung.step.automatic for rung in rungs) else "step"


def steps_of(account: Account, row: ReminderRow) -> list[ReminderRowItem]:
    """List all items with their steps of a reminder, or proposal, that has not ended."""
    steps = list(row.items)
    if row.unlisted:
        steps += [item.pending for item in account.items.values() if item.pending is not None]
    return steps


def approved_items(account: Account, row: ReminderRow) -> dict[str, ReminderRowItem]:
    """Give item -> step of what a person approved: nothing else may go out on that word."""
    return {each.item: each for each in steps_of(account, row)}


def asks_for_more(at: Circumstances, said: Proposal, *, due: Sequence[DueItem]) -> bool:
    """Say whether these items owe more by now than the person was shown who approved them (R19).

    Less is no reason to ask again: money that came is left out (R32). What the message was too long to
    name is compared by its sum.
    """
    totals: dict[str, int] = {}
    for each in due:
        now_minor = asked_minor(at.account, each.item)
        if now_minor > said.asked_minor.get(each.item.item, now_minor):
            return True
        totals[each.item.currency] = totals.get(each.item.currency, 0) + now_minor
    if any(total > said.total_minor.get(currency, total) for currency, total in totals.items()):
        return True
    return said.charged_on is not None and _costs_more(at, said, due=due, currencies={*totals})


def _costs_more(at: Circumstances, said: Proposal, *, due: Sequence[DueItem], currencies: set[str]) -> bool:
    """Say whether lateness costs more than was read, for the days that were (other rates, claims since): days alone add nothing (R22)."""
    named = [each for each in due if each.item.item in said.asked_minor]
    sums = charges_on(at, due=named, currencies=currencies, on=charged_on(at, said)).sums
    return any(minor > said.charge_minor.get(currency, 0) for currency, minor in sums.items())


def not_before(at: Circumstances, row: ReminderRow) -> Verdict | None:
    """Withhold a proposal until the day that a person set for it."""
    next_on = None if row.proposal is None else row.proposal.next_on
    if next_on is None or at.day >= next_on:
        return None
    return Verdict("snoozed", next_on, {"reminder": row.reminder})


def propose(at: Circumstances, *, due: Sequence[DueItem], because: WhoDecides) -> list[LedgerFact]:
    """Propose the due items, or bring the proposal that waits up to date; nothing new, nothing said (R26).

    An approval that lapses is always said, as a new revision: whoever gave it has to know.
    """
    row = proposal_of(at.account)
    if row is None:
        reminder = identify(at, due=due)
        if reminder in at.account.reminders:
            return []  # dropped at this very tick
        row = _new(at, reminder, due=due)
    said = row.proposal
    if said is None:
        raise AssertionError(f"{row.reminder} waits and was never proposed")
    lapsed = said.approved
    if lapsed:
        # It is of what was read: of that nothing is due, or more is asked for by now (``choose``).
        said.approved, said.approved_by, said.now_because = False, "", ""
        forget_word(at.account)
        at.account.touch(row)
    composed = compose(at, due=due, reminder=row.reminder, said=said)
    content = _digest(composed, because=because, said=said)
    if content == said.content and not lapsed:
        note_steps(at, composed)
        return []
    leave(at.account, row, stay={each.item.item for each in due})
    note_steps(at, composed)
    said.content, said.revision = content, said.revision + 1
    said.asked_minor = {
        each.item.item: asked_minor(at.account, each.item) for each in composed.due[: composed.listed]
    }
    said.total_minor = {each.currency: each.amount_minor for each in composed.content.totals}
    said.charged_on = at.day
    said.charge_minor = {each.currency: each.amount_minor for each in composed.content.charge_totals}
    row.step, row.unlisted = composed.header.step.name, composed.content.unlisted
    row.items = [row_item(each) for each in composed.due[: composed.listed]]
    row.pay_by_on = composed.content.pay_by_on if is_level(composed.header.step) else None
    at.account.touch(row)
    at.account.touch(at.account.row)
    return [
        ReminderProposed(
            id=f"{at.account.id}/{at.account.next_sequence()}",
            account=at.account.id,
            reminder=row.reminder,
            revision=said.revision,
            because=because,
            content=composed.content,
            too_soon_until=_too_soon_until(at),
        )
    ]


def supersede(at: Circumstances) -> list[LedgerFact]:
    """End a proposal of which nothing is left, or that need not wait any more."""
    row = proposal_of(at.account)
    if row is None:
        return []
    context = FoldContext(at.company, "", at.day, at.tick.at)
    return end(at.account, row, status="superseded", context=context)


def end(
    account: Account,
    row: ReminderRow,
    *,
    status: Literal["superseded", "dropped"],
    context: FoldContext,
    author: str = "",
    reason: str = "",
) -> list[LedgerFact]:
    """End a proposal; its items have no word said of them any more."""
    today = max(context.day, context.today())
    leave(account, row)
    row.status, row.ended_on, row.ended_by, row.ended_because = status, today, author, reason
    account.row.proposal = ""
    account.touch(row)
    account.touch(account.row)
    account.keep_until(today + context.company.retention, kind="reminder", key=row.reminder)
    return [
        ReminderEnded(
            id=f"{account.id}/{account.next_sequence()}",
            account=account.id,
            reminder=row.reminder,
            tick=row.tick,
            status=status,
            on=today,
            author=author,
            reason=reason,
        )
    ]


def is_changed(said: Proposal) -> bool:
    """Say whether people have changed something of a proposal that its plan would have otherwise."""
    return bool(
        said.channels or said.text or said.template or said.next_on or said.attach_invoices is not None
    )


def _changed_before(at: Circumstances, *, due: Sequence[DueItem]) -> Proposal:
    """Begin a proposal; one that stands for a reminder whose approval was undone begins with what people changed of that."""
    new = Proposal(proposed_on=at.day)
    name, at.account.row.undone = at.account.row.undone, ""
    before = at.account.reminders.get(name) if name else None
    if before is None or before.proposal is None:
        return new
    steps = {(each.item, each.step_index) for each in before.items}
    if not any((each.item.item, each.rung.step_index) in steps for each in due):
        return new
    said = before.proposal
    new.channels, new.text, new.template = said.channels, said.text, said.template
    new.next_on, new.attach_invoices, new.edits = said.next_on, said.attach_invoices, said.edits
    return new


def _new(at: Circumstances, reminder: str, *, due: Sequence[DueItem]) -> ReminderRow:
    row = ReminderRow(
        account=at.account.id,
        reminder=reminder,
        tick=at.tick.at,
        status="proposed",
        items=[],
        deliveries={},
        proposal=_changed_before(at, due=due),
    )
    at.account.reminders[reminder] = row
    at.account.row.proposal = reminder
    return row


def leave(account: Account, row: ReminderRow, *, stay: Iterable[str] = ()) -> None:
    """Forget of items that leave a proposal that they were in it."""
    stay = frozenset(stay)
    for each in steps_of(account, row):
        item = account.items.get(each.item)
        if item is None or each.item in stay:
            continue
        item.pending = (
            None  # the last word on it stays, that it was in a reminder: courtesies before are done with
        )
        account.touch(item)


def forget_word(account: Account) -> None:
    """Forget that a person wanted what is due to go on this day (R5)."""
    account.row.send_now, account.row.send_now_by, account.row.send_now_on = "", "", None
    account.touch(account.row)


def _too_soon_until(at: Circumstances) -> datetime.date | None:
    last_on = last_contact_on(at.account)
    if last_on is None:
        return None
    until = last_on + datetime.timedelta(days=at.company.profile.min_days_between_contacts)
    return until if at.day < until else None


def _digest(composed: Composed, *, because: WhoDecides, said: Proposal) -> str:
    """Sum up what a person would read anew: not the days that pass, nor what is listed beside."""
    content = composed.content
    held = [(each.item, each.held_minor) for each in content.items if each.held_minor]
    read: list[object] = [
        because,
        content.step,
        content.text,
        [
            (each.item, each.step, each.plan, each.plan_version, each.open_minor, each.due_on)
            for each in content.items
        ],
        [(each.channel, each.contact, each.task_type, each.summary) for each in content.deliveries],
        content.totals,
        content.unlisted,
    ]
    if said.template or said.attach_invoices is not None:
        read.append((said.template, said.attach_invoices))
    if any(each.cc for each in content.deliveries):
        read.append([each.cc for each in content.deliveries])
    costs = [(each.item, each.kind, each.step, each.amount_minor) for each in content.charges if each.is_new]
    costs = [each for each in costs if each[1] != "interest"]
    if costs:  # interest grows with the days; what a level costs does not, but the law may allow it only by then (R22)
        read.append(costs)
    if held:  # another part of each may be asked for, while the sums stay (R29)
        read.append(held)
    return hashlib.blake2s(msgspec.json.encode(read), digest_size=12).hexdigest()

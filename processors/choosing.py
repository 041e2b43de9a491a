"""What goes out at a tick by itself, what is proposed to a person, and on whose word (R5, R19, R20).

It chooses among the steps that nothing but the time stands against; what
stands against them was judged before (``reasons``), and what follows is carried
out by ``decide``.
"""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from processors.account import Account
from processors.circumstances import Circumstances, Verdict
from processors.ladder import Rung, Standing
from processors.manual_steps import await_task, open_awaited
from processors.proposals import (
    WhoDecides,
    approved_items,
    asks_for_more,
    forget_word,
    leave,
    not_before,
    proposal_of,
    propose,
    supersede,
    who_decides,
)
from processors.raising import raise_to_max
from processors.reminder import DueItem, row_item
from schemas.facts import LedgerFact
from schemas.rows import ItemRow, ReminderRow, ReminderRowItem

__all__ = [
    "Choice",
    "Judged",
    "Word",
    "choose",
    "forget_send_now",
    "is_repeated",
    "now_because",
    "propose_chosen",
    "say",
]


class Word(NamedTuple):
    """A step that does not go out, and why; ``overtaken``: a courtesy that never will."""

    rung: Rung | None
    verdict: Verdict
    overtaken: bool


@dataclass(slots=True)
class Judged:
    """What became of one due item: steps overtaken or withheld, and the one that goes out.

    ``able`` is a step that nothing stands against, or only the time (``not_yet``).
    """

    item: ItemRow
    said: list[Word]
    due: bool = False
    able: Rung | None = None
    goes_as: Rung | None = None  # of another step where all are raised to the highest (R1)
    not_yet: Verdict | None = None
    sent: Rung | None = None
    finished: Standing | None = None
    again_on: datetime.date | None = None


def say(result: Judged, *, rung: Rung | None, verdict: Verdict | None, overtaken: bool = False) -> None:
    """Note why a step does not go out."""
    if verdict is None:
        raise AssertionError(f"{result.item.item}: a step that cannot go out was given no reason")
    result.said.append(Word(rung, verdict, overtaken))


class Choice(NamedTuple):
    """What goes out or is proposed: ``approved`` goes, or all is proposed ``because`` of someone's mode."""

    approved: ReminderRow | None = None
    because: WhoDecides | None = None
    waits: bool = False  # what was approved is still to wait
    awaited: Sequence[tuple[ItemRow, Rung]] = ()  # blocking steps that have come due


def choose(at: Circumstances, judged: Sequence[Judged]) -> Choice:
    """Choose what goes out, and what is proposed to a person instead (R19, R20); mark it on what was judged."""
    awaited = _await_tasks(at, judged)
    able = _raised(at, judged)
    waiting, anew = proposal_of(at.account), False
    if waiting is not None and waiting.proposal is not None and waiting.proposal.approved:
        steps = approved_items(at.account, waiting)
        as_read = [each for each in able if row_item(each) == steps.get(each.item.item)]
        still = [each for each in able if each.item.item in steps]  # also on another day than was read
        if as_read and not asks_for_more(at, waiting.proposal, due=still):
            return _approved(at, judged, row=waiting, steps=steps)._replace(awaited=awaited)
        anew = bool(still)
    because = who_decides(at, (each.rung for each in able)) if able else None
    if because is not None and (anew or not _is_sent_now(at.account, at.day)):
        return Choice(because=because, awaited=awaited)
    for each in judged:
        _go_or_wait(each, each.not_yet)
    return Choice(awaited=awaited)


def _await_tasks(at: Circumstances, judged: Sequence[Judged]) -> list[tuple[ItemRow, Rung]]:
    """Let items whose blocking step has come due wait for its task (R28): no reminder, and no proposal."""
    awaited: list[tuple[ItemRow, Rung]] = []
    for each in judged:
        rung = each.able
        if rung is None or not rung.step.blocking:
            continue
        verdict = each.not_yet
        if verdict is None:
            verdict = await_task(at, item=each.item, rung=rung)
            awaited.append((each.item, rung))
        each.able = None
        say(each, rung=rung, verdict=verdict)
    return awaited


def _raised(at: Circumstances, judged: Sequence[Judged]) -> list[DueItem]:
    """Give what is able to go, each as the step that it goes as."""
    able = [DueItem(each.item, each.able) for each in judged if each.able is not None]
    if at.company.profile.raise_all_to_max:
        able = raise_to_max(able, company=at.company, customer=at.account.customer)
    goes_as = {each.item.item: each.rung for each in able}
    for each in judged:
        each.goes_as = goes_as.get(each.item.item)
    return able


def _approved(
    at: Circumstances, judged: Sequence[Judged], *, row: ReminderRow, steps: Mapping[str, ReminderRowItem]
) -> Choice:
    """Let go what a person approved and is still due; what has come since waits for its own turn."""
    later = not_before(at, row)
    others = Verdict("reminder_open", None, {"reminder": row.reminder})
    for each in judged:
        if each.goes_as is None:
            continue
        approved = row_item(DueItem(each.item, each.goes_as)) == steps.get(each.item.item)
        _go_or_wait(each, (each.not_yet or later) if approved else others)
    goes = any(each.sent is not None for each in judged)
    return Choice(approved=row if goes else None, waits=not goes)


def _go_or_wait(each: Judged, verdict: Verdict | None) -> None:
    if each.able is None:
        return
    if verdict is None:
        each.sent = each.goes_as
    else:
        say(each, rung=each.able, verdict=verdict)


def propose_chosen(at: Circumstances, choice: Choice, *, judged: Sequence[Judged]) -> list[LedgerFact]:
    """Propose, take an approved proposal out of its place, or end one that is needed no more."""
    facts = open_awaited(at, choice.awaited)
    if choice.because is not None:
        able = [DueItem(each.item, each.goes_as) for each in judged if each.goes_as is not None]
        return facts + propose(at, due=able, because=choice.because)
    if choice.approved is not None:
        at.account.row.proposal = ""
        leave(at.account, choice.approved)
        return facts
    return facts if choice.waits else facts + supersede(at)


def is_repeated(at: Circumstances, judged: Sequence[Judged]) -> bool:
    """Say whether what is to go out was decided, or proposed, at this very instant before: the next tick looks again."""
    reminders = (at.account.row.open_reminder, at.account.row.proposal)
    return not any(reminders) and any(
        each.able is not None and all(word.rung != each.able for word in each.said) for each in judged
    )


def now_because(account: Account, *, day: datetime.date) -> str:
    """Give the reason for which a person lets what is due, or a proposal, go inside the gap (R5)."""
    if _is_sent_now(account, day):
        return account.row.send_now
    waiting = proposal_of(account)
    return "" if waiting is None or waiting.proposal is None else waiting.proposal.now_because


def _is_sent_now(account: Account, day: datetime.date) -> bool:
    """Say whether a person wants what is due to go on this day: the word is not good for another."""
    return bool(account.row.send_now) and account.row.send_now_on == day


def forget_send_now(at: Circumstances, *, decided: bool) -> None:
    """Forget a word that has been followed, or whose day is over."""
    row = at.account.row
    if row.send_now and (decided or row.send_now_on != at.day):
        forget_word(at.account)

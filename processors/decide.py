"""Whether to write to an account now: at a tick, each due step goes out or is withheld with a reason (R31).

Decisions are made on ticks only, from the local hour that the company set
(``decision_hour``), and evaluating twice at one instant decides nothing new
(R26).
"""

import datetime
from collections.abc import Iterable, Iterator, Sequence

from processors.account import Account
from processors.alarms import ring
from processors.all_held import note_all_held
from processors.calendar import epoch_s
from processors.charges.weighing import costs_open_on
from processors.choosing import (
    Judged,
    Word,
    choose,
    forget_send_now,
    is_repeated,
    now_because,
    propose_chosen,
    say,
)
from processors.circumstances import Circumstances, failed_until
from processors.company import Company
from processors.conditions import admits
from processors.context import FoldContext
from processors.finishing import finish
from processors.holds import WHOLE_HOLDS, account_hold, date_by_hand, in_force
from processors.judged import is_done_with, withheld
from processors.ladder import Rung, Standing, current_rung, is_level, overtaken_on, rung_at, standing_of
from processors.manual_steps import release_others
from processors.messages import schedule_statement
from processors.money_tasks import ask_about_lines, ask_about_withheld
from processors.plan import last_index, step_at
from processors.purge import purge
from processors.reasons import is_only_of_when, judge
from processors.record_size import fitting, split, text_bytes
from processors.reminder import DueItem, decided_beside, follow_up, remind
from processors.residual import is_owed
from processors.wake import enter_items, may_hold, purge_day, set_wake
from schemas.facts import LedgerFact, PlanFinished, ReminderWithheld, Withheld
from schemas.journal import TickPassed
from schemas.rows import HoldRow, ItemRow, ReminderRow, ReminderRowItem

__all__ = ["evaluate"]

_DAY = datetime.timedelta(days=1)
_BANK_RETRY_S = (
    900  # a bank's word concerns all accounts of a company: those that wait for it ask, not it them
)


def evaluate(
    account: Account, *, tick: TickPassed, company: Company, since: datetime.datetime | None = None
) -> list[LedgerFact]:
    """Decide for one account at one tick, forget what is old, and set its next wake time.

    ``since`` is the ledger's first tick: what it knew before, it has kept
    since then. None: this tick is the first.
    """
    enter_items(account, company=company, now=tick.at)
    day, now_s = company.day_of(tick.at), epoch_s(tick.at)
    opening_s = company.decides_from_s(day)
    if now_s < opening_s:
        set_wake(account, opening_s)
        return []
    facts: list[LedgerFact] = []
    if account.alarms.first() is not None:
        facts = ring(account, context=FoldContext(company, f"tick/{tick.at.isoformat()}", day, tick.at, tick))
        if facts:
            enter_items(account, company=company, now=tick.at)
    schedule_statement(account, company=company, today=day)
    if not account.opened.is_filled:
        account.opened.fill(account.items, is_owed=lambda item: is_owed(account, item, company=company))
    due = account.due.until(day)
    at = Circumstances(
        account,
        company,
        tick,
        day,
        due=frozenset(due),
        in_reminder=_in_open_reminder(account, due=due, company=company),
        now_because=now_because(account, day=day),
    )
    judged = [each for name in due if (each := _judge_item(at, account.items[name])) is not None]
    choice = choose(at, judged)
    facts += (said := list(_withheld(at, judged)))
    facts += [*ask_about_withheld(at, said), *ask_about_lines(at, is_due=bool(due)), *_finished(at, judged)]
    facts += propose_chosen(at, choice, judged=judged)
    if account.tasks:
        facts += release_others(at, waiting=_waiting_for_tasks(judged))
    going = [DueItem(each.item, each.sent) for each in judged if each.sent is not None]
    decided = _remind(at, going, approved=choice.approved) if going else _follow_up(at, judged=judged)
    facts += decided
    forget_send_now(at, decided=bool(decided))
    _review_episode(at)
    note_all_held(at)
    facts += purge(account, day=day, since=since or tick.at, company=company)
    enter_items(
        account, company=company, now=tick.at
    )  # what was touched here is entered here: the rows alone are the state
    to_purge = purge_day(account)
    at_next_tick = is_repeated(at, judged) or bool(tick.lagging) or (to_purge is not None and to_purge <= day)
    wake_at_s = _next_wake_s(at, judged=judged, at_next_tick=at_next_tick)
    if any(word.verdict.reason == "bank_gate" for each in judged for word in each.said):
        retry_s = now_s + _BANK_RETRY_S
        wake_at_s = retry_s if wake_at_s is None else min(wake_at_s, retry_s)
    if wake_at_s is not None and wake_at_s <= now_s:
        # An evaluation that wants to be repeated at once would never let the tick end.
        raise AssertionError(f"next wake {wake_at_s} is not after {tick.at.isoformat()}")
    set_wake(account, wake_at_s)
    return fitting(facts)


def _remind(at: Circumstances, going: Sequence[DueItem], *, approved: ReminderRow | None) -> list[LedgerFact]:
    """Decide the reminder of what goes out; one per currency, at one tick, where the company sends them apart (R23).

    What a person has approved goes as it was approved.
    """
    groups: dict[str, list[DueItem]] = {}
    is_apart = at.company.profile.currencies_apart and approved is None
    for each in going:
        groups.setdefault(each.item.currency if is_apart else "", []).append(each)
    decided = (remind(at, due=groups[currency], proposed=approved) for currency in sorted(groups))
    return [fact for fact in decided if fact is not None]


def _in_open_reminder(
    account: Account, *, due: Iterable[str], company: Company
) -> dict[str, ReminderRowItem]:
    """Give item -> its step in the account's open reminder."""
    reminder = account.reminders.get(account.row.open_reminder)
    if reminder is None:
        return {}
    is_apart = company.profile.currencies_apart
    together = [reminder, *(decided_beside(account, reminder) if is_apart else ())]
    steps = {each.item: each for row in together for each in row.items}
    if any(row.unlisted for row in together):
        rows = (account.items[name] for name in due)
        steps |= {row.item: row.pending for row in rows if row.pending is not None}
    return steps


# -- one item ------------------------------------------------------------------


def _judge_item(at: Circumstances, item: ItemRow) -> Judged | None:
    """Judge the due step of one item; None when the open reminder has it and nothing else is due."""
    standing = standing_of(item, company=at.company, customer=at.account.customer)
    result = Judged(item, [])
    if standing is None:
        say(result, rung=None, verdict=judge(at, item=item, rung=None))
        return result
    on_its_way = _on_its_way(at, item, standing=standing)
    if on_its_way is not None:
        if is_level(step_at(standing.plan, on_its_way)):
            return None
        # What a courtesy does not delay can be due beside it.
        standing = standing._replace(consumed=on_its_way)
    overtaken, rung = current_rung(
        item,
        standing=standing,
        day=at.day,
        company=at.company,
        admits=lambda rung: admits(at, item=item, rung=rung),
    )
    for passed in overtaken:
        verdict = judge(at, item=item, rung=passed, overtaken=True)
        say(result, rung=passed, verdict=verdict, overtaken=True)
    if rung is not None:
        _judge_rung(at, result, rung=rung, standing=standing)
        return result
    index = standing.consumed + len(overtaken) + 1
    if index <= last_index(standing.plan):
        result.again_on = rung_at(item, standing=standing, index=index, company=at.company).due_on
    elif on_its_way is None:
        result.finished = standing
    return result


def _on_its_way(at: Circumstances, item: ItemRow, *, standing: Standing) -> int | None:
    """Give the index of an item's step in the open reminder; None where it is consumed, or of another plan by now."""
    step, plan = at.in_reminder.get(item.item), standing.plan
    if step is None or (step.plan, step.plan_version) != (plan.id, plan.version):
        return None
    return step.step_index if step.step_index > standing.consumed else None


def _judge_rung(at: Circumstances, result: Judged, *, rung: Rung, standing: Standing) -> None:
    result.due = True
    result.again_on = overtaken_on(result.item, standing=standing, index=rung.step_index, company=at.company)
    if result.again_on is None:
        result.again_on = _taken_over_on(at, result.item, rung=rung, standing=standing)
    verdict = judge(at, item=result.item, rung=rung)
    if is_only_of_when(verdict):
        result.able, result.not_yet = rung, verdict
    else:
        say(result, rung=rung, verdict=verdict)


def _taken_over_on(
    at: Circumstances, item: ItemRow, *, rung: Rung, standing: Standing
) -> datetime.date | None:
    """Give the day on which a later level takes the place of one that waits, whatever holds it: by age, or as it is not for the item."""
    if rung.step.must_not_skip or rung.step_index >= last_index(rung.plan):
        return None
    if standing.plan.entry != "by_age" and admits(at, item=item, rung=rung):
        return None
    for index in range(rung.step_index + 1, last_index(rung.plan) + 1):
        due_on = rung_at(item, standing=standing, index=index, company=at.company).due_on
        if due_on > at.day:
            return due_on
    return None


def _waiting_for_tasks(judged: Iterable[Judged]) -> frozenset[str]:
    return frozenset(
        each.item.item for each in judged if any(word.verdict.reason == "awaiting_task" for word in each.said)
    )


# -- what is said --------------------------------------------------------------


def _withheld(at: Circumstances, judged: Sequence[Judged]) -> Iterator[ReminderWithheld]:
    """Say what is withheld and was not said so before: item, step, reason and its end (R31)."""
    if not any(each.said for each in judged):
        return
    new: list[Withheld] = []
    for each in judged:
        new += [_said(word, item=each.item) for word in each.said if _is_news(at, each.item, word=word)]
    for part in split(new, size_of=_size):
        yield ReminderWithheld(
            id=f"{at.account.id}/{at.account.next_sequence()}",
            account=at.account.id,
            tick=at.tick.at,
            decision_version=at.account.row.version,
            items=tuple(part),
        )
    if new:
        at.account.touch(at.account.row)


def _size(withheld: Withheld) -> int:
    return 150 + text_bytes(withheld.item, withheld.step, *withheld.values, *withheld.values.values())


def _is_news(at: Circumstances, item: ItemRow, *, word: Word) -> bool:
    """Note a word as the last one on an item; False when it was, or when it is of a courtesy long done with."""
    state = withheld(word.rung, verdict=word.verdict)
    if item.judged == state:
        return False
    if word.overtaken and word.rung is not None and is_done_with(item.judged, rung=word.rung):
        return False
    item.judged = state
    at.account.touch(item)
    return True


def _said(word: Word, *, item: ItemRow) -> Withheld:
    rung, verdict, _ = word
    return Withheld(
        item=item.item,
        step="" if rung is None else rung.step.name,
        reason=verdict.reason,
        step_due_on=None if rung is None else rung.due_on,
        until=verdict.until,
        values=verdict.values,
    )


def _finished(at: Circumstances, judged: Sequence[Judged]) -> Iterator[LedgerFact]:
    """Say once of items that came with all steps done, or whose last courtesy has passed; do what comes then (R18)."""
    for each in judged:
        if each.finished is None:
            continue
        if not each.item.plan_finished:
            each.item.plan_finished = True
            at.account.touch(each.item)
            at.account.touch(at.account.row)
            yield PlanFinished(
                id=f"{at.account.id}/{at.account.next_sequence()}",
                account=at.account.id,
                item=each.item.item,
                plan=each.finished.plan.id,
                plan_version=each.finished.plan.version,
            )
        facts, each.again_on = finish(at, item=each.item, standing=each.finished)
        yield from facts


# -- the date by hand ----------------------------------------------------------


def _follow_up(at: Circumstances, *, judged: Sequence[Judged]) -> list[LedgerFact]:
    """Decide the task of a date by hand on which no step is due; nothing open: the date is over (R20)."""
    hold = _date_that_has_come(at)
    if hold is None or any(each.due for each in judged):
        return []
    if not any(at.counts(item) for item in at.account.items.values()):
        del at.account.holds["snoozed"]
        at.account.remove(hold)
        return []
    decided = None if at.tick.lagging else follow_up(at)
    return [] if decided is None else [decided]


def _date_that_has_come(at: Circumstances) -> HoldRow | None:
    hold, row = date_by_hand(at.account), at.account.row
    if hold is None or in_force(hold, at.day) or account_hold(at.account, at.day) is not None:
        return None
    if row.open_reminder or row.quarantined or _waits_after_failure(at):
        return None
    return hold


def _waits_after_failure(at: Circumstances) -> bool:
    failed_on = at.account.row.failed_on
    return failed_on is not None and at.day < failed_until(failed_on, company=at.company)


# -- episode and wake ----------------------------------------------------------


def _review_episode(at: Circumstances) -> None:
    """Open the episode with the first overdue item, close it when none is overdue or has a consumed level."""
    row, opened = at.account.row, at.account.opened
    if row.episode_opened_on is None:
        overdue_on = (at.account.items[name].due_on + _DAY for name in opened.overdue(at.day))
        opened_on = min(overdue_on, default=at.day if opened.levelled else None)
        if opened_on is not None:
            row.episode_opened_on, row.episode_closed_on = opened_on, None
            at.account.touch(row)
    elif row.episode_in_doubt and not opened.levelled and not opened.overdue(at.day):
        row.episode_opened_on, row.episode_closed_on = None, at.day
        row.promises = 0  # R10, R35
    if row.episode_in_doubt:
        row.episode_in_doubt = False
        at.account.touch(row)


def _next_wake_s(at: Circumstances, *, judged: Sequence[Judged], at_next_tick: bool) -> int | None:
    """Give the first instant at which the same state may be decided otherwise."""
    if at_next_tick:
        return epoch_s(at.tick.at) + 1
    days = {at.account.due.after(at.day), purge_day(at.account), at.account.alarms.after(at.day)}
    for each in judged:
        days.add(each.again_on)
        days |= {word.verdict.until for word in each.said}
    if at.account.row.proposal:
        days |= {costs_open_on(at.account, each.item, company=at.company, day=at.day) for each in judged}
    is_holding = may_hold(at.account)
    if is_holding or at.account.row.episode_opened_on is None:
        # What turns overdue opens an episode (R20, R37), and may not be held as all else is (R15).
        due_on = at.account.opened.next_due()
        days.add(None if due_on is None else due_on + _DAY)
    if is_holding:
        days |= {hold.until for kind in WHOLE_HOLDS if (hold := at.account.holds.get(kind)) is not None}
    if date_by_hand(at.account) is not None:
        hold = account_hold(at.account, at.day)
        days |= {at.account.holds["snoozed"].until, None if hold is None else hold.until}
        if at.account.row.failed_on is not None:
            days.add(failed_until(at.account.row.failed_on, company=at.company))
    later = [day for day in days if day is not None and day > at.day]
    instants = [word.verdict.until_s for each in judged for word in each.said]
    seconds = [each for each in instants if each is not None]
    if later:
        seconds.append(at.company.decides_from_s(min(later)))
    return min(seconds, default=None)

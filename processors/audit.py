"""Checks the promise of R31 from what was said: each due step was sent once, or it is said why not.

*Per item and step, from the day it is due (after R2 and R6): it was consumed
exactly once, or it is withheld with a reason until the item is settled or
the step overtaken; never neither, never twice.* The audit follows the facts
of the log on its own path: open amounts from movements, progress from ended
reminders. It shares with ``decide`` what a plan's dates are (``ladder``), and
nothing of how decisions come about: no due index, wake time or verdict.
"""

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from processors.account import Account
from processors.audit_item import AuditedItem, adopt, blank, carried, follow_terms, take_back
from processors.calendar import epoch_s, local_day
from processors.circumstances import Circumstances
from processors.company import Company
from processors.conditions import admits
from processors.ladder import (
    Rung,
    Standing,
    current_rung,
    is_level,
    shift_after_sending,
    standing_of,
    standing_on,
)
from processors.partition import JournalRecord, KnownFailures, Partition
from processors.plan import step_at
from schemas.charges import ClaimDocument
from schemas.facts import (
    LedgerFact,
    LevelTakenOver,
    Movement,
    PlanFinished,
    ReminderDecided,
    ReminderEnded,
    ReminderItem,
    ReminderProposed,
    ReminderWithheld,
    TaskClosed,
)
from schemas.journal import TickPassed, decode_entry

__all__ = ["Audit", "AuditReport", "audit_journal"]

PROBLEMS_MAX = 1000  # a broken log has the same problem everywhere: the first ones tell


@dataclass(slots=True)
class AuditReport:
    """What was looked at, and what is wrong: nothing, if all is well.

    Attributes:
        known_late: reminders that named an item which, as was learned only
            afterwards, had been settled before their day (R30): no breach
            where facts come late, one where they never do, as in a play.
    """

    ticks: int = 0
    items: int = 0
    reminders: int = 0
    consumed: int = 0
    withheld: int = 0
    problems: list[str] = field(default_factory=list)
    known_late: list[str] = field(default_factory=list)

    def object_to(self, problem: str) -> None:
        """Note a breach."""
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(problem)


class _Due(NamedTuple):
    """What a day finds of an item: courtesies that are overtaken, and the step that is due."""

    overtaken: list[Rung]
    rung: Rung | None


@dataclass(slots=True)
class _Account:
    items: dict[str, AuditedItem] = field(default_factory=dict)
    live: dict[str, AuditedItem] = field(default_factory=dict)  # with something open
    open: ReminderDecided | None = None
    proposal: str = ""  # the reminder that waits for a person
    unlisted: bool = False  # what is open, or waits, has items that it does not name
    reminders: dict[str, ReminderDecided] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    due: dict[str, _Due] = field(
        default_factory=dict
    )  # at the latest reminder: terms may be amended on its way

    def has_level_of(self, item: AuditedItem, *, standing: Standing) -> bool:
        """Say whether a reminder on its way has a level of an item that it has not consumed."""
        levels = filter(is_level, standing.plan.steps[standing.consumed + 1 :])
        return any(self.is_on_its_way(item.words.get(step.name, "")) for step in levels)

    def is_on_its_way(self, word: str) -> bool:
        """Say whether the last word on a step is a reminder that has not ended."""
        reminder = word.removeprefix("reminder ")
        return reminder in self.reminders and reminder not in self.ended

    def forget(self, reminder: str) -> None:
        """Forget what a reminder said of items: it is said anew, or has ended."""
        for item in self.items.values():
            item.words = {step: word for step, word in item.words.items() if word != f"reminder {reminder}"}


class Audit:
    """Takes the facts of one partition in log order, each tick after what was decided at it.

    The partition has folded the record whose facts are seen, and no later one.
    """

    def __init__(self, partition: Partition, *, report: AuditReport) -> None:
        self.report = report
        self._partition = partition  # the items' terms, plans and days; not what was decided
        self._accounts: dict[str, _Account] = {}
        self._latest: datetime.datetime | None = None

    def see(self, facts: Iterable[LedgerFact]) -> None:
        """Take the facts of one record."""
        moved: set[tuple[str, str]] = set()
        for fact in facts:
            if isinstance(fact, Movement):
                if fact.item:
                    moved.add((fact.account, fact.item))
            else:
                self._sort_all(moved)  # a payment plan that breaks at a tick opens what is dunned at it (R25)
            self._see(fact)
        self._sort_all(moved)

    def _sort_all(self, moved: set[tuple[str, str]]) -> None:
        for account, name in moved:
            self._sort(self._accounts[account], name)
        moved.clear()

    def _see(self, fact: LedgerFact) -> None:
        match fact:
            case Movement():
                self._move(fact)
            case ReminderDecided():
                self._decide(fact)
            case ReminderProposed():
                self._propose(fact)
            case ReminderWithheld():
                self._withhold(fact)
            case ReminderEnded():
                self._end(fact)
            case PlanFinished():
                self._finish(fact)
            case TaskClosed():
                self._close_task(fact)
            case LevelTakenOver():
                self._take_over(fact)
            case _:
                pass  # retractions, exceptions and quarantines change no step

    def tick(self, tick: TickPassed) -> None:
        """Look at every item after a tick: each due step must be in a reminder, or have its reason.

        A tick that repeats an instant decides nothing new (R26), and is no look.
        """
        if self._latest is not None and tick.at <= self._latest:
            return
        self._latest = tick.at
        self.report.ticks += 1
        for name, mine in self._accounts.items():
            at = self._at(name, tick)
            if epoch_s(tick.at) < at.company.decides_from_s(at.day) or at.account.row.quarantined:
                continue
            for item in mine.live.values():
                self._look(at, mine, item)

    def close(self) -> AuditReport:
        """Count, and list what was learned late."""
        for name, mine in self._accounts.items():
            self.report.items += len(mine.items)
            for item in mine.items.values():
                self.report.known_late += [
                    f"{name}: reminder {reminder} of {day} named {item.row.item}, settled on {item.closed_on}"
                    for reminder, day in item.named
                    if item.closed_on is not None and item.closed_on < day
                ]
        return self.report

    # -- facts ----------------------------------------------------------------

    def _move(self, fact: Movement) -> None:
        if not fact.item:
            return
        mine = self._accounts.setdefault(fact.account, _Account())
        row = self._partition.account(fact.account).items[fact.item]
        if type(row.document) is ClaimDocument:
            return  # it has no steps
        item = mine.items.get(fact.item)
        if item is None:
            has_level = fact.kind == "transferred_in"  # it comes with the level that it had (SEMANTICS 2.6)
            item = mine.items[fact.item] = AuditedItem(carried(row) if has_level else blank(row))
        elif fact.kind == "transferred_in" and item.open_minor == 0 < fact.amount_minor:
            item.row = carried(row)  # what was written elsewhere since it went
        item.open_minor += fact.amount_minor
        item.closed_on = None if item.open_minor else fact.business_date
        if item.open_minor < 0:
            self.report.object_to(f"{fact.account}: {fact.item} has {item.open_minor} open")

    def _sort(self, mine: _Account, name: str) -> None:
        """Put an item among the open ones, or let it rest: settled, its last words do not count any more."""
        item = mine.items.get(name)
        if item is None:
            return  # a claim
        if item.open_minor > 0:
            mine.live[name] = item
        else:
            # What waits or is on its way is still the word on it, should it be open again before that ends.
            waits = ("" if mine.open is None else mine.open.id, mine.proposal)
            item.words = {step: word for step, word in item.words.items() if word[9:] in waits}
            mine.live.pop(name, None)

    def _decide(self, fact: ReminderDecided) -> None:
        mine = self._accounts.setdefault(fact.account, _Account())
        waits = mine.open.id if mine.open is not None else mine.proposal
        apart = mine.open is not None and mine.open.tick == fact.tick  # one per currency (R23)
        if (waits not in ("", fact.id) or mine.open is not None) and not apart:
            self.report.object_to(f"{fact.account}: {fact.id} was decided while {waits} is open")
        mine.forget(fact.id)
        mine.proposal, mine.unlisted = "", bool(fact.unlisted)
        mine.open = mine.reminders[fact.id] = fact
        self.report.reminders += 1
        day = local_day(fact.tick, self._company(fact.account).zone)
        at = self._at(fact.account, TickPassed(at=fact.tick, mode=fact.mode))
        mine.due = {name: _due(at, item) for name, item in mine.live.items()}
        for each in fact.items:
            self._name(fact, each, mine=mine, day=day)

    def _propose(self, fact: ReminderProposed) -> None:
        """Take a proposal as the word on its items' steps: each revision says all of it anew."""
        mine = self._accounts.setdefault(fact.account, _Account())
        if mine.proposal not in ("", fact.reminder):
            self.report.object_to(f"{fact.account}: {fact.reminder} was proposed while {mine.proposal} waits")
        mine.forget(fact.reminder)
        mine.proposal = fact.reminder
        at = self._at(fact.account, TickPassed(at=fact.content.tick, mode=fact.content.mode))
        for each in fact.content.items:
            words = mine.items[each.item].words
            words[each.step] = f"reminder {fact.reminder}"
            if at.company.profile.raise_all_to_max:
                _, rung = _due(at, mine.items[each.item])
                words |= {} if rung is None else {rung.step.name: f"reminder {fact.reminder}"}
        mine.unlisted = bool(fact.content.unlisted)

    def _name(self, fact: ReminderDecided, each: ReminderItem, *, mine: _Account, day: datetime.date) -> None:
        where = f"{fact.account}: reminder {fact.id} of {day}, {each.item} {each.step}"
        item = mine.live.get(each.item)
        if item is None or item.open_minor != each.open_minor:
            self.report.object_to(f"{where}: names {each.open_minor}, open is {item and item.open_minor}")
            return
        overtaken, rung = mine.due[each.item]
        for passed in overtaken:
            self._explained(fact.account, item, rung=passed, day=day)
        if self._company(fact.account).profile.raise_all_to_max and rung is not None:
            item.words[rung.step.name] = f"reminder {fact.id}"  # it goes as a higher step than its own (R1)
            if each.step_index > rung.step_index and each.step_due_on is not None:
                step = step_at(rung.plan, each.step_index)
                rung = Rung(rung.plan, each.step_index, step, each.step_due_on)
                mine.due[each.item] = _Due(overtaken, rung)
        if rung is None or (rung.step.name, rung.due_on) != (each.step, each.step_due_on):
            due = "none" if rung is None else f"{rung.step.name} since {rung.due_on}"
            self.report.object_to(f"{where} since {each.step_due_on}: due is {due}")
        item.words[each.step] = f"reminder {fact.id}"
        item.named.append((fact.id, day))

    def _withhold(self, fact: ReminderWithheld) -> None:
        items = self._accounts[fact.account].items
        for each in fact.items:
            items[each.item].words[each.step] = each.reason
            self.report.withheld += 1

    def _end(self, fact: ReminderEnded) -> None:
        mine = self._accounts.setdefault(fact.account, _Account())
        if fact.reminder == mine.proposal:
            mine.proposal, mine.unlisted = "", False
            mine.forget(fact.reminder)
            return
        reminder = mine.reminders.get(fact.reminder)
        if reminder is None:
            self.report.object_to(f"{fact.account}: {fact.reminder} ended and was never decided")
            return
        if fact.reminder in mine.ended and fact.status == "failed":
            self._give_back(fact, mine)
            return
        mine.ended.add(fact.reminder)
        mine.open, mine.unlisted = None, False
        for name, step in fact.consumed:
            self._consume(fact, mine, mine.items[name], step=step, reminder=reminder)
        if fact.status != "sent":
            mine.forget(fact.reminder)

    def _consume(
        self, fact: ReminderEnded, mine: _Account, item: AuditedItem, *, step: str, reminder: ReminderDecided
    ) -> None:
        self.report.consumed += 1
        account = self._partition.account(fact.account)
        company = self._company(fact.account)
        named = any(each.item == item.row.item for each in reminder.items)
        _, rung = mine.due.pop(item.row.item, _Due([], None))
        where = f"{fact.account}: reminder {fact.reminder} consumes {item.row.item} {step}"
        if not named and not reminder.unlisted:
            self.report.object_to(f"{where}, and does not name it")
        if rung is None or rung.step.name != step:
            self.report.object_to(f"{where}, and it is not its next step")
            return
        time = f"{step} {max(0, rung.step_index - len(rung.plan.steps) + 1)}"  # the last step may be repeated (R18)
        if (rung.plan.id, time) in item.sent:
            self.report.object_to(f"{where} for the second time")
        item.sent.add((rung.plan.id, time))
        item.spent = dict(item.words)
        item.words.clear()
        _progress(account, item, rung=rung, company=company, reminder=reminder, sent_on=fact.on)

    def _give_back(self, fact: ReminderEnded, mine: _Account) -> None:
        """Take back what a reminder had consumed that reached nobody after all (R19)."""
        for name, step in fact.given_back:
            self.report.consumed -= 1
            row = self._partition.account(fact.account).items[name]
            if not take_back(mine.items[name], row, step=step):
                self.report.object_to(
                    f"{fact.account}: reminder {fact.reminder} gives back {name} {step}, which it did not consume"
                )

    def _close_task(self, fact: TaskClosed) -> None:
        """Take the steps that waited for a task: each must have been said to wait (R28)."""
        for name, step in fact.consumed:
            item = self._accounts[fact.account].items[name]
            self.report.consumed += 1
            if item.words.get(step) != "awaiting_task":
                self.report.object_to(
                    f"{fact.account}: task {fact.task} consumes {name} {step}, which did not wait for it"
                )
            item.words.clear()
            adopt(item.row, self._partition.account(fact.account).items[name])

    def _take_over(self, fact: LevelTakenOver) -> None:
        """Move the copy of an item up to a level that was sent elsewhere (R36); what a reminder on its way says of a higher one stands."""
        mine = self._accounts[fact.account]
        item = mine.items[fact.item]
        item.words = {step: word for step, word in item.words.items() if mine.is_on_its_way(word)}
        adopt(item.row, self._partition.account(fact.account).items[fact.item])

    def _finish(self, fact: PlanFinished) -> None:
        item = self._accounts[fact.account].items[fact.item]
        if fact.plan in item.finished:
            self.report.object_to(
                f"{fact.account}: {fact.item} finished plan {fact.plan} for the second time"
            )
        item.finished.add(fact.plan)

    # -- the look -------------------------------------------------------------

    def _at(self, name: str, tick: TickPassed) -> Circumstances:
        account = self._partition.account(name)
        company = self._partition.company(account.company)
        day = local_day(tick.at, company.zone)
        return Circumstances(account, company, tick, day, due=frozenset(account.due.until(day)))

    def _look(self, at: Circumstances, mine: _Account, item: AuditedItem) -> None:
        account, company, day = at.account, at.company, at.day
        follow_terms(item, account.items[item.row.item])
        standing = standing_of(item.row, company=company, customer=account.customer)
        if standing is None:
            if item.row.due_on <= day and "" not in item.words:
                self.report.object_to(
                    f"{account.id}: {item.row.item} has no plan, which was not said by {day}"
                )
            return
        if mine.unlisted:
            return  # the open reminder has items that it does not name
        if mine.has_level_of(item, standing=standing):
            return  # by its age a later level may be due: it is looked at when the one on its way has arrived
        overtaken, rung = _due(at, item)
        for each in [*overtaken, *([] if rung is None else [rung])]:
            self._explained(account.id, item, rung=each, day=day)

    def _explained(self, account: str, item: AuditedItem, *, rung: Rung, day: datetime.date) -> None:
        if rung.step.name not in item.words:
            self.report.object_to(
                f"{account}: {item.row.item} {rung.step.name} is due since {rung.due_on},"
                f" and by {day} it is in no reminder and no reason was said"
            )

    def _company(self, account: str) -> Company:
        return self._partition.company(account.partition(":")[0])


def _due(at: Circumstances, item: AuditedItem) -> _Due:
    row = at.account.items[item.row.item]
    follow_terms(item, row)
    standing = standing_of(item.row, company=at.company, customer=at.account.customer)
    if standing is None:
        return _Due([], None)
    return _Due(
        *current_rung(
            item.row,
            standing=standing,
            day=at.day,
            company=at.company,
            admits=lambda rung: admits(at, item=row, rung=rung),
        )
    )


def _progress(
    account: Account,
    item: AuditedItem,
    *,
    rung: Rung,
    company: Company,
    reminder: ReminderDecided,
    sent_on: datetime.date,
) -> None:
    """Move the copy of an item up to a sent step, as R2 and R17 say."""
    row = item.row
    standing = standing_on(row, plan=rung.plan, company=company, customer=account.customer)
    row.shift_days = shift_after_sending(standing, rung=rung, item=row, company=company, sent_on=sent_on)
    row.pay_by_on, row.sent_on = standing.pay_by_on, sent_on
    if is_level(rung.step):
        row.pay_by_on = reminder.pay_by_on
    row.plan, row.plan_version, row.step = rung.plan.id, rung.plan.version, rung.step_index


# -- a whole journal -----------------------------------------------------------


def audit_journal(
    partitions: Mapping[int, Iterable[JournalRecord]],
    *,
    failures: Mapping[int, KnownFailures] = MappingProxyType({}),
) -> AuditReport:
    """Fold each partition's records from its beginning, and audit what is said.

    ``failures`` are, by partition, what its ledger raised on and left out.
    """
    report = AuditReport()
    for number, records in partitions.items():
        partition = Partition(number=number, failures=failures.get(number, {}))
        audit = Audit(partition, report=report)
        for record in records:
            audit.see(_folded(partition, record))
            event = decode_entry(record.value).event
            if (
                isinstance(event, TickPassed)
                and partition.clock is not None
                and partition.clock.at == event.at
            ):
                audit.tick(event)
        audit.close()
    return report


def _folded(partition: Partition, record: JournalRecord) -> Iterator[LedgerFact]:
    """Fold one record, a tick slice by slice."""
    cursor, consumed = "", 0
    while not consumed:
        step = partition.step([record], cursor=cursor)
        partition.commit()
        yield from step.facts
        cursor, consumed = step.cursor, step.consumed

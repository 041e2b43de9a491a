"""Runs a scenario on the core: a real partition of the journal, without Kafka, and a notifier that answers as told.

Beside what the story expects it checks, at every step, what holds of every
story: sums, indexes, that a second look at one instant decides nothing, and
that the rows alone are the state.
"""

import datetime
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

import msgspec
from msgspec.structs import replace

from processors.account import Account
from processors.all_held import is_all_held
from processors.audit import audit_journal
from processors.calendar import epoch_s
from processors.circumstances import Circumstances
from processors.company import Company
from processors.invariants import check
from processors.ladder import next_look
from processors.law.register import permits_for
from processors.messages import UNBOUND
from processors.partition import Partition
from processors.proposals import proposal_of, steps_of
from processors.residual import is_owed
from schemas.facts import (
    AccountTold,
    Delivery,
    LedgerFact,
    MessageDecided,
    Movement,
    ReminderDecided,
    ReminderProposed,
    TransferSent,
)
from schemas.fields import account_id, split_account_id
from schemas.journal import JournalEntry, JournalEvent, SourceEvent, TickPassed, encode_entry
from schemas.outcomes import DeliveryStatus, ErrorType, OutcomeReported
from schemas.rows import AccountRow, RowKey, decode_key, decode_row
from tests.scenarios.saying import differences
from tests.scenarios.script import Answer, Happening, Notifying, Script, Step, Ticks
from tests.scenarios.verbs import LATEST

__all__ = ["Record", "Stage", "about_latest", "run"]


@dataclass(frozen=True, slots=True)
class Record:
    """A record of the journal."""

    offset: int
    timestamp: int
    value: bytes


@dataclass(slots=True)
class Stage:
    """A partition that is played on.

    Attributes:
        answers: channel -> how it answers; without an entry it accepts.
        latest: account -> its latest reminder.
        decided: account -> all its reminders in order; ``messages``: its other messages, likewise.
        held: deliveries that wait for their instant.
        restores: build the partition from its rows after each record.
        told: what was folded, in order; ``records`` is the same as the journal has it.
    """

    restores: bool = False
    partition: Partition = field(default_factory=lambda: Partition(number=0))
    answers: dict[str, Notifying] = field(default_factory=dict)
    latest: dict[str, str] = field(default_factory=dict)
    decided: dict[str, list[str]] = field(default_factory=dict)
    messages: dict[str, list[str]] = field(default_factory=dict)
    held: list[tuple[Delivery, ReminderDecided]] = field(default_factory=list)
    log: list[LedgerFact | TickPassed] = field(default_factory=list)
    told: list[JournalEvent] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)

    def take(self, event: JournalEvent) -> list[LedgerFact]:
        """Fold one record, and what follows from it: the notifier's answers."""
        facts = self.fold(event)
        for each in _going(facts):
            if each in facts:
                self.latest[each.account] = each.id
            facts += self.send(each, at=each.tick)
        return facts

    def send(self, reminder: ReminderDecided, *, at: datetime.datetime) -> list[LedgerFact]:
        """Have a notifier carry what may go out; what is to wait is held."""
        facts: list[LedgerFact] = []
        for delivery in reminder.deliveries:
            lawful_at = self._lawful_at(delivery, reminder, at=max(at, delivery.not_before))
            if lawful_at > at:
                self.held.append((replace(delivery, not_before=lawful_at), reminder))
            else:
                facts += self._answer(reminder, channel=delivery.channel, at=at)
        return facts

    def _lawful_at(
        self, delivery: Delivery, reminder: ReminderDecided, *, at: datetime.datetime
    ) -> datetime.datetime:
        """Ask the law once more at sending, as a notifier does (R32)."""
        if reminder.law is None or delivery.channel == "task":
            return at
        account = self.partition.account(reminder.account)
        on = self.partition.company(account.company).day_of(at)
        permits = permits_for(account, company=self.partition.company(account.company), on=on)
        return permits.next_allowed(delivery.channel, at=at)

    def send_held(self, *, at: datetime.datetime) -> list[LedgerFact]:
        """Carry what was held until now; what the account has overtaken is superseded (R32)."""
        due = [each for each in self.held if each[0].not_before <= at]
        self.held = [each for each in self.held if each not in due]
        facts: list[LedgerFact] = []
        for delivery, reminder in due:
            version = self.partition.account(reminder.account).row.version
            if version > reminder.decision_version != UNBOUND:
                facts += self._answer(reminder, channel=delivery.channel, at=at, status="superseded")
            else:
                facts += self.send(replace(reminder, deliveries=(delivery,)), at=at)
        return facts

    def fold(self, event: JournalEvent, *, event_id: str = "") -> list[LedgerFact]:
        """Fold one record, however many slices that takes, and what it has accounts tell each other."""
        offset = len(self.records)
        value = encode_entry(JournalEntry(event=event, id=event_id or f"event-{offset}", source="story"))
        record = Record(offset, 0, value)
        self.records.append(record)
        self.told.append(event)
        facts: list[LedgerFact] = []
        cursor, consumed = "", 0
        while not consumed:
            step = self.partition.step([record], cursor=cursor)
            assert [] == step.poison, step.poison
            self.partition.commit()
            facts += step.facts
            cursor, consumed = step.cursor, step.consumed
        self.log += facts
        for each in facts:
            if isinstance(each, ReminderDecided):
                self.decided.setdefault(each.account, []).append(each.id)
            elif isinstance(each, MessageDecided):
                self.messages.setdefault(each.account, []).append(each.id)
        self.latest |= {each.account: each.reminder for each in facts if isinstance(each, ReminderProposed)}
        if isinstance(event, TickPassed):
            self.log.append(event)
        if self.restores:
            self.partition = _restored(self.partition.rows())
        for sent in [fact for fact in facts if isinstance(fact, TransferSent | AccountTold)]:
            facts += self.fold(sent.event, event_id=sent.id)  # as the ledger writes it to the journal
        return facts

    def spoken_of(self, answer: Answer) -> str:
        """Give the id of the reminder or message that an outcome told by hand is of."""
        what, _, number = answer.of.partition("-")
        if what == "message":
            return self.messages[answer.account][int(number) - 1 if number else -1]
        return self.decided[answer.account][int(answer.of) - 1] if answer.of else self.latest[answer.account]

    def _answer(
        self,
        reminder: ReminderDecided,
        *,
        channel: str,
        at: datetime.datetime,
        status: DeliveryStatus | None = None,
    ) -> list[LedgerFact]:
        manner = self.answers.get(channel) or self.answers.get("")
        status = status or ("accepted" if manner is None else manner.status)
        if status is None:
            return []
        return self.take(
            OutcomeReported(
                company=reminder.company,
                customer=reminder.customer,
                occurred_at=at.isoformat(),
                reminder=reminder.id,
                channel=channel,  # type: ignore[arg-type]  # the delivery's own
                status=status,
                error_type=_error_of(manner),
            )
        )


def _going(facts: list[LedgerFact]) -> list[ReminderDecided]:
    """List what notifiers are to carry: reminders, and the content of other messages."""
    return [
        fact.content if isinstance(fact, MessageDecided) else fact
        for fact in facts
        if isinstance(fact, ReminderDecided | MessageDecided)
    ]


def _error_of(manner: Notifying | None) -> ErrorType:
    return "" if manner is None else manner.error_type


def _restored(rows: dict[bytes, bytes]) -> Partition:
    partition = Partition(number=0)
    # In an order that neither memory nor a disk has them in: nothing that is said may depend on it (R26).
    partition.restore(sorted(rows.items(), reverse=True))
    return partition


def run(
    script: Script, *, restores: bool = False, stage: Stage | None = None
) -> list[LedgerFact | TickPassed]:
    """Play a scenario, and give all that was said, each tick after what was decided at it.

    Raises:
        AssertionError: names the line, and what was or was not said.
    """
    stage = stage or Stage(restores=restores)
    for step in script.steps:
        facts = _play(stage, step)
        problems = differences(facts, expects=step.expects)
        assert [] == problems, "\n  ".join([f"{script.name}.txt line {step.line}:", *problems])
        _hold_true(stage)
    assert [] == audit_journal({0: stage.records}).problems
    return stage.log


def _play(stage: Stage, step: Step) -> list[LedgerFact]:
    match step:
        case Happening():
            return stage.take(about_latest(stage, step.event))
        case Ticks():
            return [fact for at in step.ats for fact in _tick(stage, at=at, lagging=step.lagging)]
        case Notifying():
            stage.answers[step.channel] = step
            return []
        case Answer():
            company, customer = split_account_id(step.account)
            return stage.take(
                OutcomeReported(
                    company=company,
                    customer=customer,
                    occurred_at=step.occurred_at,
                    reminder=stage.spoken_of(step),
                    channel=step.channel,  # type: ignore[arg-type]  # the ledger refuses what it does not know
                    status=step.status,
                    error_type=step.error_type,
                    address=step.address,
                )
            )


def about_latest(stage: Stage, event: SourceEvent) -> SourceEvent:
    """Let a command that speaks of the latest reminder say which one that is."""
    task = getattr(event, "task", "")
    if task.endswith(f"/{LATEST}"):
        kind = task.removesuffix(LATEST)
        open_tasks = stage.partition.account(f"{event.company}:{getattr(event, 'customer', '')}").tasks
        return msgspec.structs.replace(event, task=max(each for each in open_tasks if each.startswith(kind)))
    if getattr(event, "reminder", "") != LATEST:
        return event
    account = account_id(event.company, event.customer)  # type: ignore[union-attr]  # a command about an account
    return msgspec.structs.replace(event, reminder=stage.latest.get(account, "none"))


def _tick(stage: Stage, *, at: datetime.datetime, lagging: tuple[str, ...]) -> list[LedgerFact]:
    """Let a tick pass twice before anyone answers: the second look decides nothing new (R26)."""
    tick = TickPassed(at=at, mode="played", lagging=lagging)
    facts = stage.fold(tick)
    assert [] == stage.fold(tick)
    _moves_no_balance(facts)
    _nobody_is_missed(stage.partition, tick=tick)
    facts += stage.send_held(at=at)
    for each in _going(facts):
        if each in facts:
            stage.latest[each.account] = each.id
        facts += stage.send(each, at=at)
    return facts


def _moves_no_balance(facts: list[LedgerFact]) -> None:
    """Check that what comes about by itself is worth nothing: a credit limit need not be looked at at ticks (B-15)."""
    sums: Counter[tuple[str, str]] = Counter()
    for fact in facts:
        if isinstance(fact, Movement):
            sums[fact.account, fact.currency] += fact.amount_minor if fact.item else -fact.amount_minor
    assert {} == {key: minor for key, minor in sums.items() if minor}


def _nobody_is_missed(partition: Partition, *, tick: TickPassed) -> None:
    """Check that who had to be looked at was: what an account is listed by is of this tick (R4, R15, R19, R37)."""
    if partition.clock is None or tick.at < partition.clock.at:
        return
    for account, company in _accounts(partition):
        day = company.day_of(tick.at)
        if epoch_s(tick.at) < company.decides_from_s(day):
            continue
        items = account.items.values()
        owed = [each for each in items if each.status == "open" and is_owed(account, each, company=company)]
        if any(each.due_on < day for each in owed):
            assert account.row.episode_opened_on is not None
        waiting = proposal_of(account)
        if waiting is not None:
            assert {"open"} == {account.items[each.item].status for each in steps_of(account, waiting)}
        account.opened.fill(account.items, is_owed=partial(is_owed, account, company=company))
        due = (name for name, on in _days(account, company=company).items() if on <= day)
        at = Circumstances(account, company, tick, day, due=frozenset(due))
        assert account.row.is_all_held == is_all_held(at)


def _hold_true(stage: Stage) -> None:
    """Check what holds at every step: sums, and that indexes are what brute force finds."""
    for account, company in _accounts(stage.partition):
        check(account)
        _people_are_asked(account)
        if account.due.ready and not account.stale and account.row.config_version == company.version:
            assert _days(account, company=company) == _indexed(account)


def _people_are_asked(account: Account) -> None:
    """Check that what waits for a person has its row, and the row what waits (R19, R28)."""
    waiting = [each.reminder for each in account.reminders.values() if each.status == "proposed"]
    assert waiting == ([account.row.proposal] if account.row.proposal else [])
    awaited = {each.awaiting.task for each in account.items.values() if each.awaiting is not None}
    assert awaited == {task for task in account.tasks if task.startswith("step/")}


def _accounts(partition: Partition) -> Iterable[tuple[Account, Company]]:
    for key, value in partition.rows().items():
        if decode_key(key).kind == "account" and isinstance(decode_row(value), AccountRow):
            account = partition.account(RowKey(*decode_key(key)).owner)
            yield account, partition.company(account.company)


def _days(account: Account, *, company: Company) -> dict[str, datetime.date]:
    days = {
        name: next_look(item, company=company, customer=account.customer)
        for name, item in account.items.items()
    }
    return {name: day for name, day in days.items() if day is not None}


def _indexed(account: Account) -> dict[str, datetime.date]:
    return dict(account.due._next)

"""A log under other rules: what would have been sent, and when, to whom, by which channel (what if, shadow plans).

The journal is folded by the ledger's own code with another plan or law in its
place. What became of reminders that were never sent stands in no log, so it
is answered here: a delivery is accepted when it may go out, unless the log says
that the address failed; a proposal is approved as it stands. Business facts and
people's requests about accounts are those of the log.
"""

import datetime
from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from processors.alone import Alone, accept, sent_of
from processors.calendar import business_day, instant_of_ms, local_day, zone_of
from processors.fates import ADDRESS_ERRORS, UNREACHED, error_of
from processors.journal_record import JournalRecord
from processors.law.days import name_of
from schemas.commands import (
    AddNote,
    ApproveReminder,
    CancelReminder,
    ConfigureCompany,
    DropReminder,
    EditReminder,
    PublishPlan,
    SetLaw,
)
from schemas.events import CustomerUpserted
from schemas.facts import Delivery, LedgerFact, MessageDecided, Movement, ReminderDecided, ReminderProposed
from schemas.fields import account_id, split_account_id
from schemas.journal import JournalEvent, TickPassed, decode_entry
from schemas.law import Contacting, LawChoice
from schemas.outcomes import ErrorType, OutcomeReported
from schemas.plans import Plan
from schemas.reminder_commands import UndoReminder

__all__ = ["Alternative", "AlternativeState", "Contact", "Debtor", "Learnt", "Log", "Rules", "learn"]

# Of reminders of the log, which other rules do not have.
_OF_REMINDERS = (OutcomeReported, ApproveReminder, EditReminder, DropReminder, CancelReminder, UndoReminder)
_TELLING_OF_ADDRESSES = ("accepted", *sorted(UNREACHED))
_A_DAY = 10  # characters of a date without a time


class Rules(Struct, frozen=True, kw_only=True):
    """What is put in the log's place; nothing set: the log's own rules.

    ``plan`` stands for every version of the plan of its id; a company that has
    none of that id has it as its default. ``profile`` is a law for all
    debtors. ``company`` "": of all companies.
    """

    plan: Plan | None = None
    profile: str = ""
    company: str = ""

    def concern(self, company: str) -> bool:
        """Say whether a company is under these rules."""
        return self.company in ("", company)


class Debtor(Struct, frozen=True, kw_only=True):
    """Who an account's customer is, as the log has it by now: the tax id, and the account that is written to for it ("": its own)."""

    tax_id: str = ""
    dunned_at: str = ""


class Learnt(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that a log says: a company's plan, or what an account's delivery by a channel came to at an instant."""

    of: str
    said: str
    at: datetime.datetime | None = None
    error: ErrorType = ""


class Log(Struct, kw_only=True):
    """What must be known of a partition's log before it is folded under other rules.

    Attributes:
        plans: company -> ids of the plans that it has published.
        fates: (account, channel) -> (instant, address error or '') of what the log's deliveries came to, in order.
        next_offset: of the first record that it has not learnt from.
    """

    plans: dict[str, set[str]] = field(default_factory=dict)
    fates: dict[tuple[str, str], list[tuple[datetime.datetime, ErrorType]]] = field(default_factory=dict)
    next_offset: int = 0

    def take(self, record: JournalRecord) -> Learnt | None:
        """Learn from the next record; gives what it says. One that is known already says nothing."""
        if record.offset < self.next_offset:
            return None
        self.next_offset = record.offset + 1
        event = decode_entry(record.value).event
        learnt = None
        if isinstance(event, PublishPlan):
            learnt = Learnt(of=event.company, said=event.plan.id)
        elif isinstance(event, OutcomeReported) and event.status in _TELLING_OF_ADDRESSES:
            at = instant_of_ms(record.timestamp)
            if len(event.occurred_at) > _A_DAY:
                at = datetime.datetime.fromisoformat(event.occurred_at).astimezone(datetime.UTC)
            said = error_of(event)
            error: ErrorType = said if said in ADDRESS_ERRORS else ""
            account = account_id(event.company, event.customer)
            learnt = Learnt(of=account, said=event.channel, at=at, error=error)
        if learnt is not None:
            self.add(learnt)
        return learnt

    def add(self, learnt: Learnt) -> None:
        """Know one thing more."""
        if learnt.at is None:
            self.plans.setdefault(learnt.of, set()).add(learnt.said)
        else:
            insort(self.fates.setdefault((learnt.of, learnt.said), []), (learnt.at, learnt.error))

    def known(self) -> list[Learnt]:
        """List all that it knows."""
        plans = [Learnt(of=of, said=said) for of, ids in sorted(self.plans.items()) for said in sorted(ids)]
        return plans + [
            Learnt(of=of, said=said, at=at, error=error)
            for (of, said), fates in sorted(self.fates.items())
            for at, error in fates
        ]

    def fate(self, account: str, *, channel: str, at: datetime.datetime) -> ErrorType:
        """Give the address error that a delivery meets: as the last one before, else the first one after."""
        known = self.fates.get((account, channel))
        if not known:
            return ""
        place = bisect_right(known, at, key=lambda each: each[0])
        return known[max(0, place - 1)][1]


class Contact(Struct, frozen=True, kw_only=True):
    """One delivery that would go out: the company's day, whom it is for, which level (or kind of message) and channel.

    ``fate`` is ``accepted`` or the address error; ``items`` with a due step,
    ``amounts`` (currency, minor units) their totals. ``law`` is the profile that it was decided under ("": none was
    told), ``law_on`` the debtor's day and ``counts_as`` the channel as that law counts it ("": a mere task, which contacts nobody).
    ``by_person``: it goes only once a person lets it go (R20).
    """

    on: datetime.date
    account: str
    reminder: str
    step: str
    channel: str
    fate: str
    items: tuple[str, ...]
    amounts: tuple[tuple[str, int], ...]
    law: str = ""
    law_on: datetime.date | None = None
    counts_as: str = ""
    by_person: bool = False


def learn(records: Iterable[JournalRecord]) -> Log:
    """Read what a partition's log says of plans and addresses."""
    log = Log()
    for record in records:
        log.take(record)
    return log


class AlternativeState(Struct, frozen=True, kw_only=True):
    """Where a fold under rules stands: rows by key, the companies that it has met, how many records it has made itself.

    Of one that tells what has changed, ``rows`` are those alone (None: gone).
    """

    rows: list[tuple[bytes, bytes | None]]
    known: list[str]
    made: int


class Alternative:
    """One partition's log, folded under rules.

    Args:
        number: of the partition.
        rules: in the log's place.
        log: what is known of it.
        state: where an earlier fold under the same rules stood; None: the log's beginning.

    Attributes:
        paid: (account, item) -> (business day, change of the open amount in minor units), as all of the log has it.
        laws: profile -> what it says of contacts, as it was at the last one under it.
        called: (account, day) of the calls and conversations that people noted.
        debtors: account -> who its customer is; of a fold that was begun from a state, those it has heard of since.
    """

    def __init__(self, *, number: int, rules: Rules, log: Log, state: AlternativeState | None = None) -> None:
        rows = [(key, value) for key, value in (() if state is None else state.rows) if value is not None]
        self._alone = Alone(number=number, rows=rows, made=0 if state is None else state.made)
        self._rules = rules
        self._log = log
        self._known: set[str] = set() if state is None else set(state.known)
        self.paid: dict[tuple[str, str], list[tuple[datetime.date, int]]] = {}
        self.laws: dict[str, Contacting] = {}
        self.called: list[tuple[str, datetime.date]] = []
        self.debtors: dict[str, Debtor] = {}

    def state(self) -> AlternativeState:
        """Say where it stands, for another one to go on; what was paid is not kept."""
        return self._where(self._alone.partition.rows())

    def changes(self) -> AlternativeState:
        """Say what has changed since this was asked last; the first time nothing, and it remembers from then on."""
        changed = self._alone.changed or {}
        self._alone.changed = {}
        return self._where(changed)

    def _where(self, rows: Mapping[bytes, bytes | None]) -> AlternativeState:
        return AlternativeState(rows=sorted(rows.items()), known=sorted(self._known), made=self._alone.made)

    def take(self, record: JournalRecord) -> list[Contact]:
        """Fold the next record of the log, and give the contacts that would follow from it."""
        event = decode_entry(record.value).event
        if isinstance(event, _OF_REMINDERS) or self._is_repeated(event):
            return []
        at = instant_of_ms(record.timestamp)
        if not isinstance(event, TickPassed) and event.company not in self._known:
            self._known.add(event.company)
            for rule in self._own_rules(event.company):
                self._alone.take(rule, at=at)
        other = self._in_place_of(event)
        if other is None:
            return []
        if isinstance(event, AddNote) and event.kind != "note":
            zone = self._alone.partition.company(event.company).zone
            account = account_id(event.company, event.customer)
            self.called.append((account, business_day(event.occurred_at, zone)))
        facts = self._alone.fold(record) if other is event else self._alone.take(other, at=at)
        if isinstance(event, CustomerUpserted):
            self._know(account_id(event.company, event.customer))
        return list(self._follow(facts))

    def _know(self, account: str) -> None:
        """Note who a customer is by now: of master data the latest business time stands."""
        row = self._alone.partition.account(account).customer
        if row is not None:
            said = row.customer
            at_parent = said.dunned_at == "parent" and bool(said.parent)
            self.debtors[account] = Debtor(
                tax_id=said.tax_id,
                dunned_at=account_id(said.company, said.parent) if at_parent else "",
            )

    def _is_repeated(self, event: JournalEvent) -> bool:
        """Say whether a tick is not newer than the one before: the log's fold decided nothing new at it either (R26).

        Here what the first one decided has been answered in between.
        """
        clock = self._alone.partition.clock
        return isinstance(event, TickPassed) and clock is not None and event.at <= clock.at

    def _own_rules(self, company: str) -> Iterator[JournalEvent]:
        """Give what a company begins with, beside its log."""
        rules = self._rules
        if not rules.concern(company):
            return
        whose: Any = {"company": company, "occurred_at": "1970-01-01", "author": "what-if"}
        if rules.plan is not None and rules.plan.id not in self._log.plans.get(company, ()):
            yield PublishPlan(**whose, command="what-if-plan", plan=rules.plan)
        if rules.profile:
            choices = (LawChoice(profile=rules.profile),)  # own choices come before the shipped ones
            yield SetLaw(**whose, command="what-if-law", choices=choices)

    def _in_place_of(self, event: JournalEvent) -> JournalEvent | None:
        """Give what stands for an event of the log under the rules; None: nothing does."""
        rules = self._rules
        if isinstance(event, TickPassed) or not rules.concern(event.company):
            return event
        plan = rules.plan
        if isinstance(event, SetLaw) and rules.profile:
            return None
        if plan is not None and isinstance(event, PublishPlan) and event.plan.id == plan.id:
            return replace(event, plan=replace(plan, version=event.plan.version))
        if plan is not None and isinstance(event, ConfigureCompany):
            published = self._log.plans.get(event.company, set())
            return event if plan.id in published else replace(event, plan=plan.id)
        return event

    def _follow(self, facts: list[LedgerFact]) -> Iterator[Contact]:
        for fact in facts:
            if isinstance(fact, Movement):
                if fact.item:
                    moved = (fact.business_date, fact.amount_minor)
                    self.paid.setdefault((fact.account, fact.item), []).append(moved)
            elif isinstance(fact, ReminderProposed):
                yield from self._follow(self._approve(fact))
            elif (sent := sent_of(fact)) is not None:
                kind = fact.message_kind if isinstance(fact, MessageDecided) else sent.step
                # A channel is one delivery, whatever it carries: two tasks are told of by one outcome.
                for delivery in {each.channel: each for each in sent.deliveries}.values():
                    outcome = self._outcome(sent, delivery)
                    yield self._contact(sent, delivery, outcome=outcome, step=kind)
                    yield from self._follow(self._alone.take(outcome, at=sent.tick))

    def _approve(self, fact: ReminderProposed) -> list[LedgerFact]:
        company, customer = split_account_id(fact.account)
        tick = fact.content.tick
        approval = ApproveReminder(
            company=company,
            customer=customer,
            occurred_at=tick.isoformat(),
            command=f"what-if-{fact.reminder}-{fact.revision}",
            reminder=fact.reminder,
            author="what-if",
        )
        return self._alone.take(approval, at=tick)

    def _outcome(self, fact: ReminderDecided, delivery: Delivery) -> OutcomeReported:
        accepted = accept(fact, delivery)
        error = self._log.fate(fact.account, channel=delivery.channel, at=delivery.not_before)
        return replace(accepted, status="failed", error_type=error, provider_id="") if error else accepted

    def _contact(
        self, fact: ReminderDecided, delivery: Delivery, *, outcome: OutcomeReported, step: str
    ) -> Contact:
        at = max(fact.tick, delivery.not_before)
        on, law = self._alone.partition.company(fact.company).day_of(at), fact.law
        if law is not None:
            self.laws[law.profile] = law.contacting
        return Contact(
            on=on,
            account=fact.account,
            reminder=fact.id,
            step=step,
            channel=delivery.channel,
            fate=outcome.error_type or "accepted",
            items=tuple(each.item for each in fact.items),
            amounts=tuple((each.currency, each.amount_minor) for each in fact.totals),
            law="" if law is None else law.profile,
            law_on=on if law is None else local_day(at, zone_of(law.time_zone)),
            counts_as=name_of(delivery.channel, task_type=delivery.task_type),
            by_person=bool(fact.approved_by),
        )

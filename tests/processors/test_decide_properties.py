"""Random business, random answers, random days: what holds of every decision (R4, R19, R26, R31)."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Literal, cast

from hypothesis import example, given, settings
from hypothesis import strategies as st

from processors.audit import audit_journal
from processors.plan import step_at
from schemas import commands, events
from schemas.facts import LedgerFact, ReminderDecided, ReminderProposed
from schemas.journal import SourceEvent, TickPassed
from schemas.outcomes import OutcomeReported
from schemas.plans import Action, Conditions, Plan, Step
from schemas.reminder_commands import UndoReminder
from tests.scenarios.on_core import Stage, _hold_true, about_latest
from tests.scenarios.verbs import LATEST

START = datetime.date(2026, 1, 1)
ITEMS = ("INV-1", "INV-2", "INV-3", "INV-4")
HOLDS: tuple[commands.HoldKind, ...] = ("do_not_contact", "blocked", "snoozed")
PLANS = (
    Plan(
        id="default",
        version=1,
        steps=(
            Step(name="early", offset_days=-8, actions=(Action(channel="email"),)),
            Step(name="courtesy", offset_days=-3, actions=(Action(channel="email"),)),
            Step(name="first", offset_days=0, actions=(Action(channel="email"), Action(channel="letter"))),
            Step(name="second", offset_days=4, actions=(Action(channel="task"),), pay_by_days=2),
            Step(name="third", offset_days=20, actions=(Action(channel="email"),), automatic=False),
        ),
    ),
    Plan(
        id="default",
        version=2,
        item_grace_days=2,
        account_grace_days=4,
        next_business_day=True,
        steps=(
            Step(name="courtesy", offset_days=-1, actions=(Action(channel="letter"),)),
            Step(name="again", offset_days=6, actions=(Action(channel="email"),), fees={"USD": "3.00"}),
        ),
    ),
    Plan(
        id="default",
        version=3,
        entry="by_age",
        after_last="repeat",
        repeat_every_days=3,
        repeat_at_most=2,
        part_paid_percent=30,
        part_paid_delay_days=4,
        steps=(
            Step(name="courtesy", offset_days=-4, actions=(Action(channel="email"),)),
            Step(name="first", offset_days=0, actions=(Action(channel="email"),), anchor="end_of_month"),
            Step(
                name="call",
                offset_days=3,
                actions=(Action(channel="task", summary="Call"),),
                anchor="last_reminder",
                blocking=True,
                timeout_days=6,
                must_not_skip=True,
            ),
            Step(
                name="letter",
                offset_days=2,
                actions=(Action(channel="letter"),),
                anchor="last_reminder",
                when=Conditions(min_total={"USD": "90.00"}),
            ),
            Step(name="last", offset_days=9, actions=(Action(channel="email"),), pay_by_days=1),
        ),
    ),
    Plan(
        id="default",
        version=4,
        after_last="escalate",
        escalate_to="agency",
        steps=(
            Step(
                name="call", offset_days=1, actions=(Action(channel="task", summary="Call"),), blocking=True
            ),
            Step(
                name="first",
                offset_days=4,
                actions=(Action(channel="email"),),
                when=Conditions(trust=("bad",)),
                must_not_skip=True,
            ),
            Step(name="second", offset_days=6, actions=(Action(channel="email"),)),
        ),
    ),
    Plan(
        id="other", version=1, steps=(Step(name="only", offset_days=1, actions=(Action(channel="email"),)),)
    ),
)
Answered = Literal["accepted", "failed", "superseded", "unknown", ""]


@dataclass(frozen=True, slots=True)
class Act:
    """Something that happens some days after what was before it."""

    after_days: int
    verb: str
    item: str
    number: int
    answer: Answered


ACTS = st.builds(
    Act,
    after_days=st.sampled_from((0, 0, 1, 1, 2, 5, 12)),
    verb=st.sampled_from(
        [
            "invoice",
            "invoice",
            "invoice",
            "payment",
            "part-payment",
            "reverse",
            "amend",
            "amend-plan",
            "cancel",
            "exclude",
            "include",
            "hold",
            "release",
            "next-date",
            "conversation",
            "mode",
            "approve",
            "edit",
            "drop",
            "call-back",
            "undo",
            "send-now",
            "task",
            "task",
            "profile",
            "plan",
            "customer",
            "outcome",
            "outcome",
            "outcome",
        ]
    ),
    item=st.sampled_from(ITEMS),
    number=st.integers(0, 9),
    answer=st.sampled_from(("accepted", "accepted", "accepted", "failed", "superseded", "unknown", "")),
)


def event_of(act: Act, *, index: int, day: datetime.date) -> SourceEvent:
    """Make the event of an act; ids repeat, so that conflicts and repetitions occur."""
    told: dict[str, Any] = {"company": "acme", "occurred_at": day.isoformat(), "command": f"command-{index}"}
    if act.verb == "plan":
        return commands.PublishPlan(**told, plan=PLANS[act.number % 5])
    if act.verb == "profile":
        return profile(told, number=act.number)
    later = day + datetime.timedelta(days=act.number * 3 - 6)
    told["customer"] = "C1"
    if act.verb in REQUESTS:
        return REQUESTS[act.verb](act, told, later)
    del told["command"]
    return FACTS[act.verb](act, told, later, index)


REQUESTS: dict[str, Callable[[Act, dict[str, Any], datetime.date], SourceEvent]] = {
    "exclude": lambda act, told, _: commands.ExcludeItem(**told, document=act.item, reason="dispute"),
    "include": lambda act, told, _: commands.IncludeItem(**told, document=act.item),
    "hold": lambda act, told, later: commands.PlaceHold(
        **told, kind=HOLDS[act.number % 3], reason="asked", until=later if act.number % 2 else None
    ),
    "release": lambda act, told, _: commands.ReleaseHold(**told, kind=HOLDS[act.number % 3]),
    "next-date": lambda _, told, later: commands.SetNextDate(**told, next_on=later),
    "conversation": lambda _, told, __: commands.AddNote(**told, kind="conversation", text="spoke"),
    "approve": lambda act, told, _: commands.ApproveReminder(
        **told, reminder=LATEST, now_because="asked" if act.number % 2 else ""
    ),
    "edit": lambda act, told, later: commands.EditReminder(
        **told,
        reminder=LATEST,
        channels=("letter",) if act.number % 2 else None,
        drop_items=(act.item,) if act.number % 3 else (),
        next_on=later if act.number > 6 else None,
    ),
    "drop": lambda _, told, __: commands.DropReminder(**told, reminder=LATEST),
    "call-back": lambda _, told, __: commands.CancelReminder(**told, reminder=LATEST),
    "undo": lambda act, told, _: UndoReminder(
        **told, reminder=LATEST, what=cast("Any", ("approval", "changes", "drop")[act.number % 3])
    ),
    "send-now": lambda act, told, _: commands.SendNow(**told, because="asked" if act.number % 2 else ""),
    "task": lambda act, told, _: commands.CompleteTask(
        **told,
        task=("step/default/3/2", "step/default/4/0", "step/other/1/0")[act.number % 3],
        outcome="skipped" if act.number % 2 else "done",
    ),
    "mode": lambda act, told, _: commands.SetMode(**told, mode="manual" if act.number < 3 else "automatic"),
}
FACTS: dict[str, Callable[[Act, dict[str, Any], datetime.date, int], SourceEvent]] = {
    "invoice": lambda act, told, later, _: events.InvoiceIssued(
        **told, document=act.item, currency="USD", amount="100.00", due_date=later
    ),
    "payment": lambda act, told, _, __: events.PaymentReceived(
        **told,
        payment=f"P-{act.item}",
        currency="USD",
        amount="100.00",
        lines=(events.PaymentLine(document=act.item),),
    ),
    "part-payment": lambda act, told, _, index: events.PaymentReceived(
        **told, payment=f"Q-{index}", currency="USD", amount=f"{act.number + 1}.00"
    ),
    "reverse": lambda act, told, _, __: events.PaymentReversed(**told, payment=f"P-{act.item}"),
    "amend": lambda act, told, later, index: events.InvoiceAmended(
        **told, document=act.item, revision=index + 1, due_date=later
    ),
    "amend-plan": lambda act, told, _, index: events.InvoiceAmended(
        **told, document=act.item, revision=index + 1, plan=("default", "other", "unheard-of")[act.number % 3]
    ),
    "opened": lambda act, told, later, _: events.ItemOpened(
        **told,
        document=act.item,
        currency="USD",
        amount="100.00",
        open_amount="90.00",
        issue_date=later,
        due_date=later,
        level=("courtesy", "first", "third", "elsewhere")[act.number % 4],
        last_reminder_on=later,
    ),
    "cancel": lambda act, told, _, __: events.InvoiceCancelled(**told, document=act.item),
    "customer": lambda act, told, _, __: events.CustomerUpserted(
        **told,
        name="C1",
        contacts=(
            events.Contact(email=f"{act.number}@c1.test", address=("Street 1",) if act.number % 2 else ()),
        ),
        plan="other" if act.number == 9 else "",
    ),
}


def profile(company: dict[str, Any], *, number: int) -> commands.ConfigureCompany:
    """Make one of several profiles."""
    return commands.ConfigureCompany(
        **company,
        name="Acme",
        time_zone=("UTC", "America/Santiago")[number % 2],
        currency="USD",
        min_days_between_contacts=number % 4,
        minimums={"USD": "60.00"} if number > 6 else {},
        courtesies=number != 5,
        raise_all_to_max=number == 2,
        automatic=number != 4,
        past_from=START if number == 3 else None,
        country="CL",
        invoice_messages=number % 2 == 1,
        payment_messages=number > 5,
        statements="weekly" if number % 3 == 0 else "off",
        late_charges=("off", "claim", "show")[number % 3],
        returned_payment_fees={"USD": "7.00"},
        money_pays=("principal_first", "costs_first")[number // 3 % 2],
        tolerances={"USD": "5.00"} if number == 8 else {},
        credit_policy=("net", "net", "hold", "ignore")[number % 4],
    )


def play(stage: Stage, act: Act, *, index: int, day: datetime.date) -> None:
    """Let an act happen, then the day's tick, twice; then the notifier answers, or not."""
    if act.verb == "outcome":
        answer(stage, act, day=day, facts=[])
    else:
        stage.fold(about_latest(stage, event_of(act, index=index, day=day)))
    tick = TickPassed(
        at=datetime.datetime.combine(day, datetime.time(15, index), tzinfo=datetime.UTC),
        mode="played",
        lagging=("billing.payment.v1",) if act.number == 8 else (),
    )
    facts = stage.fold(tick)
    assert [] == stage.fold(tick), "R26: a second look at one instant decides nothing new"
    answer(stage, act, day=day, facts=facts)
    _hold_true(stage)


def answer(stage: Stage, act: Act, *, day: datetime.date, facts: list[LedgerFact]) -> None:
    """Answer for what is on its way, as the act says."""
    for fact in facts:
        if isinstance(fact, ReminderDecided):
            stage.latest[fact.account] = fact.id
    row = stage.partition.account("acme:C1").row
    reminder = stage.partition.account("acme:C1").reminders.get(row.open_reminder)
    if reminder is None or not act.answer:
        return
    for channel in list(reminder.deliveries)[: 1 + act.number % 3]:
        stage.fold(
            OutcomeReported(
                company="acme",
                customer="C1",
                occurred_at=day.isoformat(),
                reminder=reminder.reminder,
                channel=channel,  # type: ignore[arg-type]  # the delivery's own
                status=act.answer,
                error_type="template_error" if act.number % 2 else "address_refused",
            )
        )


# A level is on its way, and nobody knows whether it arrives, on the day from which the item's age asks for a later one.
BY_AGE_ON_ITS_WAY = [
    Act(after_days=20, verb="invoice", item="INV-2", number=5, answer=""),
    Act(after_days=10, verb="include", item="INV-2", number=1, answer="unknown"),
    Act(after_days=2, verb="include", item="INV-2", number=1, answer=""),
]


@settings(max_examples=150, deadline=None)
@example(BY_AGE_ON_ITS_WAY, 2)
@given(st.lists(ACTS, min_size=5, max_size=40), st.integers(0, 3))
def test_every_due_step_is_sent_once_or_explained(acts: list[Act], index: int) -> None:
    """R31 over random histories: the audit finds nothing, sums and indexes are what brute force finds."""
    stage = Stage()
    plan = PLANS[index]
    stage.fold(commands.PublishPlan(company="acme", occurred_at="2026-01-01", command="plan", plan=plan))
    day = START
    for number, act in enumerate(acts):
        day += datetime.timedelta(days=act.after_days)
        play(stage, act, index=number, day=day)
    assert [] == audit_journal({0: stage.records}).problems
    assert [] == unasked(stage)


def unasked(stage: Stage) -> list[str]:
    """List what went out though it was a person's to send, and nobody had said so (R19, R20, R28, S2-14)."""
    plans = {(each.id, each.version): each for each in PLANS}
    manual, waiting, said, found = False, "", set[str](), list[str]()
    facts = iter(stage.log)
    for event in stage.told:
        if isinstance(event, commands.SetMode):
            manual = event.mode == "manual"
        elif isinstance(event, commands.ApproveReminder):
            said.add(event.reminder)
        elif isinstance(event, commands.SendNow):
            said |= {event.occurred_at, waiting}  # it approves what waits, which may go later
        elif isinstance(event, TickPassed):
            for fact in takewhile(lambda each: not isinstance(each, TickPassed), facts):
                waiting = fact.reminder if isinstance(fact, ReminderProposed) else waiting
                if isinstance(fact, ReminderDecided) and fact.items:
                    steps = [
                        step_at(plans[each.plan, each.plan_version], each.step_index) for each in fact.items
                    ]
                    is_asked = fact.id in said or fact.tick.date().isoformat() in said
                    if any(step.blocking for step in steps):
                        found.append(f"{fact.id} at {fact.tick}: a task that blocks went out")
                    if (manual or not all(step.automatic for step in steps)) and not is_asked:
                        found.append(f"{fact.id} at {fact.tick}: nobody approved it")
    return found


@settings(max_examples=40, deadline=None)
@given(st.lists(ACTS, min_size=5, max_size=25), st.integers(0, 3))
def test_worker_that_takes_over_anywhere_goes_on_as_the_other(acts: list[Act], index: int) -> None:
    """R4: wake times, indexes and decisions are functions of the rows alone."""
    plan = commands.PublishPlan(company="acme", occurred_at="2026-01-01", command="plan", plan=PLANS[index])
    stages = (Stage(), Stage(restores=True))
    for stage in stages:
        stage.fold(plan)
        day = START
        for number, act in enumerate(acts):
            day += datetime.timedelta(days=act.after_days)
            play(stage, act, index=number, day=day)
    assert stages[0].log == stages[1].log
    assert stages[0].partition.rows() == stages[1].partition.rows()

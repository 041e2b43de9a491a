"""Random histories of what is arranged with a customer: what is held is never asked for, and nothing is lost (R15)."""

import datetime
from collections.abc import Callable
from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from processors.arrangements import asked_minor
from processors.audit import audit_journal
from processors.holds import account_hold
from schemas import commands, events
from schemas.answers import AnswerKind, AnswerSaid, GiveAnswer
from schemas.facts import LedgerFact, ReminderDecided
from schemas.journal import SourceEvent, TickPassed
from tests.processors.test_decide_properties import ITEMS, PLANS, START, Act, answer
from tests.processors.test_decide_properties import event_of as plain_event_of
from tests.scenarios.on_core import Stage, _hold_true

_PLAIN = ("payment", "part-payment", "reverse", "amend", "cancel", "exclude", "include", "next-date")
_KINDS: tuple[commands.HoldKind, ...] = ("legal_hold", "do_not_contact", "blocked", "snoozed")
KINDS: tuple[AnswerKind, ...] = get_args(AnswerKind)
Maker = Callable[[Act, dict[str, Any], datetime.date, int], SourceEvent]


def _amount(act: Act) -> str | None:
    return None if act.number % 3 == 0 else f"{15 * act.number}.00"


MAKERS: dict[str, Maker] = {
    "hold": lambda act, told, later, _: commands.PlaceHold(
        **told, kind=_KINDS[act.number % 4], reason="asked", until=later if act.number % 2 else None
    ),
    "release": lambda act, told, _, __: commands.ReleaseHold(**told, kind=_KINDS[act.number % 4]),
    "promise": lambda act, told, later, _: commands.MakePromise(
        **told, due_on=later, amount=_amount(act), documents=(act.item,) if act.number == 4 else ()
    ),
    "withdraw": lambda act, told, _, index: commands.WithdrawPromise(
        **told, promise=f"command-{index - 1 - act.number % 3}"
    ),
    "dispute": lambda act, told, _, __: commands.OpenDispute(
        **told | {"command": f"dispute-{act.item}"}, document=act.item, reason="broken", amount=_amount(act)
    ),
    "rule": lambda act, told, _, __: commands.RuleDispute(
        **told,
        dispute=f"dispute-{act.item}",
        ruling="credited" if act.number % 2 else "rejected",
        amount="20.00" if act.number == 5 else None,
    ),
    "plan": lambda act, told, later, _: commands.MakePaymentPlan(
        **told | {"command": f"plan-{act.item}-{act.number}"},
        document=act.item,
        first_on=later,
        count=2 + act.number % 3,
        every="week",
    ),
    "end-plan": lambda act, told, _, __: commands.CancelPaymentPlan(
        **told, payment_plan=f"plan-{act.item}-{act.number}"
    ),
    "exclude-payment": lambda act, told, _, __: commands.ExcludePayment(
        **told, payment=f"P-{act.item}", reason="unclear"
    ),
    "include-payment": lambda act, told, _, __: commands.IncludePayment(**told, payment=f"P-{act.item}"),
    "answer": lambda act, told, later, _: GiveAnswer(
        **told,
        reminder="r",
        channel="email",
        said=AnswerSaid(
            kind=KINDS[act.number % len(KINDS)],
            documents=(act.item, "NOBODYS") if act.number % 2 else (),
            on=later,
            reason="broken",
        ),
    ),
    "opt-out": lambda _, told, __, ___: commands.OptOut(**told, channel="email"),
    "opt-in": lambda _, told, __, ___: commands.OptIn(**told, channel="email"),
}
FACTS: dict[str, Maker] = {
    "cheque": lambda act, told, later, _: events.PaymentReceived(
        **told,
        payment=f"C-{act.item}",
        currency="USD",
        amount=_amount(act) or "80.00",
        means="cheque",
        state="received",
        payable_on=later,
        lines=(events.PaymentLine(document=act.item),) if act.number % 2 else (),
    ),
    "state": lambda act, told, _, __: events.PaymentStateChanged(
        **told, payment=f"C-{act.item}", state=("deposited", "cleared", "returned")[act.number % 3]
    ),
    "note": lambda act, told, _, index: events.CreditNoteIssued(
        **told, document=f"N-{index}", invoice=act.item, currency="USD", amount=_amount(act) or "10.00"
    ),
    "invoice": lambda act, told, later, _: events.InvoiceIssued(
        **told, document=act.item, currency="USD", amount="100.00", due_date=later
    ),
}
ACTS = st.builds(
    Act,
    after_days=st.sampled_from((0, 0, 1, 1, 2, 3, 6, 15)),
    verb=st.sampled_from(
        [*_PLAIN, *MAKERS, *FACTS, "invoice", "invoice", "invoice", "promise", "plan", "outcome"]
    ),
    item=st.sampled_from(ITEMS[:3]),
    number=st.integers(0, 9),
    answer=st.sampled_from(("accepted", "accepted", "accepted", "failed", "superseded", "")),
)


def event_of(act: Act, *, index: int, day: datetime.date) -> SourceEvent:
    """Make the event of an act; ids repeat, so that arrangements meet."""
    told: dict[str, Any] = {"company": "acme", "customer": "C1", "occurred_at": day.isoformat()}
    later = day + datetime.timedelta(days=act.number * 3 - 6)
    if act.verb in MAKERS:
        return MAKERS[act.verb](act, told | {"command": f"command-{index}"}, later, index)
    if act.verb in FACTS:
        return FACTS[act.verb](act, told, later, index)
    return plain_event_of(act, index=index, day=day)


def play(stage: Stage, act: Act, *, index: int, day: datetime.date) -> list[LedgerFact]:
    """Let an act happen, then the day's tick, twice; then the notifier answers, or not."""
    if act.verb == "outcome":
        answer(stage, act, day=day, facts=[])
    else:
        stage.fold(event_of(act, index=index, day=day))
    at = datetime.datetime.combine(day, datetime.time(15, index), tzinfo=datetime.UTC)
    tick = TickPassed(at=at, mode="played")
    facts = stage.fold(tick)
    assert [] == stage.fold(tick), "R26: a second look at one instant decides nothing new"
    _ask_for_nothing_that_is_held(stage, facts, day=day)
    _count_the_money_of_promises(stage)
    answer(stage, act, day=day, facts=facts)
    _hold_true(stage)
    return facts


def _ask_for_nothing_that_is_held(stage: Stage, facts: list[LedgerFact], *, day: datetime.date) -> None:
    """R15: nobody is written to under a hold; each item named has something to ask for, and the total is that."""
    account = stage.partition.account("acme:C1")
    for fact in facts:
        if not isinstance(fact, ReminderDecided) or not fact.items:
            continue
        assert account_hold(account, day) is None
        asked = {each.item: asked_minor(account, account.items[each.item]) for each in fact.items}
        assert all(asked.values())
        assert asked == {each.item: each.open_minor - each.held_minor for each in fact.items}
        assert sum(asked.values()) == sum(total.amount_minor for total in fact.totals)


def _count_the_money_of_promises(stage: Stage) -> None:
    """R35: what a promise counts is what all payments dated for it bring now."""
    account = stage.partition.account("acme:C1")
    for row in account.arranged().promises.values():
        received_minor = sum(
            credit.effective_minor
            for credit in account.credits.values()
            if credit.credit_kind == "payment"
            and credit.order > row.order
            and row.made_on <= credit.received_on <= row.until
        )
        assert received_minor == row.received_minor


@settings(max_examples=60, deadline=None)
@given(st.lists(ACTS, min_size=5, max_size=35), st.integers(0, 1))
def test_what_is_held_is_never_asked_for_and_every_step_is_explained(acts: list[Act], index: int) -> None:
    """R15, R25, R29, R31, R35: over random histories the audit finds nothing, sums and indexes are brute force's."""
    stage = Stage()
    plan = PLANS[index]
    stage.fold(commands.PublishPlan(company="acme", occurred_at="2026-01-01", command="plan", plan=plan))
    day = START
    for number, act in enumerate(acts):
        day += datetime.timedelta(days=act.after_days)
        play(stage, act, index=number, day=day)
    assert [] == audit_journal({0: stage.records}).problems


@settings(max_examples=25, deadline=None)
@given(st.lists(ACTS, min_size=5, max_size=25), st.integers(0, 1))
def test_worker_that_takes_over_anywhere_goes_on_as_the_other(acts: list[Act], index: int) -> None:
    """R4, DESIGN 3: promises, disputes, plans and cheques are in the rows alone."""
    stages = (Stage(), Stage(restores=True))
    plan = commands.PublishPlan(company="acme", occurred_at="2026-01-01", command="plan", plan=PLANS[index])
    for stage in stages:
        stage.fold(plan)
        day = START
        for number, act in enumerate(acts):
            day += datetime.timedelta(days=act.after_days)
            play(stage, act, index=number, day=day)
    assert stages[0].log == stages[1].log
    assert stages[0].partition.rows() == stages[1].partition.rows()

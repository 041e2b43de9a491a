"""What a reader of a message may bring about by himself (S4-17): little, for few days, once, and all of it said."""

import datetime
from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.answers import AnswerGiven, AnswerKind, AnswerSaid, GiveAnswer, Placed
from schemas.commands import ConfigureCompany, PublishPlan
from schemas.events import Contact, CustomerUpserted, InvoiceIssued
from schemas.facts import LedgerFact, ReminderDecided, TaskOpened
from schemas.journal import TickPassed
from schemas.plans import Action, Plan, Step
from tests.scenarios.on_core import Stage

DUE = datetime.date(2026, 2, 2)
PROFILE = ConfigureCompany(
    company="acme",
    occurred_at="2026-01-01",
    command="profile",
    name="Acme",
    time_zone="UTC",
    currency="USD",
    answers_to=("desk@acme.test",),
)
PLAN = Plan(
    id="default",
    version=1,
    steps=tuple(
        Step(name=name, offset_days=days, actions=(Action(channel="email"),))
        for name, days in (("first", 0), ("second", 15), ("third", 30), ("fourth", 45))
    ),
)


def staged(profile: ConfigureCompany = PROFILE) -> Stage:
    """Give a customer with three invoices who was written to on their due date."""
    stage = Stage()
    stage.fold(profile)
    stage.fold(PublishPlan(company="acme", occurred_at="2026-01-01", command="plan", plan=PLAN))
    whose: dict[str, Any] = {"company": "acme", "customer": "C1", "occurred_at": "2026-01-02"}
    contact = Contact(email="ana@c1.test", address=("Calle 1", "Santiago"))
    stage.fold(CustomerUpserted(**whose, name="C1", kind="business", contacts=(contact,)))
    for number in range(3):
        stage.fold(
            InvoiceIssued(**whose, document=f"INV-{number}", amount="10.00", currency="USD", due_date=DUE)
        )
    tick(stage, DUE)
    return stage


def tick(stage: Stage, day: datetime.date) -> list[LedgerFact]:
    """Let a day's tick pass; mails are accepted."""
    at = datetime.datetime.combine(day, datetime.time(9), datetime.UTC)
    facts = stage.fold(TickPassed(at=at, mode="played"))
    for each in [fact for fact in facts if isinstance(fact, ReminderDecided)]:
        stage.latest[each.account] = each.id
        facts += stage.send(each, at=at)
    return facts


def answer(stage: Stage, said: AnswerSaid, *, day: datetime.date, name: str) -> list[LedgerFact]:
    """Have the reader of the latest message answer it."""
    return stage.fold(
        GiveAnswer(
            company="acme",
            customer="C1",
            occurred_at=day.isoformat(),
            command=name,
            author="reader",
            reminder=stage.latest["acme:C1"],
            channel="email",
            said=said,
        )
    )


def placed(facts: list[LedgerFact]) -> tuple[Placed, ...]:
    """Give what was done at once."""
    [given] = [fact for fact in facts if isinstance(fact, AnswerGiven)]
    return given.placed


ANSWERS = st.builds(
    AnswerSaid,
    kind=st.sampled_from(get_args(AnswerKind)),
    documents=st.lists(st.sampled_from(("INV-0", "INV-1", "INV-2", "NOBODYS")), unique=True).map(tuple),
    on=st.dates(min_value=DUE - datetime.timedelta(days=40), max_value=DUE + datetime.timedelta(days=400)),
    amount=st.sampled_from((None, "5.00", "1000000.00")),
    currency=st.sampled_from(("USD", "EUR")),
    reason=st.text(max_size=200),
    text=st.text(max_size=300),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(ANSWERS, st.integers(0, 9)), min_size=1, max_size=8))
def test_whatever_readers_answer_money_stays_and_dunning_goes_on(
    answers: list[tuple[AnswerSaid, int]],
) -> None:
    """No cent moves, nothing is forgotten twice, and whoever disputes nothing hears from us again within bounds."""
    stage = staged()
    day = DUE
    for number, (said, days) in enumerate(answers):
        day += datetime.timedelta(days=days)
        facts = answer(stage, said, day=day, name=f"reader/{number}")
        assert 1 == len([fact for fact in facts if isinstance(fact, AnswerGiven)])
        assert 1 == len([fact for fact in facts if isinstance(fact, TaskOpened)])
        assert [] == answer(stage, said, day=day, name=f"reader/{number}")
        tick(stage, day)
    account = stage.partition.account("acme:C1")
    assert {"USD": 3000} == {name: sums.open_minor for name, sums in account.row.balances.items()}
    holds = [hold for hold in account.holds.values() if hold.until is None]
    assert [] == holds
    disputed = set() if account.arrangements is None else {*account.arrangements.disputed}
    named: set[str] = set()
    for later in range(60):
        facts = tick(stage, day + datetime.timedelta(days=later))
        named |= {each.item for fact in facts if isinstance(fact, ReminderDecided) for each in fact.items}
    finished = {name for name, item in account.items.items() if item.step == len(PLAN.steps) - 1}
    assert account.items.keys() == named | finished | disputed


def test_a_dispute_says_who_and_when_it_is_looked_at_again() -> None:
    """It is the reader's word, for two weeks: then it stands among the holds to review."""
    stage = staged()
    said = AnswerSaid(
        kind="dispute",
        documents=("INV-1",),
        reason="Faulty",
        text="wet",
        amount="4.00",
        currency="USD",
    )
    assert ("disputes",) == placed(answer(stage, said, day=DUE, name="reader/1"))
    arranged = stage.partition.account("acme:C1").arranged()
    [row] = arranged.disputes.values()
    assert ("reader", "Faulty – wet", 400) == (row.author, row.reason, row.amount_minor)
    assert DUE + datetime.timedelta(days=14) == row.review_on
    # What is disputed already is not disputed twice.
    assert () == placed(answer(stage, replace(said, text="x"), day=DUE, name="reader/2"))


def test_a_rest_does_not_shorten_what_a_person_has_set() -> None:
    """A date by hand stands, whatever a reader says."""
    from schemas.commands import SetNextDate

    stage = staged()
    stage.fold(
        SetNextDate(
            company="acme",
            customer="C1",
            occurred_at="2026-02-02",
            command="d",
            next_on=datetime.date(2026, 3, 1),
        )
    )
    said = AnswerSaid(kind="paid", on=DUE)
    assert () == placed(answer(stage, said, day=DUE, name="reader/1"))
    hold = stage.partition.account("acme:C1").holds["snoozed"]
    assert (True, datetime.date(2026, 3, 1)) == (hold.by_hand, hold.until)


def test_without_addresses_the_task_is_all() -> None:
    """A company that wants no mails gets none."""
    stage = staged(replace(PROFILE, answers_to=()))
    facts = answer(stage, AnswerSaid(kind="other", text="call me"), day=DUE, name="reader/1")
    assert [AnswerGiven, TaskOpened] == [type(fact) for fact in facts]
    assert {} == stage.partition.account("acme:C1").messages


def test_a_promise_is_of_what_was_named_and_is_open() -> None:
    """A document that is settled or not here is no promise of all the rest."""
    stage = staged()
    said = AnswerSaid(kind="will_pay", documents=("NOBODYS",), on=DUE + datetime.timedelta(days=3))
    facts = answer(stage, said, day=DUE, name="reader/1")
    assert (((), [AnswerGiven, TaskOpened])) == (placed(facts), [type(fact) for fact in facts])
    both = replace(said, documents=("NOBODYS", "INV-1"))
    assert ("promise",) == placed(answer(stage, both, day=DUE, name="reader/2"))
    promised = {name for name, item in stage.partition.account("acme:C1").items.items() if item.promise}
    assert {"INV-1"} == promised

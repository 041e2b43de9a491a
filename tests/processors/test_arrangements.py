"""What is arranged with a customer, where no story tells it: names of what was split, limits, what is forgotten."""

import datetime
from typing import Any

from processors.account import Account
from processors.company import Company
from processors.fold import fold
from processors.instalment_names import with_instalments
from schemas.commands import (
    ConfigureCompany,
    ExcludeItem,
    IncludeItem,
    MakePaymentPlan,
    MakePromise,
    OpenDispute,
    PublishPlan,
)
from schemas.events import CustomerUpserted, InvoiceIssued
from schemas.facts import ExceptionRaised, PromiseMade
from schemas.journal import JournalEvent, TickPassed
from schemas.plans import Action, Plan, Step
from schemas.rows import Name
from tests.processors.story import COMPANY, CUSTOMER, Story
from tests.scenarios.on_core import Stage

PLAIN: dict[str, Any] = {"company": COMPANY, "customer": CUSTOMER}
ASKED: dict[str, Any] = {"company": COMPANY, "customer": CUSTOMER, "author": "ana"}


def split_story() -> Story:
    """INV of 90.00 in three instalments of 30.00."""
    story = Story()
    story.invoice("INV", "90.00")
    story.tell(
        MakePaymentPlan(
            **ASKED,
            occurred_at="2024-01-02",
            command="plan",
            document="INV",
            first_on=datetime.date(2024, 2, 1),
            count=3,
        )
    )
    return story


def names(account: Account, *, limit_minor: int | None) -> list[tuple[str, int | None]]:
    """Give what a credit that names INV is meant for."""
    found = with_instalments(account, [Name(document="INV", limit_minor=limit_minor)])
    return [(name.document, name.limit_minor) for name in found]


def test_a_named_invoice_means_its_instalments_oldest_first() -> None:
    """R25: without an amount each; with one, each gets its part, and the item what they do not take."""
    account = split_story().account
    parts = ["INV 1/3", "INV 2/3", "INV 3/3"]
    assert [*((part, None) for part in parts), ("INV", None)] == names(account, limit_minor=None)
    assert [("INV 1/3", 3000), ("INV 2/3", 1000)] == names(account, limit_minor=4000)
    assert [*((part, 3000) for part in parts), ("INV", 1000)] == names(account, limit_minor=10000)


def test_splitting_moves_no_money() -> None:
    """SEMANTICS section 3: Σ open stays; a payment of the whole invoice settles all parts."""
    story = split_story()
    assert 9000 == story.account.balance("USD").open_minor
    story.pay("P", "90.00", "INV", on="01-03")
    assert (0, 0) == (story.account.balance("USD").open_minor, story.account.balance("USD").credit_minor)


def test_a_promise_covers_no_more_than_is_open() -> None:
    """R35: more promised than is owed covers all; nothing owed covers nothing, and is refused."""
    story = Story()
    promise = MakePromise(
        **ASKED, occurred_at="2024-01-02", command="p1", due_on=datetime.date(2024, 2, 1), amount="500.00"
    )
    (refused,) = story.tell(promise)
    assert isinstance(refused, ExceptionRaised)
    story.invoice("INV", "90.00")
    (made,) = [
        fact
        for fact in story.tell(
            MakePromise(
                **ASKED,
                occurred_at="2024-01-03",
                command="p2",
                due_on=datetime.date(2024, 2, 1),
                amount="500.00",
            )
        )
        if isinstance(fact, PromiseMade)
    ]
    assert (("INV",), 50000) == (made.items, made.amount_minor)


def test_a_dispute_of_an_invoice_that_is_not_known_yet_waits_for_it() -> None:
    """SEMANTICS 2.3: nothing is lost for coming early."""
    story = Story()
    dispute = OpenDispute(
        **ASKED, occurred_at="2024-01-02", command="d1", document="INV", reason="never came"
    )
    assert [] == story.tell(dispute)
    said = story.invoice("INV", "90.00")
    assert "DisputeOpened" in [type(fact).__name__ for fact in said]


def test_a_limit_in_no_known_currency_is_refused_and_breaks_nothing() -> None:
    """B-15: the company's currency is not known yet; said to a person, never a quarantine."""
    account = Account("acme:c-1")
    event = CustomerUpserted(**PLAIN, occurred_at="2024-01-01", name="C", credit_limit="100")
    (refused,) = fold(account, event, cause="e1", company=Company("acme"))
    assert isinstance(refused, ExceptionRaised)
    assert ("amount_refused", None) == (refused.reason, account.row.limit_minor)


def test_accounts_whose_items_are_all_held_are_marked_until_one_is_not() -> None:
    """R15: a report lists them; the mark is the account's, as of the last look."""
    stage = Stage()
    step = Step(name="first", offset_days=0, actions=(Action(channel="email"),))
    plan = Plan(id="default", version=1, steps=(step,))
    told: dict[str, Any] = {"company": "acme", "customer": "C1"}
    stage.fold(PublishPlan(company="acme", occurred_at="2026-01-01", command="plan", plan=plan))
    for name in ("A", "B"):
        stage.fold(
            InvoiceIssued(
                **told,
                occurred_at="2026-01-02",
                document=name,
                currency="USD",
                amount="10.00",
                due_date=datetime.date(2026, 1, 10),
            )
        )
    marks = []
    events: tuple[JournalEvent, ...] = (
        ExcludeItem(**told, occurred_at="2026-01-11", command="x1", document="A", reason="r"),
        ExcludeItem(**told, occurred_at="2026-01-12", command="x2", document="B", reason="r"),
        IncludeItem(**told, occurred_at="2026-01-13", command="x3", document="A"),
    )
    for number, event in enumerate(events):
        stage.fold(event)
        at = datetime.datetime(2026, 1, 11 + number, 12, tzinfo=datetime.UTC)
        stage.take(TickPassed(at=at, mode="played"))
        marks.append(stage.partition.account("acme:C1").row.is_all_held)
    assert [False, True, False] == marks


def test_a_judged_promise_is_forgotten_a_retention_later() -> None:
    """Forgetting: a promise of years ago is no row for ever; until then late money may still make it kept."""
    stage = Stage()
    stage.take(
        ConfigureCompany(
            company=COMPANY, occurred_at="2024-01-01", command="p", name="Acme", time_zone="UTC", currency="USD",
            retention_days=400,
        )
    )  # fmt: skip
    due_on = datetime.date(2024, 2, 1)
    stage.take(
        InvoiceIssued(
            **PLAIN, occurred_at="2024-01-02", document="INV", currency="USD", amount="9.00", due_date=due_on
        )
    )
    stage.take(TickPassed(at=datetime.datetime(2024, 1, 3, 9, tzinfo=datetime.UTC), mode="played"))
    stage.take(MakePromise(**ASKED, occurred_at="2024-01-03", command="word", due_on=due_on))
    at = datetime.datetime(2024, 2, 4, 9, tzinfo=datetime.UTC)
    found = []
    for days in (0, 399, 400):
        stage.take(TickPassed(at=at + datetime.timedelta(days=days), mode="played"))
        arranged = stage.partition.account(f"{COMPANY}:{CUSTOMER}").arrangements
        found.append(None if arranged is None or not arranged.promises else arranged.promises["word"].status)
    assert ["broken", "broken", None] == found

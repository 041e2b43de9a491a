"""Forgetting what was settled long ago (SEMANTICS 2.2): in a credit controller's words."""

import datetime
from typing import Any

import pytest

from processors import purge as purge_module
from processors.partition import Partition
from schemas import commands, events
from schemas.facts import ExceptionRaised, LedgerFact, Movement
from schemas.journal import TickPassed
from schemas.plans import Action, Plan, Step
from schemas.rows import decode_key
from tests.processors.test_large_accounts import operations
from tests.scenarios.on_core import Stage, _hold_true

ACCOUNT = "acme:C1"
FAR = datetime.date(2030, 1, 1)
WHO: dict[str, Any] = {"company": "acme", "customer": "C1"}
PLAN = Plan(
    id="default",
    version=1,
    steps=(Step(name="first", offset_days=1, actions=(Action(channel="task", summary="Call"),)),),
)


class Books:
    """The books of one customer; days are ``YYYY-MM-DD``, amounts text."""

    def __init__(self, *, retention_days: int = 400, restores: bool = False) -> None:
        self.stage = Stage(restores=restores)
        told: dict[str, Any] = {"company": "acme", "occurred_at": "2024-01-01"}
        self.stage.fold(commands.PublishPlan(**told, command="plan", plan=PLAN))
        self.stage.fold(
            commands.ConfigureCompany(
                **told,
                command="profile",
                name="Acme",
                time_zone="UTC",
                currency="USD",
                retention_days=retention_days,
            )
        )
        self.tick("2024-01-01")

    def tick(self, day: str) -> list[LedgerFact]:
        """A day's decisions are taken; the notifier accepts."""
        at = datetime.datetime.fromisoformat(f"{day}T09:00:00+00:00")
        facts = self.stage.take(TickPassed(at=at, mode="played"))
        _hold_true(self.stage)
        return facts

    def invoice(
        self, document: str, amount: str = "100.00", *, on: str, due: str = "2030-01-01"
    ) -> list[LedgerFact]:
        """An invoice is issued."""
        return self.tell(
            events.InvoiceIssued(
                **WHO,
                occurred_at=on,
                document=document,
                currency="USD",
                amount=amount,
                due_date=datetime.date.fromisoformat(due),
            )
        )

    def pay(self, payment: str, amount: str, *documents: str, on: str) -> list[LedgerFact]:
        """Money comes in for some invoices."""
        lines = tuple(events.PaymentLine(document=each) for each in documents)
        return self.tell(
            events.PaymentReceived(
                **WHO, occurred_at=on, payment=payment, currency="USD", amount=amount, lines=lines
            )
        )

    def reverse(self, payment: str, *, on: str) -> list[LedgerFact]:
        """A payment bounces."""
        return self.tell(events.PaymentReversed(**WHO, occurred_at=on, payment=payment))

    def amend(self, document: str, *, on: str) -> list[LedgerFact]:
        """An invoice gets a reference."""
        return self.tell(
            events.InvoiceAmended(**WHO, occurred_at=on, document=document, revision=1, reference="mended")
        )

    def tell(self, event: events.BillingEvent | commands.AddNote | commands.ExcludeItem) -> list[LedgerFact]:
        """Fold an event, and check the whole account."""
        facts = self.stage.fold(event)
        _hold_true(self.stage)
        return facts

    def kinds(self) -> dict[str, int]:
        """Count the account's rows by kind, without its header."""
        counted: dict[str, int] = {}
        for key in self.stage.partition.rows():
            kind, owner, _ = decode_key(key)
            if owner == ACCOUNT and kind != "account":
                counted[kind] = counted.get(kind, 0) + 1
        return counted

    @property
    def account(self) -> Any:
        """The account as it stands."""
        return self.stage.partition.account(ACCOUNT)


def reasons(facts: list[LedgerFact]) -> list[str]:
    """Give the reasons of exceptions."""
    return [fact.reason for fact in facts if isinstance(fact, ExceptionRaised)]


def settled(books: Books) -> None:
    """An invoice of 2 January 2024 is amended, excluded, reminded of, and paid on 10 February."""
    books.invoice("A", on="2024-01-02", due="2024-01-10")
    books.amend("A", on="2024-01-03")
    books.tick("2024-01-12")
    books.tell(
        commands.ExcludeItem(**WHO, occurred_at="2024-01-20", command="ex", document="A", reason="claim")
    )
    books.pay("P", "100.00", "A", on="2024-02-10")
    books.tick("2024-02-10")


def test_what_was_settled_400_days_ago_is_forgotten_with_all_that_belongs_to_it() -> None:
    """Invoice, payment, application, amendment, exclusion, reminder: no row is left; the sums stand."""
    books = Books()
    settled(books)
    assert {"item": 1, "credit": 1, "application": 1, "hold": 1, "reminder": 1, "seen": 2} == books.kinds()
    books.tick("2025-03-12")
    assert 1 == books.kinds()["item"], "399 days since it was paid, and seen to be, on 10 February 2024"
    books.tick("2025-03-16")
    assert {} == books.kinds()
    row = books.account.row
    assert (0, 0) == (row.balances["USD"].open_minor, row.balances["USD"].credit_minor)
    assert datetime.date(2024, 2, 10) == row.purged_through
    assert (None, None) == (row.purge_on, row.wake_at_s)


def test_an_account_with_nothing_left_to_forget_sleeps() -> None:
    """R4: it wakes for the day on which something may be forgotten, and then no more."""
    books = Books()
    books.invoice("A", on="2024-01-02")
    books.pay("P", "100.00", "A", on="2024-01-03")
    wake_at = datetime.datetime(2025, 2, 6, 8, tzinfo=datetime.UTC)  # 400 days after it was paid
    assert wake_at.timestamp() == books.account.row.wake_at_s
    books.tick("2025-02-10")
    assert None is books.account.row.wake_at_s


def test_a_copy_of_a_forgotten_invoice_does_not_come_back_to_life() -> None:
    """SEMANTICS 2.2: it is said once, whoever sends the old file again, and nothing changes."""
    books = Books()
    settled(books)
    books.tick("2025-03-20")
    before = books.stage.partition.rows()
    for _ in range(2):
        again = books.invoice("A", on="2024-01-02", due="2024-01-10")
        again += books.pay("P", "100.00", "A", on="2024-02-10")
        again += books.amend("A", on="2024-01-03")
        assert ["too_old"] * 3 == reasons(again)
        assert ["item/A", "payment/P", "amended/A/1"] == [
            fact.key for fact in again if isinstance(fact, ExceptionRaised)
        ]
        assert 3 == len({fact.id for fact in again})
    assert before == books.stage.partition.rows()


def test_a_request_that_was_forgotten_is_not_carried_out_again() -> None:
    """An exclusion of last year that is sent again excludes nothing."""
    books = Books()
    settled(books)
    books.tick("2025-03-20")
    again = commands.ExcludeItem(**WHO, occurred_at="2024-01-20", command="ex", document="A", reason="claim")
    assert ["too_old"] == reasons(books.tell(again))
    assert {} == books.account.holds


def test_nothing_forgotten_nothing_is_too_old() -> None:
    """An invoice of ten years ago is taken by an account that has forgotten nothing."""
    books = Books()
    books.invoice("A", on="2014-01-02", due="2014-02-01")
    assert 10_000 == books.account.items["A"].open_minor


def test_what_is_known_can_be_spoken_of_however_old() -> None:
    """An old open invoice is amended with an old date, although others of its time are forgotten."""
    books = Books()
    books.invoice("OPEN", on="2024-01-02")
    settled(books)
    books.tick("2025-03-20")
    assert [] == reasons(books.amend("OPEN", on="2024-01-05"))
    assert "mended" == books.account.items["OPEN"].reference


def test_old_invoices_brought_in_today_are_kept_from_today_on() -> None:
    """Going live with paid invoices of five years ago: the rest of the import is not refused tomorrow."""
    books = Books()
    books.tick("2025-05-01")
    books.invoice("OLD", on="2020-01-02")
    books.pay("P", "100.00", "OLD", on="2020-02-02")
    books.tick("2025-05-02")
    assert [] == reasons(books.invoice("OLDER", on="2019-01-02"))
    books.tick("2026-06-05")
    assert ["OLDER"] == list(books.account.items)


def test_what_came_before_the_first_tick_is_kept_from_the_first_tick_on() -> None:
    """An import before the clock was ever started is no older than the clock."""
    stage = Stage()
    stage.fold(
        events.InvoiceIssued(**WHO, occurred_at="2020-01-02", document="A", currency="USD", amount="1.00")
    )
    stage.fold(events.InvoiceCancelled(**WHO, occurred_at="2020-01-03", document="A"))
    for day, items in (("2024-01-01", 1), ("2025-02-03", 1), ("2025-02-04", 0)):
        at = datetime.datetime.fromisoformat(f"{day}T09:00:00+00:00")
        stage.fold(TickPassed(at=at, mode="played"))
        assert items == len(stage.partition.account(ACCOUNT).items), day


def test_a_group_goes_as_a_whole() -> None:
    """A payment for two invoices: while one of them is open, neither the other nor the payment is forgotten."""
    books = Books()
    books.invoice("A", on="2024-01-02")
    books.invoice("B", "200.00", on="2024-01-02")
    books.pay("P", "150.00", "A", "B", on="2024-01-05")
    books.tick("2026-01-01")
    assert {"item": 2, "credit": 1, "application": 2} == books.kinds()
    books.pay("Q", "150.00", "B", on="2026-01-05")
    books.tick("2026-01-05")
    books.tick("2027-02-09")
    assert {} == books.kinds()


def test_credit_that_is_left_keeps_what_it_settled() -> None:
    """A payment of 150.00 for an invoice of 100.00: 50.00 is still the customer's."""
    books = Books()
    books.invoice("A", on="2024-01-02")
    books.pay("P", "150.00", "A", on="2024-01-05")
    books.tick("2026-01-01")
    assert {"item": 1, "credit": 1, "application": 1} == books.kinds()
    assert 5_000 == books.account.row.balances["USD"].credit_minor


def test_a_payment_taken_back_by_the_bank_lets_the_rest_go() -> None:
    """The bank ends a name: the invoice that was settled otherwise is kept for its own sake from that day on."""
    books = Books()
    books.invoice("A", on="2024-01-02")
    books.pay("P", "100.00", "A", on="2024-01-05")
    books.pay("Q", "50.00", "A", on="2024-01-06")
    books.tick("2025-06-01")
    assert 1 == books.kinds()["item"], "Q names it and has 50.00 left"
    books.tell(
        events.ReconciliationRecorded(
            **WHO,
            occurred_at="2025-06-02",
            reconciliation="X",
            payment="Q",
            lines=(events.ReconciliationLine(action="unapply", document="A"),),
        )
    )
    books.tick("2026-07-10")
    assert ["payment/Q"] == list(books.account.credits)
    assert {} == books.account.items


def test_a_bounced_cheque_of_a_forgotten_payment_is_shown_to_a_person() -> None:
    """It waits, since its payment might still come; after thirty days it is said, and kept for a retention."""
    books = Books()
    settled(books)
    books.tick("2025-03-20")
    assert [] == books.reverse("P", on="2025-03-20")
    assert [] == reasons(books.tick("2025-04-18"))
    facts = books.tick("2025-04-19")
    assert ["too_old"] == reasons(facts)
    assert ["reversed/P"] == [fact.key for fact in facts if isinstance(fact, ExceptionRaised)]
    assert [] == books.tick("2025-04-20")
    assert [] == books.tick("2026-06-01")
    assert {} == books.kinds()


def test_what_waits_where_nothing_was_forgotten_waits_in_silence() -> None:
    """A reversal before its payment is no mistake, however long the payment takes."""
    books = Books()
    books.reverse("P", on="2024-01-05")
    for day in ("2024-02-05", "2024-06-05", "2025-12-01"):
        assert [] == books.tick(day)
    assert 2 == len([fact for fact in books.pay("P", "1.00", on="2024-01-04") if isinstance(fact, Movement)])


def test_the_company_says_how_long() -> None:
    """Eight hundred days, from the settlement on; a longer retention counts from its publication on."""
    books = Books(retention_days=800)
    settled(books)
    books.tick("2026-04-19")
    assert 1 == books.kinds()["item"]
    books.tick("2026-04-24")
    assert {} == books.kinds()


@pytest.mark.parametrize("restores", [False, True])
def test_a_tick_forgets_no_more_than_it_may(restores: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Much that is due at once goes over several ticks; a worker that takes over goes on the same."""
    monkeypatch.setattr(purge_module, "PURGED_ROWS_MAX", 6)
    books = Books(restores=restores)
    for number in range(6):
        books.invoice(f"A{number}", on="2024-01-02")
        books.pay(f"P{number}", "100.00", f"A{number}", on="2024-01-05")
    left = []
    for day in ("2025-06-01", "2025-06-02", "2025-06-03", "2025-06-04"):
        books.tick(day)
        left.append(books.kinds().get("item", 0))
    assert [4, 2, 0, 0] == left
    assert None is books.account.row.wake_at_s


def test_a_slice_of_a_tick_holds_a_limited_number_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """DESIGN 3.1: many accounts that forget much on one day are several transactions, and all are done."""
    monkeypatch.setattr("processors.partition.SLICE_ROWS_MAX", 5)
    stage = Books().stage
    for customer in ("C1", "C2", "C3", "C4"):
        told: dict[str, Any] = {"company": "acme", "customer": customer}
        stage.fold(
            events.InvoiceIssued(
                **told, occurred_at="2024-01-02", document="A", currency="USD", amount="1.00"
            )
        )
        stage.fold(events.InvoiceCancelled(**told, occurred_at="2024-01-03", document="A"))
    slices = []
    fold = Partition.step

    def counting(self: Partition, records: Any, *, cursor: str) -> Any:
        step = fold(self, records, cursor=cursor)
        slices.append(len(step.rows))
        return step

    monkeypatch.setattr(Partition, "step", counting)
    at = datetime.datetime(2025, 6, 1, 9, tzinfo=datetime.UTC)
    stage.fold(TickPassed(at=at, mode="played"))
    assert [6, 7] == slices, "two accounts each, and the clock with the last"
    assert not any(stage.partition.account(f"acme:C{number}").items for number in (1, 2, 3, 4))


def test_what_an_open_reminder_speaks_of_is_kept() -> None:
    """A letter whose fate is unknown for two years can still be said to have been sent."""
    books = Books()
    books.invoice("A", on="2024-01-02", due="2024-01-10")
    at = datetime.datetime(2024, 1, 12, 9, tzinfo=datetime.UTC)
    books.stage.fold(TickPassed(at=at, mode="played"))
    books.pay("P", "100.00", "A", on="2024-02-10")
    books.tick("2026-01-01")
    assert 1 == books.kinds()["item"]


def test_forgetting_costs_what_is_forgotten_not_what_is_kept() -> None:
    """Three invoices go: it takes the same operations beside ten others as beside a thousand (counted)."""

    def counted(kept: int) -> int:
        books = Books()
        for number in range(6):
            books.stage.fold(_cancelled_on(f"A{number}", "2024-01-05", issue=True))
        for number in range(kept):
            books.stage.fold(_cancelled_on(f"B{number}", "2024-01-05", issue=True))
        for number in range(3):
            books.stage.fold(_cancelled_on(f"A{number}", "2024-01-05"))
        books.tick("2024-01-08")
        for number in range(3, 6):
            books.stage.fold(_cancelled_on(f"A{number}", "2024-01-09"))
        books.tick("2024-06-01")
        for number in range(kept):
            books.stage.fold(_cancelled_on(f"B{number}", "2024-06-01"))
        books.tick("2025-02-09")  # the first look in memory enters all rows
        assert 3 + kept == books.kinds()["item"]
        at = datetime.datetime(2025, 2, 20, 9, tzinfo=datetime.UTC)
        operations_count = operations(books.stage, TickPassed(at=at, mode="played"))
        assert kept == books.kinds()["item"]
        return operations_count

    assert counted(1000) <= 1.2 * counted(10)


def _cancelled_on(document: str, day: str, *, issue: bool = False) -> events.BillingEvent:
    if issue:
        return events.InvoiceIssued(
            **WHO, occurred_at=day, document=document, currency="USD", amount="1.00", due_date=FAR
        )
    return events.InvoiceCancelled(**WHO, occurred_at=day, document=document)

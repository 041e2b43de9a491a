"""Duplicates, conflicts, waiting, versions and master data (SEMANTICS 2; R6, R13, R32)."""

import datetime
from collections.abc import Callable

import msgspec
import pytest

from processors.account import Account
from processors.conservation import InvariantBroken
from processors.fold import fold
from processors.invariants import check
from schemas.events import Contact, CustomerUpserted, InvoiceIssued, ItemOpened
from schemas.facts import LedgerFact, ReminderRetracted
from schemas.rows import ReminderRow, ReminderRowItem
from tests.processors.story import ACCOUNT, COMPANY, CUSTOMER, Story, exceptions, movements, rows_of

Step = Callable[[], list[LedgerFact]]


def upserted(
    story: Story, name: str, *, at: str, term: int | None = None, contacts: tuple[Contact, ...] = ()
) -> list[LedgerFact]:
    """Tell master data."""
    return story.tell(
        CustomerUpserted(
            company=COMPANY,
            customer=CUSTOMER,
            occurred_at=at,
            name=name,
            payment_terms_days=term,
            contacts=contacts,
        )
    )


def test_the_same_document_again_changes_nothing() -> None:
    """SEMANTICS 2.2: '100' and '100.00' are the same content."""
    story = Story()
    story.invoice("A", "100.00")
    story.pay("P", "50.00", "A=50", on="01-05")
    before = rows_of(story.account)
    assert [] == story.invoice("A", "100")
    assert [] == story.invoice("A", "100.0")
    assert [] == story.pay("P", "50", "A=50.00", on="01-05")
    assert before == rows_of(story.account)


def test_other_content_under_the_same_key_is_a_conflict() -> None:
    """The first stands; both contents are shown, once."""
    story = Story()
    story.invoice("A", "100.00")
    (conflict,) = exceptions(story.invoice("A", "90.00"))
    assert ("conflict", "item/A") == (conflict.reason, conflict.key)
    amounts = [msgspec.json.decode(each)["amount"] for each in (conflict.first, conflict.second)]
    assert ["100.00", "90.00"] == amounts
    assert [] == story.invoice("A", "90.00")
    assert 1 == len(exceptions(story.invoice("A", "80.00")))
    assert 10000 == story.open("A")


def test_receivables_share_their_ids() -> None:
    """An invoice and a debit note of one id contradict each other; a payment of that id is something else."""
    story = Story()
    story.invoice("A", "100.00")
    assert ["conflict"] == [each.reason for each in exceptions(story.debit_note("A", "100.00"))]
    assert [] == exceptions(story.pay("A", "100.00", on="01-05"))


def test_follow_ups_have_natural_keys_too() -> None:
    """Reversals, refunds, amendments, reconciliations: again is nothing, otherwise a conflict."""
    story = Story()
    story.invoice("A", "100.00")
    story.pay("P", "100.00", "A", on="01-05")
    steps: list[Step] = [
        lambda: story.amend("A", 1, amount="90.00", on="01-06"),
        lambda: story.reconcile("X", "P", "-A=10.00", on="01-07"),
        lambda: story.refund("R", "5.00", payment="P", on="01-08"),
        lambda: story.reverse("P", on="01-09"),
        lambda: story.cancel("A", on="01-10"),
    ]
    for tell in steps:
        tell()
        before = rows_of(story.account)
        assert ([], before) == (tell(), rows_of(story.account))
    assert ["conflict"] == [
        each.reason for each in exceptions(story.amend("A", 1, amount="91.00", on="01-06"))
    ]
    assert ["conflict"] == [
        each.reason for each in exceptions(story.refund("R", "6.00", payment="P", on="01-08"))
    ]


def test_what_speaks_of_the_unknown_waits_and_keeps_its_cause() -> None:
    """SEMANTICS 2.3: cancelled, reversed and refunded before anything was issued."""
    story = Story()
    assert [] == story.cancel("A", on="01-20")
    assert [] == story.amend("A", 1, amount="70.00", on="01-15")
    assert [] == story.reverse_write_off("W", on="01-20")
    assert [] == story.cancel_credit_note("N", on="01-20")
    assert 0 == story.account.row.version
    facts = movements(story.invoice("A", "100.00"))
    assert [("e5", "issued"), ("e1", "cancelled")] == [(fact.cause, fact.kind) for fact in facts]
    story.write_off("W", "10.00", item="A", on="01-10")
    story.credit_note("N", "10.00", on="01-10")
    assert (0, 0, {}) == (story.left("write_off/W"), story.left("credit_note/N"), story.account.waiting)


def test_a_cancelled_invoice_retracts_the_reminders_that_named_it() -> None:
    """R13: said for each sent reminder, once."""
    story = Story()
    story.invoice("A", "100.00", due="01-02")
    story.invoice("B", "100.00", due="01-02")
    for number, status in enumerate(("sent", "sent", "failed")):
        row = ReminderRow(
            account=ACCOUNT,
            reminder=f"r{number}",
            tick=datetime.datetime(2024, 1, 5 + number, tzinfo=datetime.UTC),
            status=status,  # type: ignore[arg-type]  # one of the three
            items=[
                ReminderRowItem(
                    item="B" if number == 1 else "A",
                    step_index=0,
                    step="first",
                    plan="default",
                    plan_version=1,
                    step_due_on=datetime.date(2024, 1, 5),
                )
            ],
            deliveries={},
        )
        story.account.reminders[row.reminder] = row
    facts = story.cancel("A", on="01-20")
    retracted = [(fact.reminder, fact.item) for fact in facts if isinstance(fact, ReminderRetracted)]
    assert [("r0", "A")] == retracted
    assert ["A"] == story.account.reminders["r0"].retracted


def test_version_counts_what_a_reminder_must_not_miss() -> None:
    """R32: items, money and contacts; not what waits, repeats or contradicts."""
    story = Story()
    versions = []
    steps: list[Step] = [
        lambda: story.invoice("A", "100.00"),
        lambda: story.invoice("A", "100.00"),
        lambda: story.invoice("A", "90.00"),
        lambda: story.reverse("P", on="01-06"),
        lambda: story.pay("P", "100.00", "A", on="01-05"),
        lambda: upserted(story, "One", at="2024-01-05"),
        lambda: upserted(story, "Older", at="2024-01-04"),
    ]
    for tell in steps:
        before = story.account.row.version
        tell()
        versions.append(story.account.row.version > before)
    assert [True, False, False, False, True, True, False] == versions


def test_the_latest_master_data_wins() -> None:
    """SEMANTICS 2.2: by business time; a day begins at midnight of the company's zone."""
    story = Story()
    upserted(story, "Monday", at="2024-01-08")
    upserted(story, "Sunday", at="2024-01-07")
    upserted(story, "Monday noon", at="2024-01-08T12:00:00Z")
    upserted(story, "Monday again", at="2024-01-08")
    assert story.account.customer is not None
    assert "Monday noon" == story.account.customer.customer.name
    facts = upserted(story, "Other", at="2024-01-08T13:00:00+01:00")
    assert ["conflict"] == [each.reason for each in exceptions(facts)]


def test_due_date_without_one_on_the_invoice() -> None:
    """R6, S4-05: the customer's term, else the company's; a later term does not move what is agreed."""
    story = Story()
    story.invoice("A", "1.00", on="01-01")
    upserted(story, "One", at="2024-01-02", term=10)
    story.invoice("B", "1.00", on="01-01")
    upserted(story, "One", at="2024-01-03", term=20)
    story.invoice("C", "1.00", on="01-01", due="02-20")
    dues = [story.account.items[item].due_on.isoformat() for item in "ABC"]
    assert ["2024-01-31", "2024-01-11", "2024-02-20"] == dues


def test_opened_item_brings_its_last_contact() -> None:
    """R36: the gap and the next level count from what was sent elsewhere."""
    story = Story()
    story.opened("A", "10.00", left="10.00", issued="01-01", due="01-05", on="01-20")
    opened = story.account.items["A"].document
    assert isinstance(opened, ItemOpened)
    later = msgspec.structs.replace(
        opened,
        document="B",
        last_reminder_on=datetime.date(2024, 1, 9),
        last_contact_on=datetime.date(2024, 1, 11),
    )
    story.tell(later)
    assert datetime.date(2024, 1, 9) == story.account.items["B"].sent_level_on
    assert datetime.date(2024, 1, 11) == story.account.row.last_contact_on


def test_days_are_company_days() -> None:
    """SEMANTICS 2.4: an instant belongs to the day that it is in the company's zone."""
    story = Story()
    story.company.apply(
        msgspec.structs.replace(story.company.profile, command="zone", time_zone="America/Santiago")
    )
    story.invoice("A", "1.00", on="2024-01-02T01:00:00Z")
    assert datetime.date(2024, 1, 1) == story.account.items["A"].issued_on


def test_a_broken_sum_is_found_by_the_next_event() -> None:
    """Conservation is asserted on two paths: what the movements say, and what the sums are."""
    story = Story()
    story.invoice("A", "100.00")
    row = story.account.items["A"]
    row.open_minor -= 1
    with pytest.raises(InvariantBroken, match="A: open 9999, expected 10000"):
        check(story.account)


def test_money_made_by_a_handler_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of a sum that no movement says stops the fold: the account is to be quarantined."""
    account = Account(ACCOUNT)
    account.balance("USD")
    story = Story()
    real = Account.balance

    def generous(self: Account, currency: str) -> object:
        balance = real(self, currency)
        balance.open_minor += 1
        return balance

    monkeypatch.setattr(Account, "balance", generous)
    event = InvoiceIssued(
        company=COMPANY, customer=CUSTOMER, occurred_at="2024-01-01", document="A", currency="USD", amount="1"
    )
    with pytest.raises(InvariantBroken, match="movements say 100"):
        fold(account, event, cause="e", company=story.company)

"""What banks have said (R21): in any order, repeated, and forgotten in time."""

import datetime

from processors.account import Account
from processors.banks import Banks
from schemas.bank import BankLineMatched, BankLineUnmatched, BankReconciled
from schemas.commands import ConfigureCompany
from schemas.events import CustomerUpserted
from schemas.rows import BankLineRow, BankRow, CustomerRow

PROFILE = ConfigureCompany(
    company="acme",
    occurred_at="2026-01-01",
    command="profile",
    name="Acme",
    time_zone="America/Santiago",
    currency="CLP",
    country="CL",
    bank_accounts=("MAIN",),
)
MONDAY = datetime.date(2026, 3, 2)


def reconciled(through: str) -> BankReconciled:
    """Make a bank's word."""
    return BankReconciled(company="acme", occurred_at=through, bank_account="MAIN", through=through)


def line(name: str, *, on: str = "2026-02-27", tax_id: str = "76.1-K") -> BankLineUnmatched:
    """Make an unmatched credit."""
    return BankLineUnmatched(
        company="acme",
        occurred_at=on,
        bank_account="MAIN",
        line=name,
        currency="CLP",
        amount="1000",
        payer_tax_id=tax_id,
    )


def matched(name: str) -> BankLineMatched:
    """Make the word that a credit has an owner."""
    return BankLineMatched(company="acme", occurred_at="2026-03-01", bank_account="MAIN", line=name)


def customer(tax_id: str) -> Account:
    """Make an account of a customer with a tax id."""
    account = Account("acme:C1")
    said = CustomerUpserted(company="acme", customer="C1", occurred_at="2026-01-01", name="C1", tax_id=tax_id)
    account.customer = CustomerRow(account="acme:C1", customer=said)
    return account


def test_an_earlier_word_and_the_same_word_change_nothing() -> None:
    """A feed that is sent again, or late, takes nothing back."""
    banks = Banks()
    assert 1 == len(banks.apply(reconciled("2026-02-27"), profile=PROFILE))
    assert [] == banks.apply(reconciled("2026-02-27T18:00:00-03:00"), profile=PROFILE)
    assert [] == banks.apply(reconciled("2026-02-26"), profile=PROFILE)
    assert {} == banks.stale(PROFILE, day=MONDAY)
    assert {"MAIN": datetime.date(2026, 2, 27)} == banks.stale(
        PROFILE, day=MONDAY + datetime.timedelta(days=1)
    )


def test_what_was_never_said_is_stale_and_no_account_means_no_gate() -> None:
    """R21: none required, the gate is off."""
    assert {"MAIN": None} == Banks().stale(PROFILE, day=MONDAY)


def test_a_credit_that_is_matched_before_it_comes_holds_nobody() -> None:
    """SEMANTICS 2.3: sources promise no order."""
    banks, account = Banks(), customer("761k")
    banks.apply(matched("L-1"), profile=PROFILE)
    banks.apply(line("L-1"), profile=PROFILE)
    banks.apply(line("L-2"), profile=PROFILE)
    assert ["L-2"] == [row.id for row in banks.lines_of(account)]
    assert [] == banks.apply(line("L-2"), profile=PROFILE)
    assert not banks.conflicts(line("L-2"))
    assert banks.conflicts(line("L-2", tax_id="1-9"))


def test_rows_alone_are_the_state() -> None:
    """What is placed back from rows finds what was found before; five business days are until 6 March."""
    banks = Banks()
    kept = [
        *banks.apply(reconciled("2026-02-27"), profile=PROFILE),
        *banks.apply(line("L-1"), profile=PROFILE),
    ]
    again = Banks()
    for row in kept:
        assert isinstance(row, BankRow | BankLineRow)
        again.place(row)
    found = again.lines_of(customer("76.1-k"))
    assert [("L-1", datetime.date(2026, 3, 6))] == [(row.id, row.until) for row in found]
    assert {} == again.stale(PROFILE, day=MONDAY)


def test_old_credits_are_forgotten() -> None:
    """Nothing grows for ever: 90 days after the newest, a credit is gone."""
    banks = Banks()
    banks.apply(line("L-1", on="2026-01-02"), profile=PROFILE)
    banks.apply(line("L-2", on="2026-04-03"), profile=PROFILE)
    assert ["L-1"] == [row.id for row in banks.take_gone() if isinstance(row, BankLineRow)]
    assert [] == banks.take_gone()
    assert ["L-2"] == [row.id for row in banks.lines_of(customer("761K"))]

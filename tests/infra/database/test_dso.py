"""DSO: receivables over credit sales (S0-27); what is a sale, and what is not."""

from decimal import Decimal

import pytest
from sqlalchemy import Engine

from infra.database.engine import reading
from infra.database.queries.dso import Dso, dso
from tests.infra.database.filled import Filled, day


def as_of(engine: Engine, on: str, *, days: int = 30, company: str | None = None) -> list[Dso]:
    """Ask for the DSO at the end of a day."""
    with reading(engine) as connection:
        return list(dso(connection, as_of=day(on), days=days, company=company))


def test_receivables_over_sales_times_days(engine: Engine) -> None:
    """400 of 1,000 sold within 30 days are open: 12 days; four decimals."""
    told = Filled(engine)
    told.moves(
        "acme:C1", [("03-10", "issued", 70_000, "I1", "04-10"), ("03-20", "issued", 30_000, "I2", "04-20")]
    )
    told.moves(
        "acme:C1", [("03-25", "applied", -60_000, "I1"), ("03-25", "applied", -60_000, "credit:payment/P1")]
    )
    assert [
        Dso(
            company="acme",
            currency="USD",
            receivables_minor=40_000,
            sales_minor=100_000,
            days_outstanding=Decimal("12.0000"),
        )
    ] == as_of(engine, "03-31")


@pytest.mark.parametrize(
    ("on", "sales_minor"), [("03-09", 0), ("03-10", 1000), ("04-08", 1000), ("04-09", 0)]
)
def test_the_window_has_as_many_days_as_asked(engine: Engine, on: str, sales_minor: int) -> None:
    """(D − n, D]: the day itself counts, the day n before does not."""
    told = Filled(engine)
    told.moves("acme:C1", [("01-01", "issued", 5, "I0", "02-01"), ("03-10", "issued", 1000, "I1", "04-10")])
    assert [sales_minor] == [one.sales_minor for one in as_of(engine, on)]


@pytest.mark.parametrize(
    ("said", "sales_minor"),
    [
        ([("03-12", "credit_note_issued", 300, "credit:credit_note/N1")], 700),
        (
            [
                ("03-12", "credit_note_issued", 300, "credit:credit_note/N1"),
                ("03-13", "credit_note_cancelled", -300, "credit:credit_note/N1"),
            ],
            1000,
        ),
        ([("03-12", "cancelled", -1000, "I1")], 0),
        ([("03-12", "amended", -200, "I1", "04-10")], 800),
        ([("03-12", "amended", 500, "OLD", "04-10")], 1500),
        ([("03-12", "debit_note_issued", 90, "D1", "04-10"), ("03-13", "amended", 10, "D1", "04-10")], 1000),
        ([("03-12", "debit_note_issued", 90, "D1", "04-10"), ("03-13", "cancelled", -90, "D1")], 1000),
        ([("03-12", "opened", 90, "G1", "04-10"), ("03-13", "cancelled", -90, "G1")], 1000),
        (
            [
                ("03-12", "received", 100, "credit:payment/P1"),
                ("03-12", "refunded", -100, "credit:payment/P1"),
            ],
            1000,
        ),
        ([("03-12", "write_off_booked", 100, "credit:write_off/W1")], 1000),
    ],
)
def test_what_counts_as_a_sale(engine: Engine, said: list[tuple[str, ...]], sales_minor: int) -> None:
    """Invoices as amended, less cancellations and credit notes; money and debit notes are none."""
    told = Filled(engine)
    told.moves("acme:C1", [("01-01", "issued", 50, "OLD", "02-01"), ("03-10", "issued", 1000, "I1", "04-10")])
    told.moves("acme:C1", said)
    assert [sales_minor] == [one.sales_minor for one in as_of(engine, "03-31")]


def test_without_sales_there_is_no_figure(engine: Engine) -> None:
    """No sales, or more credited than sold: n/a, not zero and not a negative number of days."""
    told = Filled(engine)
    told.moves("acme:C1", [("01-01", "issued", 1000, "I1", "02-01")])
    told.moves("acme:C1", [("01-02", "issued", 5, "I2", "02-01")], currency="EUR")
    told.moves("acme:C1", [("03-10", "credit_note_issued", 10, "credit:credit_note/N1")], currency="EUR")
    assert [("EUR", -10, None), ("USD", 0, None)] == [
        (one.currency, one.sales_minor, one.days_outstanding) for one in as_of(engine, "03-31")
    ]


def test_companies_and_currencies_stand_apart(engine: Engine) -> None:
    """A figure per company and currency; one company can be asked for."""
    told = Filled(engine)
    told.moves("acme:C1", [("03-10", "issued", 300, "I1", "04-10")])
    told.moves("acme:C1", [("03-10", "issued", 100, "I2", "04-10")], currency="CLP")
    told.moves("beta:C1", [("03-10", "issued", 7, "I1", "04-10"), ("03-11", "issued", 7, "I2", "04-10")])
    told.moves("beta:C1", [("03-12", "applied", -7, "I2"), ("03-12", "applied", -7, "credit:payment/P")])
    found = [(one.company, one.currency, str(one.days_outstanding)) for one in as_of(engine, "03-31")]
    assert [("acme", "CLP", "30.0000"), ("acme", "USD", "30.0000"), ("beta", "USD", "15.0000")] == found
    assert ["beta"] == [one.company for one in as_of(engine, "03-31", company="beta")]


def test_a_window_of_no_days_is_refused(engine: Engine) -> None:
    """Zero days have no sales by definition."""
    with pytest.raises(ValueError, match="positive"):
        as_of(engine, "03-31", days=0)

"""Aged balance as of a day: what moved until then, how late it was then (S0-02, SEMANTICS 6)."""

import pytest
from sqlalchemy import Engine

from infra.database.engine import reading
from infra.database.queries.aged import Aged, AgedRow, aged, bucket_names
from tests.infra.database.filled import Filled, day


@pytest.fixture
def filled(engine: Engine) -> Filled:
    """Give a read model to add to."""
    return Filled(engine)


def as_of(engine: Engine, on: str, *, company: str | None = None, account: str | None = None) -> Aged:
    """Ask for the aged balance at the end of a day."""
    with reading(engine) as connection:
        return aged(connection, as_of=day(on), company=company, account=account)


def shown(row: AgedRow) -> tuple[str, str, int, int, list[tuple[int, int]], int]:
    """Write a row as (account, currency, open, receivables, buckets, credit)."""
    buckets = [(each.count, each.amount_minor) for each in row.buckets]
    return row.account, row.currency, row.open_count, row.receivables_minor, buckets, row.credit_minor


NONE = (0, 0)


@pytest.mark.parametrize(
    ("on", "bucket"),
    [
        ("01-31", 0),  # the day before
        ("02-01", 0),  # due on the day itself is not due (R6)
        ("02-02", 1),
        ("03-03", 1),  # 30 days
        ("03-04", 2),
        ("04-02", 2),  # 60
        ("04-03", 3),
        ("05-02", 3),  # 90
        ("05-03", 4),
        ("12-31", 4),
    ],
)
def test_each_day_past_due_has_its_bucket(engine: Engine, filled: Filled, on: str, bucket: int) -> None:
    """R6: not due, 1-30, 31-60, 61-90, 90+ days, both ends included."""
    filled.moves("acme:C1", [("01-01", "issued", 1000, "I1", "02-01")])
    buckets = [NONE] * 5
    buckets[bucket] = (1, 1000)
    assert [("acme:C1", "USD", 1, 1000, buckets, 0)] == [shown(row) for row in as_of(engine, on).rows]


def test_a_past_day_is_as_it_was_at_its_end(engine: Engine, filled: Filled) -> None:
    """A payment dated D has reduced the balance at the end of D; later facts have not happened yet."""
    filled.moves(
        "acme:C1",
        [
            ("01-01", "issued", 1000, "I1", "01-31"),
            ("02-10", "received", 400, "credit:payment/P1"),
            ("02-10", "applied", -400, "I1"),
            ("02-10", "applied", -400, "credit:payment/P1"),
            ("03-01", "received", 600, "credit:payment/P2"),
            ("03-01", "applied", -600, "I1"),
            ("03-01", "applied", -600, "credit:payment/P2"),
        ],
    )
    found = {
        on: [shown(row)[2:4] for row in as_of(engine, on).rows] for on in ("01-01", "02-09", "02-10", "03-01")
    }
    assert {"01-01": [(1, 1000)], "02-09": [(1, 1000)], "02-10": [(1, 600)], "03-01": []} == found
    assert () == as_of(engine, "01-01", company="beta").rows


def test_a_backdated_payment_changes_the_past(engine: Engine, filled: Filled) -> None:
    """SEMANTICS 2.4: the past is as we know it now, whenever we came to know it."""
    filled.moves("acme:C1", [("01-01", "issued", 1000, "I1", "01-31")])
    before = as_of(engine, "02-15").totals[0].receivables_minor
    filled.moves(
        "acme:C1", [("02-10", "received", 1000, "credit:payment/P1"), ("02-10", "applied", -1000, "I1")]
    )
    filled.moves("acme:C1", [("02-10", "applied", -1000, "credit:payment/P1")])
    assert (1000, ()) == (before, as_of(engine, "02-15").totals)


def test_the_due_date_is_the_one_of_that_day(engine: Engine, filled: Filled) -> None:
    """An amended due date counts from the day of the amendment; the latest in the log decides a day."""
    filled.moves(
        "acme:C1",
        [
            ("01-01", "issued", 1000, "I1", "01-31"),
            ("02-10", "amended", 0, "I1", "03-15"),
            ("02-10", "amended", 200, "I1", "03-31"),
        ],
    )
    late = {
        on: [index for index, each in enumerate(as_of(engine, on).rows[0].buckets) if each.count]
        for on in ("02-09", "02-10", "03-31", "04-01")
    }
    assert {"02-09": [1], "02-10": [0], "03-31": [0], "04-01": [1]} == late
    assert 1200 == as_of(engine, "02-10").rows[0].receivables_minor


def test_unapplied_credit_stands_beside_the_receivables(engine: Engine, filled: Filled) -> None:
    """Credit is not netted; an account that has only credit has a row, too."""
    filled.moves(
        "acme:C1", [("01-01", "issued", 1000, "I1", "01-31"), ("01-05", "received", 300, "credit:payment/P1")]
    )
    filled.moves("acme:C2", [("01-05", "received", 50, "credit:payment/P2")])
    found = as_of(engine, "01-31")
    assert [
        ("acme:C1", "USD", 1, 1000, [(1, 1000), NONE, NONE, NONE, NONE], 300),
        ("acme:C2", "USD", 0, 0, [NONE] * 5, 50),
    ] == [shown(row) for row in found.rows]
    assert [("", "USD", 1, 1000, [(1, 1000), NONE, NONE, NONE, NONE], 350)] == [
        shown(row) for row in found.totals
    ]


def test_currencies_are_never_added_together(engine: Engine, filled: Filled) -> None:
    """R23: one row per customer and currency, one total per currency."""
    filled.moves("acme:C1", [("01-01", "issued", 1000, "I1", "01-31")])
    filled.moves("acme:C1", [("01-01", "issued", 99, "I2", "01-31")], currency="CLP")
    filled.moves("acme:C2", [("01-01", "issued", 1, "I3", "01-31")], currency="CLP")
    found = as_of(engine, "01-02")
    assert [("acme:C1", "CLP", 99), ("acme:C1", "USD", 1000), ("acme:C2", "CLP", 1)] == [
        (row.account, row.currency, row.receivables_minor) for row in found.rows
    ]
    assert [("CLP", 100), ("USD", 1000)] == [(row.currency, row.receivables_minor) for row in found.totals]


def test_one_company_or_account_can_be_asked_for(engine: Engine, filled: Filled) -> None:
    """The scope holds for rows and totals; names are shown."""
    filled.customer("acme:C1", "Ñandú")
    filled.moves("acme:C1", [("01-01", "issued", 1000, "I1", "01-31")])
    filled.moves("beta:C1", [("01-01", "issued", 7, "I1", "01-31")])
    found = as_of(engine, "01-02", company="acme")
    assert [("acme:C1", "Ñandú", 1000)] == [
        (row.account, row.name, row.receivables_minor) for row in found.rows
    ]
    assert [1000] == [row.receivables_minor for row in found.totals]
    assert [7] == [row.receivables_minor for row in as_of(engine, "01-02", account="beta:C1").totals]


def test_money_without_a_due_date_is_not_lost(engine: Engine, filled: Filled) -> None:
    """A cancellation dated before its invoice: what does not fit is shown as not due, never dropped."""
    filled.moves("acme:C1", [("01-10", "issued", 1000, "I1", "01-31"), ("01-05", "cancelled", -1000, "I1")])
    assert [("acme:C1", "USD", 1, -1000, [(1, -1000), NONE, NONE, NONE, NONE], 0)] == [
        shown(row) for row in as_of(engine, "01-06").rows
    ]
    assert () == as_of(engine, "01-10").rows


def test_the_edges_can_be_others(engine: Engine, filled: Filled) -> None:
    """Edges are configurable (SEMANTICS 6); they are positive and ascend."""
    filled.moves("acme:C1", [("01-01", "issued", 1000, "I1", "01-31")])
    with reading(engine) as connection:
        found = aged(connection, as_of=day("02-10"), edges=(7, 14))
    assert ("not due", "1-7", "8-14", "14+") == found.bucket_names
    assert [0, 0, 1, 0] == [each.count for each in found.rows[0].buckets]
    for wrong in ((), (0,), (30, 30), (60, 30)):
        with pytest.raises(ValueError, match="positive and ascending"):
            bucket_names(wrong)

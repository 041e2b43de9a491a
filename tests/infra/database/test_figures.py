"""SEMANTICS 6: figures worked out by hand, as of any day."""

import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine

from infra.database.engine import reading
from infra.database.queries.figures import Figures, figures
from tests.infra.database.filled import Filled
from tests.infra.database.played import play_into


def _figures(engine: Engine, *, on: str, days: int, company: str | None = None) -> list[Figures]:
    with reading(engine) as connection:
        return figures(
            connection, as_of=datetime.date.fromisoformat(f"2026-{on}"), days=days, company=company
        )


def _business(engine: Engine) -> None:
    """Two invoices of January, one of February; the first is paid late, the second in time, the third half."""
    told = Filled(engine)
    told.moves(
        "acme:C1",
        [
            ("01-01", "issued", 10000, "A", "01-31"),
            ("01-02", "issued", 20000, "B", "02-10"),
            ("02-01", "issued", 40000, "C", "03-15"),
            ("02-05", "received", 10000, "credit:payment/P"),
            ("02-08", "received", 20000, "credit:payment/Q"),
        ],
    )
    told.applied("acme:C1", [("02-05", "A", "payment/P", 10000), ("02-08", "B", "payment/Q", 20000)])


def test_by_hand(engine: Engine) -> None:
    """In 28 days until 28 February: 400.00 sold, 300.00 collected of 700.00 that were there."""
    _business(engine)
    (found,) = _figures(engine, on="02-28", days=28)
    assert (30000, 40000, 40000, 40000) == (
        found.opening_minor,
        found.sales_minor,
        found.receivables_minor,
        found.not_due_minor,
    )
    assert (Decimal("28.0000"), Decimal("28.0000"), Decimal("0.0000")) == (
        found.dso,
        found.best_dso,
        found.days_delinquent,
    )
    assert Decimal("1.0000") == found.effectiveness  # all that was due
    assert (2, 1, Decimal("0.5000")) == (found.paid_items, found.paid_late_items, found.paid_late)
    assert (0, None) == (found.promises, found.promises_kept)


def test_what_is_overdue_costs_days(engine: Engine) -> None:
    """On 16 March the third invoice is a day late: nothing is not due, and nothing of it was collected."""
    _business(engine)
    (on_due_day,) = _figures(engine, on="03-15", days=43)
    assert (40000, Decimal("0.0000")) == (on_due_day.not_due_minor, on_due_day.days_delinquent)
    (found,) = _figures(engine, on="03-16", days=44)
    assert (Decimal("44.0000"), Decimal("0.0000"), Decimal("44.0000")) == (
        found.dso,
        found.best_dso,
        found.days_delinquent,
    )
    assert Decimal("0.4286") == found.effectiveness  # 300.00 of 700.00


def test_without_sales_there_is_no_figure(engine: Engine) -> None:
    """Nothing to divide by is said as nothing."""
    _business(engine)
    (found,) = _figures(engine, on="06-30", days=10)
    assert (None, None, None) == (found.dso, found.best_dso, found.days_delinquent)
    assert (Decimal("0.0000"), None) == (found.effectiveness, found.paid_late)
    assert [] == _figures(engine, on="06-30", days=10, company="beta")
    with pytest.raises(ValueError, match="positive"):
        _figures(engine, on="06-30", days=0)


def test_what_was_not_paid_is_not_paid_late(engine: Engine) -> None:
    """A cancelled invoice, and one that only a credit note settled, say nothing of how the customer pays."""
    told = Filled(engine)
    told.moves(
        "acme:C1",
        [
            ("01-01", "issued", 10000, "A", "01-31"),
            ("02-05", "cancelled", -10000, "A"),
            ("01-01", "issued", 10000, "B", "01-31"),
        ],
    )
    told.applied("acme:C1", [("02-06", "B", "credit_note/N", 10000)])
    (found,) = _figures(engine, on="02-28", days=28)
    assert (0, 0, None) == (found.paid_items, found.paid_late_items, found.paid_late)


@pytest.mark.parametrize(("revised", "late"), [("02-10", 0), ("01-20", 1)])
def test_late_is_by_the_due_date_that_was_said_last(engine: Engine, revised: str, late: int) -> None:
    """A due date that was put off makes a payment one in time, one that was brought forward makes it late; what comes after the day says nothing."""
    told = Filled(engine)
    told.moves(
        "acme:C1",
        [
            ("01-01", "issued", 10000, "A", "01-31" if late == 0 else "02-28"),
            ("01-10", "amended", 2000, "A", revised),
        ],
    )
    told.applied("acme:C1", [("02-05", "A", "payment/P", 12000)])
    told.moves("acme:C1", [("03-05", "amended", 0, "A", "01-05" if late == 0 else "12-31")])
    (found,) = _figures(engine, on="02-28", days=28)
    assert (1, late) == (found.paid_items, found.paid_late_items)


def test_promises_kept(engine: Engine, tmp_path: Path) -> None:
    """R35: of the promises whose time ended in the window, how many were kept."""
    story = (
        "# two who promise\ncustomer email a@test\n@C2 customer email b@test\ncompany promise-tolerance 0\n"
    )
    story += "2026-01-02  invoice I 50.00 due 2026-02-01\n2026-01-02  @C2 invoice J 10.00 due 2026-02-01\n"
    story += "2026-02-01  promise all by 2026-02-05\n    expect promised I\n"
    story += "2026-02-01  @C2 promise all by 2026-02-05\n    expect @C2 promised J\n"
    story += "2026-02-04  payment P 50.00 for I\n2026-02-06  tick\n"
    story += "    expect promise kept\n    expect @C2 promise broken\n    expect @C2 withheld J - because no_plan\n"
    play_into(engine, story, folder=tmp_path)
    (found,) = _figures(engine, on="02-28", days=28)
    assert (2, Decimal("0.5000")) == (found.promises, found.promises_kept)
    (later,) = _figures(engine, on="03-31", days=10)
    assert (0, None) == (later.promises, later.promises_kept)

"""Days sales outstanding: receivables as of a day over the credit sales of the days before (S0-27).

Credit sales are invoices, amended and cancelled ones included, less credit notes; debit notes and
items opened at going live are receivables but no sales. Decimal arithmetic only.
"""

import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, and_, exists, select

from infra.database.queries.balances import counted, in_scope
from infra.database.tables import movements

__all__ = ["Dso", "dso"]

_PLACES: Final = Decimal("0.0001")
_NOTES: Final = ("credit_note_issued", "credit_note_cancelled")


class Dso(Struct, frozen=True, kw_only=True):
    """One company in one currency; ``days_outstanding`` is None when there were no sales (n/a)."""

    company: str
    currency: str
    receivables_minor: int
    sales_minor: int
    days_outstanding: Decimal | None


def dso(
    connection: Connection, *, as_of: datetime.date, days: int, company: str | None = None
) -> tuple[Dso, ...]:
    """Compute receivables at the end of `as_of` / credit sales in (as_of − days, as_of] × days.

    Raises:
        ValueError: `days` is not positive.
    """
    if days < 1:
        raise ValueError(f"days must be positive, not {days}")
    after = as_of - datetime.timedelta(days=days)
    sold = counted(_is_sale(after), movements.c.amount_minor)
    credited = counted(
        and_(movements.c.kind.in_(_NOTES), movements.c.business_date > after), movements.c.amount_minor
    )
    rows = connection.execute(
        select(
            movements.c.company,
            movements.c.currency,
            counted(movements.c.item != "", movements.c.amount_minor),
            sold,
            credited,
        )
        .where(movements.c.business_date <= as_of, *in_scope(movements, (company, None)))
        .group_by(movements.c.company, movements.c.currency)
        .order_by(movements.c.company, movements.c.currency)
    )
    return tuple(
        Dso(
            company=of_company,
            currency=currency,
            receivables_minor=receivables,
            sales_minor=invoiced - notes,
            days_outstanding=_days(receivables, invoiced - notes, days),
        )
        for of_company, currency, receivables, invoiced, notes in rows
    )


def _is_sale(after: datetime.date) -> ColumnElement[bool]:
    issue: Any = movements.alias("issue")
    invoice = (
        exists()
        .where(issue.c.account == movements.c.account)
        .where(issue.c.item == movements.c.item)
        .where(issue.c.kind == "issued")
    )
    changed = and_(movements.c.kind.in_(("amended", "cancelled")), invoice)
    return and_(movements.c.business_date > after, (movements.c.kind == "issued") | changed)


def _days(receivables_minor: int, sales_minor: int, days: int) -> Decimal | None:
    # Sales below zero (more credited than sold) would give a negative number of days: as good as none.
    if sales_minor <= 0:
        return None
    return (Decimal(receivables_minor) * days / Decimal(sales_minor)).quantize(_PLACES, ROUND_HALF_UP)

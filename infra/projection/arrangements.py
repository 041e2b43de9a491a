"""What was arranged with customers as rows of SQL: promises, disputes, payments that have not cleared, payment plans; one row each."""

import datetime
from typing import NamedTuple

from infra.database import tables
from infra.projection.batch import Batch
from schemas.fields import split_account_id
from schemas.rows import DisputeRow, InstrumentRow, PaymentPlanRow, PromiseRow, RowKey

__all__ = ["project_arrangement"]


class _Said(NamedTuple):
    """The columns after the names, in the order of the table."""

    item: str
    kind: str
    status: str
    currency: str
    amount_minor: int | None
    received_minor: int
    made_on: datetime.date
    due_on: datetime.date | None
    until_on: datetime.date | None
    review_on: datetime.date | None
    reason: str
    author: str


def project_arrangement(
    batch: Batch, name: RowKey, row: PromiseRow | DisputeRow | InstrumentRow | PaymentPlanRow
) -> None:
    """Put one arrangement into the batch, under ``'<kind>/<id>'``."""
    key = (name.owner, f"{name.kind}/{name.id}")
    if isinstance(row, DisputeRow) and row.is_over:
        batch.forget(tables.arrangements, key=key)  # remembered only, in case an amendment is taken back
        return
    match row:
        case PromiseRow():
            said = _promise(row)
        case DisputeRow():
            said = _dispute(row)
        case InstrumentRow():
            said = _instrument(row)
        case PaymentPlanRow():
            said = _payment_plan(row)
    batch.put(tables.arrangements, key=key, row=(*key, *split_account_id(name.owner), *said))


def _promise(row: PromiseRow) -> _Said:
    return _Said(
        item="",
        kind="promise",
        status=row.status,
        currency=row.currency,
        amount_minor=row.amount_minor,
        received_minor=row.received_minor,
        made_on=row.made_on,
        due_on=row.due_on,
        until_on=row.until,
        review_on=None,
        reason=", ".join(part for part in (row.by, row.how) if part),
        author=row.author,
    )


def _dispute(row: DisputeRow) -> _Said:
    return _Said(
        item=row.item,
        kind="dispute",
        status="open" if row.ruled_on is None else "credited",
        currency="",
        amount_minor=row.amount_minor,
        received_minor=0,
        made_on=row.opened_on,
        due_on=None,
        until_on=None,
        review_on=row.review_on,
        reason=row.reason,
        author=row.author,
    )


def _instrument(row: InstrumentRow) -> _Said:
    return _Said(
        item="",
        kind="instrument",
        status=row.state,
        currency=row.currency,
        amount_minor=row.amount_minor,
        received_minor=0,
        made_on=row.received_on,
        due_on=row.document.payable_on,
        until_on=None,
        review_on=None,
        reason=row.document.means,
        author="",
    )


def _payment_plan(row: PaymentPlanRow) -> _Said:
    return _Said(
        item=row.item,
        kind="payment_plan",
        status=row.status,
        currency="",
        amount_minor=None,
        received_minor=0,
        made_on=row.made_on,
        due_on=None,
        until_on=row.alarm_on,
        review_on=None,
        reason=row.reason,
        author=row.author,
    )

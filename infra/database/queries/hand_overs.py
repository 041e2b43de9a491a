"""The hand-over file (R18): items whose plan is finished, for an agency or for lawyers, with what is open now."""

import datetime
from collections.abc import Iterator

from msgspec import Struct, json
from sqlalchemy import Connection, and_, select

from infra.database.tables import customers, decisions, items
from schemas.facts import ItemHandedOver

__all__ = ["HandOver", "hand_overs"]

_decoder = json.Decoder(ItemHandedOver)


class HandOver(Struct, frozen=True, kw_only=True):
    """One item; amounts are minor units: ``handed_over_minor`` was open on ``on``, ``open_minor`` is now."""

    account: str
    customer: str
    tax_id: str
    item: str
    reference: str
    to: str
    on: datetime.date
    issued_on: datetime.date
    due_on: datetime.date
    currency: str
    amount_minor: int
    handed_over_minor: int
    open_minor: int


def hand_overs(
    connection: Connection, *, company: str = "", to: str = "", since: datetime.date | None = None
) -> Iterator[HandOver]:
    """Walk what was handed over and is still open, by account and item.

    Args:
        connection: that sees one moment.
        company: of this one only.
        to: ``agency`` or ``legal`` only.
        since: handed over on this day or later.
    """
    of_item = and_(items.c["account"] == decisions.c["account"], items.c["item"] == decisions.c["item"])
    query = (
        select(
            decisions.c["detail_json"],
            items.c["issued_on"],
            items.c["open_minor"],
            customers.c["name"],
            customers.c["tax_id"],
        )
        .select_from(
            decisions.join(items, of_item).outerjoin(
                customers, customers.c["account"] == decisions.c["account"]
            )
        )
        .where(decisions.c["kind"] == "handed_over", items.c["status"] == "open")
        .order_by(decisions.c["account"], decisions.c["item"])
    )
    if company:
        query = query.where(items.c["company"] == company)
    for row in connection.execute(query):
        fact = _decoder.decode(row.detail_json)
        if to in ("", fact.to) and (since is None or fact.on >= since):
            yield HandOver(
                account=fact.account,
                customer=row.name or "",
                tax_id=row.tax_id or "",
                item=fact.item,
                reference=fact.reference,
                to=fact.to,
                on=fact.on,
                issued_on=row.issued_on,
                due_on=fact.due_on,
                currency=fact.currency,
                amount_minor=fact.amount_minor,
                handed_over_minor=fact.open_minor,
                open_minor=row.open_minor,
            )

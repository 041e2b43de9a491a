"""One document, or one payment or note: what it is, what settled what, and all that was said of it, in order (S0-09, S2-19)."""

import datetime
from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct, json
from sqlalchemy import Connection, and_, or_, select

from infra.database.queries.live import live_row
from infra.database.tables import (
    account_credits,
    applications,
    arrangements,
    decisions,
    holds,
    items,
    movements,
    reminder_ends,
    reminder_items,
    reminders,
    requests,
    withheld,
)
from schemas.events import PaymentReceived
from schemas.rows import CreditRow, InstrumentRow, ItemRow

__all__ = [
    "CreditStory",
    "DocumentStory",
    "Happened",
    "Reminded",
    "Settled",
    "credit_story",
    "document_story",
    "payment_has",
    "payment_said",
]

_LINES_MAX: Final = 200
Fields = dict[str, Any]


class Happened(Struct, frozen=True, kw_only=True):
    """A line of a history; ``kind`` is ``<source>/<what>``: ``movement/applied``, ``withheld/gap``, ``request/<type>`` …

    ``at`` is an instant or a company day; ``amount_minor`` is signed, None: it moved nothing.
    """

    at: str
    kind: str
    what: str
    amount_minor: int | None = None
    credit: str = ""
    item: str = ""
    text: str = ""
    author: str = ""
    until: datetime.date | None = None


class Reminded(Struct, frozen=True, kw_only=True):
    """A reminder that the document was in; ``step`` '' where it was only listed."""

    reminder: str
    at: datetime.datetime
    step: str
    level: str
    open_minor: int
    status: str


class Settled(Struct, frozen=True, kw_only=True):
    """What one payment or note settles of one document; ``automatic``: nobody named it."""

    credit: str
    item: str
    amount_minor: int
    applied_on: datetime.date
    automatic: bool


class DocumentStory(Struct, frozen=True, kw_only=True):
    """A document: its columns, its row as the ledger keeps it, and what hangs on it."""

    item: Fields
    row: ItemRow | None
    settled: tuple[Settled, ...]
    reminders: tuple[Reminded, ...]
    history: tuple[Happened, ...]
    hold: Fields | None
    arrangements: tuple[Fields, ...]


class CreditStory(Struct, frozen=True, kw_only=True):
    """A payment or note: its columns (None: it has not cleared), its row, and what hangs on it."""

    credit: str
    columns: Fields | None
    row: CreditRow | None
    instrument: InstrumentRow | None
    settled: tuple[Settled, ...]
    history: tuple[Happened, ...]
    hold: Fields | None


def document_story(connection: Connection, *, account: str, item: str) -> DocumentStory | None:
    """Tell the story of a document; None: there is none."""
    own = items.c["account"] == account, items.c["item"] == item
    found = connection.execute(select(items).where(*own)).mappings().first()
    if found is None:
        return None
    row = live_row(connection, owner=account, kind="item", name=item)
    agreed = and_(arrangements.c["account"] == account, _concerns(item, row))
    history = [
        *_moved(connection, account, movements.c["item"] == item),
        *_withheld(connection, account, item),
        *_decided(connection, account, item),
        *_requested(connection, account, "document", item),
    ]
    return DocumentStory(
        item=dict(found),
        row=row if isinstance(row, ItemRow) else None,
        settled=_settled(connection, account, applications.c["item"] == item),
        reminders=tuple(_reminded(connection, account, item)),
        history=_in_order(history),
        hold=_hold(connection, account, f"excluded/{item}"),
        arrangements=tuple(
            dict(each) for each in connection.execute(select(arrangements).where(agreed)).mappings()
        ),
    )


def credit_story(connection: Connection, *, account: str, credit: str) -> CreditStory | None:
    """Tell the story of a payment (``payment/<id>``), a credit note or a write-off; None: there is none."""
    name = credit.partition("/")[2]
    own = account_credits.c["account"] == account, account_credits.c["credit"] == credit
    found = connection.execute(select(account_credits).where(*own)).mappings().first()
    instrument = live_row(connection, owner=account, kind="instrument", name=name)
    waits = isinstance(instrument, InstrumentRow) and credit == f"payment/{name}"
    if found is None and not waits:
        return None
    row = live_row(connection, owner=account, kind="credit", name=credit)
    history = [
        *_moved(connection, account, movements.c["credit"] == credit),
        *_cleared(connection, account, name),
        *_requested(connection, account, "payment", name),
    ]
    return CreditStory(
        credit=credit,
        columns=None if found is None else dict(found),
        row=row if isinstance(row, CreditRow) else None,
        instrument=instrument if waits and isinstance(instrument, InstrumentRow) else None,
        settled=_settled(connection, account, applications.c["credit"] == credit),
        history=_in_order(history),
        hold=_hold(connection, account, f"excluded_payment/{name}"),
    )


def payment_said(connection: Connection, *, account: str, payment: str) -> PaymentReceived | None:
    """Give what was said when a payment came, be it money by now or not; None: there is none under this number."""
    for kind, name in (("instrument", payment), ("credit", f"payment/{payment}")):
        row = live_row(connection, owner=account, kind=kind, name=name)
        if isinstance(row, InstrumentRow | CreditRow) and isinstance(row.document, PaymentReceived):
            return row.document
    return None


def payment_has(connection: Connection, *, account: str, credit: str, state: str) -> bool:
    """Say whether the read model has a payment, in a state that it was said to be in."""
    name = credit.partition("/")[2]
    waits = select(arrangements.c["status"]).where(
        arrangements.c["account"] == account, arrangements.c["arrangement"] == f"instrument/{name}"
    )
    status = connection.execute(waits).scalar()
    if state in ("received", "deposited"):
        return status == state
    ended = select(account_credits.c["ended_on"]).where(
        account_credits.c["account"] == account, account_credits.c["credit"] == credit
    )
    row = connection.execute(ended).first()
    if state == "returned":
        return status == state or (row is not None and row.ended_on is not None)
    return row is not None and row.ended_on is None


def _concerns(item: str, row: object) -> Any:
    promise = row.promise if isinstance(row, ItemRow) else ""
    of_item = arrangements.c["item"] == item
    return or_(of_item, arrangements.c["arrangement"] == f"promise/{promise}") if promise else of_item


def _hold(connection: Connection, account: str, hold: str) -> Fields | None:
    query = select(holds).where(holds.c["account"] == account, holds.c["hold"] == hold)
    found = connection.execute(query).mappings().first()
    return None if found is None else dict(found)


def _settled(connection: Connection, account: str, which: Any) -> tuple[Settled, ...]:
    query = (
        select(applications)
        .where(applications.c["account"] == account, which)
        .order_by(applications.c["applied_on"], applications.c["application"])
        .limit(_LINES_MAX)
    )
    return tuple(
        Settled(**{name: row[name] for name in Settled.__struct_fields__})
        for row in connection.execute(query).mappings()
    )


def _reminded(connection: Connection, account: str, item: str) -> Iterator[Reminded]:
    of_item = and_(reminder_items.c["reminder"] == reminders.c["reminder"], reminder_items.c["item"] == item)
    query = (
        select(
            reminders.c["reminder"],
            reminders.c["tick"],
            reminders.c["step"].label("level"),
            reminder_items.c["step"],
            reminder_items.c["open_minor"],
            reminder_ends.c["status"],
        )
        .select_from(
            reminders.join(reminder_items, of_item).outerjoin(
                reminder_ends, reminder_ends.c["reminder"] == reminders.c["reminder"]
            )
        )
        .where(reminders.c["account"] == account)
        .order_by(reminders.c["tick"].desc())
        .limit(_LINES_MAX)
    )
    for row in connection.execute(query):
        yield Reminded(
            reminder=row.reminder,
            at=row.tick,
            step=row.step,
            level=row.level,
            open_minor=row.open_minor,
            status=row.status or "open",
        )


def _moved(connection: Connection, account: str, which: Any) -> Iterator[Happened]:
    query = (
        select(movements)
        .where(movements.c["account"] == account, which)
        .order_by(movements.c["record_offset"].desc())
        .limit(_LINES_MAX)
    )
    for row in connection.execute(query):
        yield Happened(
            at=row.business_date.isoformat(),
            kind="movement",
            what=row.kind,
            amount_minor=row.amount_minor,
            credit=row.counterpart if row.item else "",
            item=row.counterpart if row.credit else "",
            until=row.due_on,
        )


def _withheld(connection: Connection, account: str, item: str) -> Iterator[Happened]:
    query = (
        select(withheld)
        .where(withheld.c["account"] == account, withheld.c["item"] == item)
        .order_by(withheld.c["tick"].desc())
        .limit(_LINES_MAX)
    )
    for row in connection.execute(query):
        yield Happened(
            at=row.tick.isoformat(), kind="withheld", what=row.reason, text=row.step, until=row.until_on
        )


def _decided(connection: Connection, account: str, item: str) -> Iterator[Happened]:
    query = (
        select(decisions)
        .where(decisions.c["account"] == account, decisions.c["item"] == item)
        .order_by(decisions.c["id"].desc())
        .limit(_LINES_MAX)
    )
    for row in connection.execute(query):
        said = json.decode(row.detail_json)
        at = said.get("on") or said.get("known_on") or said.get("tick") or ""
        yield Happened(at=at, kind="decision", what=row.kind, author=said.get("author", ""))


def _cleared(connection: Connection, account: str, payment: str) -> Iterator[Happened]:
    """Give the states of a payment that was not cleared when it came (S1-21)."""
    query = select(decisions.c["detail_json"]).where(
        decisions.c["account"] == account, decisions.c["kind"] == "conditional_payment_changed"
    )
    for detail in connection.execute(query).scalars():
        said = json.decode(detail)
        if said["payment"] == payment:
            yield Happened(at=said["on"], kind="state", what=said["state"], text=said.get("reason", ""))


def _requested(connection: Connection, account: str, field: str, name: str) -> Iterator[Happened]:
    """Give what people asked of it: the command names it."""
    named = f'"{field}":{json.encode(name).decode()}'
    query = (
        select(requests)
        .where(requests.c["account"] == account, requests.c["request_json"].contains(named, autoescape=True))
        .order_by(requests.c["occurred_at"].desc())
        .limit(_LINES_MAX)
    )
    for row in connection.execute(query):
        said = json.decode(row.request_json)
        yield Happened(
            at=row.occurred_at,
            kind="request",
            what=row.request_type,
            text=said.get("reason") or said.get("text") or "",
            author=row.author,
        )


def _in_order(history: list[Happened]) -> tuple[Happened, ...]:
    """Put the newest first."""
    return tuple(sorted(history, key=lambda each: each.at, reverse=True)[:_LINES_MAX])

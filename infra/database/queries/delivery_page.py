"""Deliveries of reminders, the newest first, so many at a time (S4-22): level, documents, customer, channel, and what became of them.

Only the lines of the page are looked up further; what has been withheld is in ``reminders``.
"""

import datetime
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct, json
from sqlalchemy import ColumnElement, Connection, Select, and_, exists, select

from infra.database.tables import (
    accounts,
    companies,
    customers,
    deliveries,
    outcomes,
    reminder_ends,
    reminder_items,
    reminders,
)

__all__ = ["OUTCOMES", "DeliveryFilter", "DeliveryRow", "delivery_page"]

# The worst that was said of a delivery stands (``processors.fates``).
OUTCOMES: Final = (
    "bounced",
    "returned",
    "failed",
    "complained",
    "delivered",
    "accepted",
    "superseded",
    "unknown",
)
_SELDOM: Final = OUTCOMES[:4]
_NAMED: Final = 5  # documents of one reminder that are named


class DeliveryFilter(Struct, frozen=True, kw_only=True):
    """What is asked for; empty or None: all. ``companies`` are those that may be seen; ``outcome`` 'pending': no word yet."""

    companies: tuple[str, ...] = ()
    company: str = ""
    account: str = ""
    level: str = ""
    channel: str = ""
    outcome: str = ""
    document: str = ""
    first_on: datetime.date | None = None
    last_on: datetime.date | None = None


class DeliveryRow(Struct, frozen=True, kw_only=True):
    """One delivery: ``status`` is its reminder's ('open' before it has ended), ``outcome`` what was said of it.

    ``documents`` are the first five that were due, ``document_count`` counts all; ``amounts`` are (currency, minor units).
    """

    day: datetime.date
    reminder: str
    account: str
    name: str
    level: str
    channel: str
    documents: tuple[str, ...]
    document_count: int
    amounts: tuple[tuple[str, int], ...]
    status: str
    outcome: str
    error: str


def delivery_page(
    connection: Connection, *, asked: DeliveryFilter, skip: int, lines_max: int
) -> list[DeliveryRow]:
    """List them without the first ``skip``."""
    zones = {row.company: row.time_zone for row in connection.execute(select(companies))}
    query = (
        select(
            reminders.c["reminder"],
            reminders.c["account"],
            reminders.c["company"],
            reminders.c["tick"],
            reminders.c["step"],
            reminders.c["item_count"],
            reminders.c["totals_json"],
            deliveries.c["channel"],
        )
        # No index of reminders fits this: they are read first, newest first, and never looked up by all deliveries.
        .select_from(reminders.join(deliveries, deliveries.c["reminder"] == reminders.c["reminder"] + ""))
        .where(*_conditions(asked, zone=_zone(asked, zones)))
        .order_by(reminders.c["tick"].desc(), reminders.c["reminder"], deliveries.c["channel"])
        .offset(skip)
        .limit(lines_max)
    )
    rows = connection.execute(query).all()
    names = list(dict.fromkeys(row.reminder for row in rows))
    said, documents = _said(connection, names), _documents(connection, names)
    ended = select(reminder_ends.c["reminder"], reminder_ends.c["status"]).where(
        reminder_ends.c["reminder"].in_(names)
    )
    ends = {row.reminder: row.status for row in connection.execute(ended)}
    known = select(customers.c["account"], customers.c["name"]).where(
        customers.c["account"].in_({row.account for row in rows})
    )
    called = {row.account: row.name for row in connection.execute(known)}
    return [
        DeliveryRow(
            day=row.tick.astimezone(ZoneInfo(zones.get(row.company, "UTC"))).date(),
            reminder=row.reminder,
            account=row.account,
            name=called.get(row.account, ""),
            level=row.step,
            channel=row.channel,
            documents=tuple(documents[row.reminder][:_NAMED]),
            document_count=row.item_count,
            amounts=tuple((each["currency"], each["amount_minor"]) for each in json.decode(row.totals_json)),
            status=ends.get(row.reminder, "open"),
            outcome=said.get((row.reminder, row.channel), ("pending", ""))[0],
            error=said.get((row.reminder, row.channel), ("pending", ""))[1],
        )
        for row in rows
    ]


def _zone(asked: DeliveryFilter, zones: Mapping[str, str]) -> ZoneInfo:
    """Give where days begin: with the company that is asked for, or where all of them are; else in UTC."""
    known = {zones.get(asked.company, "UTC")} if asked.company else set(zones.values())
    return ZoneInfo(known.pop() if len(known) == 1 else "UTC")


def _conditions(asked: DeliveryFilter, *, zone: ZoneInfo) -> list[ColumnElement[bool]]:
    named = {
        reminders.c["company"]: asked.company,
        reminders.c["account"]: asked.account,
        reminders.c["step"]: asked.level,
        deliveries.c["channel"]: asked.channel,
    }
    found = [column == value for column, value in named.items() if value]
    if asked.companies:
        found.append(reminders.c["company"].in_(asked.companies))
    if asked.first_on is not None:
        found.append(reminders.c["tick"] >= _midnight(asked.first_on, zone))
    if asked.last_on is not None:
        found.append(reminders.c["tick"] < _midnight(asked.last_on + datetime.timedelta(days=1), zone))
    if asked.document:
        having = select(reminder_items.c["reminder"]).where(reminder_items.c["item"] == asked.document)
        found.append(reminders.c["reminder"].in_(having))
    if asked.outcome == "pending":
        found += [reminders.c["reminder"].in_(_without_end()), ~_was_said(OUTCOMES)]
    elif asked.outcome in OUTCOMES:
        found.append(_was_said((asked.outcome,)))
        if asked.outcome in _SELDOM:
            # Few have it: they are found by it, and not all others looked at to see that they have not.
            said = select(outcomes.c["reminder"]).where(outcomes.c["status"] == asked.outcome)
            found.append(reminders.c["reminder"].in_(said))
        worse = OUTCOMES[: OUTCOMES.index(asked.outcome)]
        found += [~_was_said(worse)] if worse else []
    return found


def _without_end() -> Select[tuple[str]]:
    """Find the reminders whose deliveries have not all had their fate: accounts name them, or one that was decided beside (R23)."""
    named, beside = reminders.alias("named"), reminders.alias("beside")
    same = and_(beside.c["account"] == named.c["account"], beside.c["tick"] == named.c["tick"])
    open_ = and_(accounts.c["open_reminder"] != "", accounts.c["open_reminder"] == named.c["reminder"])
    return select(beside.c["reminder"]).select_from(accounts.join(named, open_).join(beside, same))


def _was_said(statuses: Sequence[str]) -> ColumnElement[bool]:
    return exists().where(
        and_(
            outcomes.c["reminder"] == deliveries.c["reminder"],
            outcomes.c["channel"] == deliveries.c["channel"],
            outcomes.c["status"].in_(statuses),
        )
    )


def _said(connection: Connection, names: Sequence[str]) -> dict[tuple[str, str], tuple[str, str]]:
    """Give the worst that was said of each delivery, with its error."""
    columns = (outcomes.c["reminder"], outcomes.c["channel"], outcomes.c["status"], outcomes.c["error_type"])
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for row in connection.execute(select(*columns).where(outcomes.c["reminder"].in_(names))):
        key, known = (row.reminder, row.channel), found.get((row.reminder, row.channel))
        if row.status in OUTCOMES and (
            known is None or OUTCOMES.index(row.status) < OUTCOMES.index(known[0])
        ):
            found[key] = (row.status, row.error_type)
    return found


def _documents(connection: Connection, names: Sequence[str]) -> dict[str, list[str]]:
    query = (
        select(reminder_items.c["reminder"], reminder_items.c["item"])
        .where(reminder_items.c["reminder"].in_(names), reminder_items.c["step"] != "")
        .order_by(reminder_items.c["reminder"], reminder_items.c["item"])
    )
    found: defaultdict[str, list[str]] = defaultdict(list)
    for reminder, item in connection.execute(query):
        found[reminder].append(item)
    return found


def _midnight(day: datetime.date, zone: ZoneInfo) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(), tzinfo=zone)

"""Reminders and the noes: what was sent, what became of it, and what was withheld and why (R31).

Days are company days: an instant is turned into one with the company's zone, which SQL does not
know on every database; so filters become instants per company, and summaries are made of ticks.
"""

import datetime
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct, json
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)

from infra.database.queries.reminder_filter import By, Filter
from infra.database.send_tables import send_jobs
from infra.database.tables import (
    companies,
    customers,
    deliveries,
    outcomes,
    reminder_ends,
    reminder_items,
    reminders,
    withheld,
)

__all__ = ["ReminderLine", "Summary", "reminder_lines", "reminder_summary"]

# The worst that was said of a delivery stands (``processors.fates``).
_FINAL_FIRST: Final = {
    "bounced": 0,
    "returned": 1,
    "failed": 2,
    "complained": 3,
    "delivered": 4,
    "accepted": 5,
    "superseded": 6,
    "unknown": 7,
}


class ReminderLine(Struct, frozen=True, kw_only=True):
    """One delivery of a reminder, or one step of an item that was withheld.

    ``status`` is the reminder's, ``outcome`` what was last reported of this delivery (``pending``
    before that). ``items`` are the ones due (at most 500 are named, ``item_count`` counts all),
    ``amounts`` their (currency, minor units); a withheld step has no amounts. ``cost`` is what
    the delivery cost, in millionths of ``cost_currency`` ('': not known, or not sent yet).
    """

    day: datetime.date
    at: datetime.datetime
    account: str
    name: str
    level: str
    channel: str
    status: str
    outcome: str
    reason: str
    reminder: str
    items: str
    item_count: int
    amounts: tuple[tuple[str, int], ...]
    cost_micros: int = 0
    cost_currency: str = ""


class Summary(Struct, frozen=True, kw_only=True):
    """How many lines have this value and this status; of those sent, over how many reminders."""

    value: str
    status: str
    count: int
    reminder_count: int


def reminder_lines(connection: Connection, *, asked: Filter, lines_max: int) -> list[ReminderLine]:
    """List the newest `lines_max` lines that the filter leaves, in the order of time."""
    zones = _zones(connection)
    lines = _lines(asked, zones)
    order = ("tick", "account", "reference", "channel")
    newest = lines.order_by(*(lines.selected_columns[name].desc() for name in order)).limit(lines_max)
    shown = newest.subquery("shown")
    rows = connection.execute(
        select(
            shown,
            func.coalesce(customers.c.name, "").label("name"),
            func.coalesce(send_jobs.c.cost_micros, 0).label("cost_micros"),
            func.coalesce(send_jobs.c.cost_currency, "").label("cost_currency"),
            _named_items(shown).label("named_items"),
        )
        .select_from(
            shown.outerjoin(customers, customers.c.account == shown.c.account).outerjoin(
                send_jobs,
                and_(send_jobs.c.reminder == shown.c.reminder, send_jobs.c.channel == shown.c.channel),
            )
        )
        .order_by(*(shown.c[name] for name in order))
    )
    return [_line(row, zones) for row in rows]


def reminder_summary(connection: Connection, *, asked: Filter, by: By) -> list[Summary]:
    """Count the lines that the filter leaves by one value and by status."""
    zones = _zones(connection)
    lines = _lines(asked, zones).subquery("lines")
    # By day, the company decides which day a tick is: counted by tick here, by day below.
    values = [lines.c.tick, lines.c.company] if by == "day" else [lines.c[by]]
    rows = connection.execute(
        select(
            *values,
            lines.c.status,
            func.count().label("lines"),
            func.count(lines.c.reminder.distinct()).label("reminders"),
        ).group_by(*values, lines.c.status)
    )
    counts: Counter[tuple[str, str]] = Counter()
    reminder_counts: Counter[tuple[str, str]] = Counter()
    for *value, status, count, reminder_count in rows:
        name = _day(value[0], value[1], zones).isoformat() if by == "day" else value[0]
        counts[name, status] += count
        reminder_counts[name, status] += reminder_count
    return [
        Summary(value=name, status=status, count=count, reminder_count=reminder_counts[name, status])
        for (name, status), count in sorted(counts.items())
    ]


def _lines(asked: Filter, zones: Mapping[str, str]) -> Select[Any]:
    both = union_all(_deliveries(), _withheld()).subquery("both")
    named = {
        both.c.company: asked.company,
        both.c.account: asked.account,
        both.c.level: asked.level,
        both.c.channel: asked.channel,
        both.c.status: asked.status,
        both.c.reason: asked.reason,
    }
    conditions = [column == value for column, value in named.items() if value]
    if asked.first_on or asked.last_on:
        conditions.append(_on_days(both, asked, zones))
    return select(both).where(*conditions)


def _named_items(lines: Any) -> Any:
    """Give the ids of the items that are due in a line's reminder, as one text."""
    due = (
        select(reminder_items.c.item)
        .where(reminder_items.c.reminder == lines.c.reminder, reminder_items.c.step != "")
        .order_by(reminder_items.c.item)
        .correlate(lines)
        .subquery("due")
    )
    return select(func.coalesce(func.aggregate_strings(due.c.item, ", "), "")).scalar_subquery()


def _deliveries() -> Select[Any]:
    """Select a line per (reminder, channel), with the last that was reported of it."""
    rank = case(_FINAL_FIRST, value=outcomes.c.status, else_=len(_FINAL_FIRST))
    last = func.row_number().over(
        partition_by=(outcomes.c.reminder, outcomes.c.channel),
        order_by=(rank, outcomes.c.record_offset.desc()),
    )
    reported = select(
        outcomes.c.reminder, outcomes.c.channel, outcomes.c.status, outcomes.c.error_type, last.label("place")
    ).subquery("reported")
    of_delivery = and_(
        reported.c.reminder == deliveries.c.reminder,
        reported.c.channel == deliveries.c.channel,
        reported.c.place == 1,
    )
    joined = (
        deliveries.join(reminders, reminders.c.reminder == deliveries.c.reminder)
        .outerjoin(reported, of_delivery)
        .outerjoin(reminder_ends, reminder_ends.c.reminder == deliveries.c.reminder)
    )
    return select(
        reminders.c.tick,
        reminders.c.company,
        reminders.c.account,
        reminders.c.step.label("level"),
        deliveries.c.channel,
        func.coalesce(reminder_ends.c.status, "open").label("status"),
        func.coalesce(reported.c.status, "pending").label("outcome"),
        func.coalesce(reported.c.error_type, "").label("reason"),
        reminders.c.reminder,
        reminders.c.reminder.label("reference"),
        literal("").label("item"),
        reminders.c.item_count,
        reminders.c.totals_json,
    ).select_from(joined)


def _withheld() -> Select[Any]:
    """Select a line per item's step in what was said of the ones not sent."""
    return select(
        withheld.c.tick,
        withheld.c.company,
        withheld.c.account,
        withheld.c.step.label("level"),
        literal("").label("channel"),
        literal("withheld").label("status"),
        literal("").label("outcome"),
        withheld.c.reason,
        cast(null(), Text).label("reminder"),
        (withheld.c.id + "/" + withheld.c.item).label("reference"),
        withheld.c.item,
        literal(1).label("item_count"),
        literal("[]").label("totals_json"),
    )


def _zones(connection: Connection) -> dict[str, str]:
    return {row.company: row.time_zone for row in connection.execute(select(companies))}


def _on_days(lines: Any, asked: Filter, zones: Mapping[str, str]) -> ColumnElement[bool]:
    within = [
        and_(lines.c.company == company, *_bounds(lines, asked, ZoneInfo(zone)))
        for company, zone in sorted(zones.items())
    ]
    elsewhere = and_(lines.c.company.not_in(sorted(zones)), *_bounds(lines, asked, ZoneInfo("UTC")))
    return or_(false(), elsewhere, *within)


def _bounds(lines: Any, asked: Filter, zone: ZoneInfo) -> list[ColumnElement[bool]]:
    bounds = []
    if asked.first_on:
        bounds.append(lines.c.tick >= _midnight(asked.first_on, zone))
    if asked.last_on:
        bounds.append(lines.c.tick < _midnight(asked.last_on + datetime.timedelta(days=1), zone))
    return bounds


def _midnight(day: datetime.date, zone: ZoneInfo) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(), tzinfo=zone)


def _day(tick: datetime.datetime, company: str, zones: Mapping[str, str]) -> datetime.date:
    return tick.astimezone(ZoneInfo(zones.get(company, "UTC"))).date()


def _line(row: Any, zones: Mapping[str, str]) -> ReminderLine:
    totals = json.decode(row.totals_json)
    return ReminderLine(
        day=_day(row.tick, row.company, zones),
        at=row.tick,
        account=row.account,
        name=row.name,
        level=row.level,
        channel=row.channel,
        status=row.status,
        outcome=row.outcome,
        reason=row.reason,
        reminder=row.reminder or "",
        items=row.item or row.named_items,
        item_count=row.item_count,
        amounts=tuple((each["currency"], each["amount_minor"]) for each in totals),
        cost_micros=row.cost_micros,
        cost_currency=row.cost_currency,
    )

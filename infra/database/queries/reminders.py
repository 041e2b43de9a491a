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

__all__ = ["WITHHELD", "ReminderLine", "Summary", "reminder_lines", "reminder_summary"]

WITHHELD: Final = "withheld"
_DAY: Final = datetime.timedelta(days=1)
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


def reminder_lines(
    connection: Connection, *, asked: Filter, lines_max: int, skip: int = 0
) -> list[ReminderLine]:
    """List the newest `lines_max` lines that the filter leaves, without the first ``skip`` of these, in the order of time."""
    zones = _zones(connection)
    order = ("tick", "account", "reference", "channel")
    # Of each kind so many at most, by their own index; then of both.
    kinds = [
        each.order_by(*(each.selected_columns[name].desc() for name in order))
        .limit(skip + lines_max)
        .subquery()
        for each in _kinds(asked, zones)
    ]
    both = union_all(*(select(each) for each in kinds)).subquery("both")
    newest = select(both).order_by(*(both.c[name].desc() for name in order)).offset(skip).limit(lines_max)
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
    kinds = _kinds(asked, zones, with_outcomes=by == "reason")
    lines = union_all(*kinds).subquery("lines")
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


def _kinds(asked: Filter, zones: Mapping[str, str], *, with_outcomes: bool = True) -> list[Select[Any]]:
    """Select deliveries and what was withheld, each as far as it is asked for; one of them at least."""
    kinds = []
    if asked.status != WITHHELD:
        kinds.append(_deliveries(asked, zones, with_outcomes=with_outcomes or bool(asked.reason)))
    if asked.status in ("", WITHHELD) and not asked.channel:
        kinds.append(_withheld(asked, zones))
    return kinds or [_withheld(asked, zones).where(false())]


def _conditions(
    asked: Filter, zones: Mapping[str, str], *, named: Mapping[str, Any]
) -> list[ColumnElement[bool]]:
    """Give the conditions on columns by their names; ``tick`` is among them."""
    fields = ("company", "account", "level", "channel", "status", "reason")
    found = [named[name] == getattr(asked, name) for name in fields if name in named and getattr(asked, name)]
    if asked.first_on or asked.last_on:
        found += _on_days(named["company"], named["tick"], asked, zones)
    return found


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


def _deliveries(asked: Filter, zones: Mapping[str, str], *, with_outcomes: bool) -> Select[Any]:
    """Select a line per (reminder, channel), with the last that was reported of it."""
    joined = deliveries.join(reminders, reminders.c.reminder == deliveries.c.reminder).outerjoin(
        reminder_ends, reminder_ends.c.reminder == deliveries.c.reminder
    )
    status = func.coalesce(reminder_ends.c.status, "open")
    reason = _reported(outcomes.c.error_type, none="") if with_outcomes else literal("")
    named = {
        "tick": reminders.c.tick,
        "company": reminders.c.company,
        "account": reminders.c.account,
        "level": reminders.c.step,
        "channel": deliveries.c.channel,
        "status": status,
        "reason": reason,
    }
    return (
        select(
            reminders.c.tick,
            reminders.c.company,
            reminders.c.account,
            reminders.c.step.label("level"),
            deliveries.c.channel,
            status.label("status"),
            (_reported(outcomes.c.status, none="pending") if with_outcomes else literal("")).label("outcome"),
            reason.label("reason"),
            reminders.c.reminder,
            reminders.c.reminder.label("reference"),
            literal("").label("item"),
            reminders.c.item_count,
            reminders.c.totals_json,
        )
        .select_from(joined)
        .where(*_conditions(asked, zones, named=named))
    )


def _reported(column: Any, *, none: str) -> ColumnElement[str]:
    """Give of a delivery what stands of all that was reported."""
    rank = case(_FINAL_FIRST, value=outcomes.c.status, else_=len(_FINAL_FIRST))
    found = (
        select(column)
        .where(outcomes.c.reminder == deliveries.c.reminder, outcomes.c.channel == deliveries.c.channel)
        .order_by(rank, outcomes.c.record_offset.desc())
        .limit(1)
        .correlate(deliveries)
        .scalar_subquery()
    )
    return func.coalesce(found, none)


def _withheld(asked: Filter, zones: Mapping[str, str]) -> Select[Any]:
    """Select a line per item's step in what was said of the ones not sent."""
    named = {
        "tick": withheld.c.tick,
        "company": withheld.c.company,
        "account": withheld.c.account,
        "level": withheld.c.step,
        "reason": withheld.c.reason,
    }
    return select(
        withheld.c.tick,
        withheld.c.company,
        withheld.c.account,
        withheld.c.step.label("level"),
        literal("").label("channel"),
        literal(WITHHELD).label("status"),
        literal("").label("outcome"),
        withheld.c.reason,
        cast(null(), Text).label("reminder"),
        (withheld.c.id + "/" + withheld.c.item).label("reference"),
        withheld.c.item,
        literal(1).label("item_count"),
        literal("[]").label("totals_json"),
    ).where(*_conditions(asked, zones, named=named))


def _zones(connection: Connection) -> dict[str, str]:
    return {row.company: row.time_zone for row in connection.execute(select(companies))}


def _on_days(company: Any, tick: Any, asked: Filter, zones: Mapping[str, str]) -> list[ColumnElement[bool]]:
    """Say that a tick is on the days; the days of the earliest and the latest zone first, which an index can tell."""
    known = {name: ZoneInfo(zone) for name, zone in zones.items()}
    utc = ZoneInfo("UTC")
    if all(zone == utc for zone in known.values()):
        return _bounds(tick, asked, utc)
    within = [and_(company == name, *_bounds(tick, asked, zone)) for name, zone in sorted(known.items())]
    elsewhere = and_(company.not_in(sorted(known)), *_bounds(tick, asked, utc))
    return [*_widest(tick, asked), or_(elsewhere, *within)]


def _widest(tick: Any, asked: Filter) -> list[ColumnElement[bool]]:
    """Bound a tick by a day more on both sides: no zone is farther from UTC."""
    utc, found = ZoneInfo("UTC"), []
    if asked.first_on:
        found.append(tick >= _midnight(asked.first_on - _DAY, utc))
    if asked.last_on:
        found.append(tick < _midnight(asked.last_on + 2 * _DAY, utc))
    return found


def _bounds(tick: Any, asked: Filter, zone: ZoneInfo) -> list[ColumnElement[bool]]:
    bounds = []
    if asked.first_on:
        bounds.append(tick >= _midnight(asked.first_on, zone))
    if asked.last_on:
        bounds.append(tick < _midnight(asked.last_on + _DAY, zone))
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

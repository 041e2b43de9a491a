"""What sending has cost, by day, channel, company, level or provider; currencies are never added.

It counts what providers have taken, and what they may have taken (in doubt). Days are company days
of the sending. A delivery without a price is counted, as unpriced.
"""

import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import Connection, func, select

from infra.database.queries.cost_filter import CostFilter, CostsBy
from infra.database.send_tables import send_jobs
from infra.database.tables import companies, reminders

__all__ = ["CostLine", "cost_lines", "usual_parts"]

_PAID = ("accepted", "unknown")
_DAY = datetime.timedelta(days=1)


class CostLine(Struct, kw_only=True):
    """One value and currency: deliveries, their parts (segments, pages, mails), and millionths of the currency.

    ``unpriced`` deliveries have no price that is known; where all are such, ``currency`` is ''.
    """

    value: str
    currency: str
    deliveries: int = 0
    parts: int = 0
    micros: int = 0
    unpriced: int = 0


def cost_lines(connection: Connection, *, asked: CostFilter, by: CostsBy) -> list[CostLine]:
    """Sum up the deliveries that the filter leaves, by one value and by currency."""
    zones = {row.company: ZoneInfo(row.time_zone) for row in connection.execute(select(companies))}
    lines: dict[tuple[str, str], CostLine] = {}
    step = func.coalesce(reminders.c["step"], "").label("level")
    names = ("company", "channel", "provider", "occurred_at", "cost_currency", "cost_micros", "cost_parts")
    named = {"company": asked.company, "channel": asked.channel}
    query = (
        select(*(send_jobs.c[name] for name in names), step)
        .outerjoin(reminders, reminders.c["reminder"] == send_jobs.c["reminder"])
        .where(send_jobs.c["state"].in_(_PAID), send_jobs.c["channel"] != "task")
        .where(*(send_jobs.c[name] == value for name, value in named.items() if value))
    )
    if asked.first_on is not None:  # instants are written in UTC, which no zone is farther from than a day
        query = query.where(send_jobs.c["occurred_at"] >= (asked.first_on - _DAY).isoformat())
    for row in connection.execute(query):
        day = _day(row.occurred_at, zones.get(row.company))
        if asked.is_within(day) and asked.level in ("", row.level):
            value = day.isoformat() if by == "day" else str(getattr(row, by))
            key = (value, row.cost_currency)
            line = lines.setdefault(key, CostLine(value=value, currency=row.cost_currency))
            line.deliveries += 1
            line.parts += row.cost_parts
            line.micros += row.cost_micros
            line.unpriced += not row.cost_currency
    return [lines[key] for key in sorted(lines)]


def usual_parts(connection: Connection) -> dict[str, Decimal]:
    """Give how many parts a delivery of each channel has had on average; a channel that sent none is left out."""
    query = (
        select(send_jobs.c["channel"], func.sum(send_jobs.c["cost_parts"]), func.count())
        .where(send_jobs.c["state"].in_(_PAID), send_jobs.c["cost_parts"] > 0)
        .group_by(send_jobs.c["channel"])
    )
    return {channel: Decimal(int(parts)) / count for channel, parts, count in connection.execute(query)}


def _day(occurred_at: str, zone: ZoneInfo | None) -> datetime.date:
    return datetime.datetime.fromisoformat(occurred_at).astimezone(zone or ZoneInfo("UTC")).date()

"""How many messages went out per day, and how many went wrong, counted by the database (S4-20, S4-21); for charts.

A day is the company's of the instant itself: instants are counted by their hour here, and hours put into days.
"""

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, func, select

from infra.database.send_tables import send_jobs
from infra.database.tables import accounts, companies, outcomes

__all__ = ["ChartAsked", "due_by_day", "errors_by_day", "sent_by_day"]

_DAY: Final = datetime.timedelta(days=1)
_ERRORS: Final = ("bounced", "returned", "failed", "complained")


class ChartAsked(Struct, frozen=True, kw_only=True):
    """Of which companies (none: all), from the first day to the last."""

    companies: tuple[str, ...]
    first_on: datetime.date
    last_on: datetime.date

    def has(self, day: datetime.date) -> bool:
        """Say whether a day is asked for."""
        return self.first_on <= day <= self.last_on


def sent_by_day(connection: Connection, *, asked: ChartAsked) -> Counter[tuple[datetime.date, str]]:
    """Count what providers took, by company day and channel: reminders and other messages alike."""
    hour, offset = _hour(send_jobs.c["occurred_at"])
    query = (
        select(send_jobs.c["company"], send_jobs.c["channel"], hour, offset, func.count())
        .where(
            send_jobs.c["state"] == "accepted",
            *_within(send_jobs.c["occurred_at"], asked),
            *_of(send_jobs.c["company"], asked.companies),
        )
        .group_by(send_jobs.c["company"], send_jobs.c["channel"], hour, offset)
    )
    zones, found = _zones(connection), Counter[tuple[datetime.date, str]]()
    for company, channel, at, ends, count in connection.execute(query):
        day = _day(at, ends, zone=zones.get(company, "UTC"))
        if asked.has(day):
            found[day, channel] += count
    return found


def errors_by_day(connection: Connection, *, asked: ChartAsked) -> Counter[tuple[datetime.date, str]]:
    """Count what went wrong at sending or was said later, by company day and error (its status where it has none)."""
    hour, offset = _hour(outcomes.c["occurred_at"])
    company = accounts.c["company"]
    query = (
        select(company, outcomes.c["status"], outcomes.c["error_type"], hour, offset, func.count())
        .select_from(outcomes.join(accounts, accounts.c["account"] == outcomes.c["account"]))
        .where(
            outcomes.c["status"].in_(_ERRORS),
            *_within(outcomes.c["occurred_at"], asked),
            *_of(company, asked.companies),
        )
        .group_by(company, outcomes.c["status"], outcomes.c["error_type"], hour, offset)
    )
    zones, found = _zones(connection), Counter[tuple[datetime.date, str]]()
    for name, status, error, at, ends, count in connection.execute(query):
        day = _day(at, ends, zone=zones.get(name, "UTC"))
        if asked.has(day):
            found[day, error or status] += count
    return found


def due_by_day(connection: Connection, *, asked: ChartAsked, among: int) -> dict[datetime.date, int] | None:
    """Count the accounts that wake on each day, where there are more than ``among``; None: few enough to foresee each."""
    first = datetime.datetime.combine(asked.first_on, datetime.time(), tzinfo=datetime.UTC)
    last = datetime.datetime.combine(asked.last_on + _DAY, datetime.time(), tzinfo=datetime.UTC)
    wakes = accounts.c["wake_at"]
    query = select(wakes, func.count()).where(
        wakes >= first, wakes < last, *_of(accounts.c["company"], asked.companies)
    )
    found: Counter[datetime.date] = Counter()
    for at, count in connection.execute(query.group_by(wakes)):
        found[at.date()] += count
    return dict(found) if found.total() > among else None


def _hour(column: ColumnElement[str]) -> tuple[ColumnElement[str], ColumnElement[str]]:
    """Give an instant's text up to its hour, and its end, which has the offset."""
    return func.substr(column, 1, 13), func.substr(column, func.length(column) - 5)


def _day(hour: str, offset: str, *, zone: str) -> datetime.date:
    if len(hour) <= len("2026-01-31"):
        return datetime.date.fromisoformat(hour)
    has_offset = offset[:1] in "+-" and offset[3:4] == ":"
    at = datetime.datetime.fromisoformat(f"{hour}:00:00{offset if has_offset else '+00:00'}")
    return at.astimezone(ZoneInfo(zone)).date()


def _within(column: ColumnElement[str], asked: ChartAsked) -> list[ColumnElement[bool]]:
    return [column >= (asked.first_on - _DAY).isoformat(), column < (asked.last_on + 2 * _DAY).isoformat()]


def _of(column: ColumnElement[Any], named: Sequence[str]) -> list[ColumnElement[bool]]:
    return [column.in_(named)] if named else []


def _zones(connection: Connection) -> Mapping[str, str]:
    return {row.company: row.time_zone for row in connection.execute(select(companies))}

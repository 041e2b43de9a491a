"""When reports that are mailed by schedule are due: at an hour of the company's day, daily, weekly or monthly."""

import datetime
from calendar import monthrange
from typing import Final
from zoneinfo import ZoneInfo

from infra.database.report_post import Every, Schedule

__all__ = ["LATE_MAX", "due_day", "instant_of", "is_day"]

_LOOK_BACK: Final = 31
# What nobody carried out for so long is told as missed, and not sent: its day is over.
LATE_MAX: Final = datetime.timedelta(hours=24)


def is_day(day: datetime.date, *, every: Every, number: int) -> bool:
    """Say whether a report is due on a day; a month that has no such day has its last one instead."""
    if every == "day":
        return True
    if every == "week":
        return day.isoweekday() == number
    return day.day == min(number, monthrange(day.year, day.month)[1])


def instant_of(day: datetime.date, *, hour: int, zone: ZoneInfo) -> datetime.datetime:
    """Give the instant of an hour of a day; an hour that the clock jumps over is the one behind it."""
    local = datetime.datetime.combine(day, datetime.time(hour), tzinfo=zone)
    return local.astimezone(datetime.UTC)


def due_day(schedule: Schedule, *, now: datetime.datetime, zone: ZoneInfo) -> datetime.date | None:
    """Give the last day on which a schedule was due by now, since it was made; None: there was none."""
    today = now.astimezone(zone).date()
    for back in range(_LOOK_BACK + 1):
        day = today - datetime.timedelta(days=back)
        at = instant_of(day, hour=schedule.hour, zone=zone)
        if at < schedule.made_at:
            return None
        if at <= now and is_day(day, every=schedule.every, number=schedule.number):
            return day
    return None

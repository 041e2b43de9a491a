"""What is planned, filtered and counted as ``cobranza reminders`` does with what was sent."""

import datetime
from collections import Counter
from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection

from console.cli.formats import Cell
from infra.database.queries.reminder_filter import By, Filter
from infra.database.queries.scheduled import ScheduledLine, newest_day, scheduled

__all__ = ["counted", "planned_lines"]

_AHEAD: Final = datetime.timedelta(days=30)


def planned_lines(connection: Connection, *, asked: Filter) -> list[ScheduledLine]:
    """List what is planned until ``asked.last_on`` (else 30 days ahead), by day and account."""
    today = newest_day(connection)
    if today is None:
        return []
    last_on = asked.last_on or today + _AHEAD
    found = scheduled(connection, last_on=last_on, company=asked.company, account=asked.account)
    lines = [
        each
        for each in found
        if (asked.first_on is None or each.day >= asked.first_on)
        and asked.level in ("", each.level)
        and asked.channel in ("", each.channel)
    ]
    return sorted(lines, key=lambda each: (each.day, each.account))


def counted(lines: Iterable[ScheduledLine], *, by: By) -> list[dict[str, Cell]]:
    """Count lines and reminders by a value; an account has at most one reminder at a time, so a day and level name it."""
    counts: Counter[str] = Counter()
    reminders: dict[str, set[tuple[object, ...]]] = {}
    for each in lines:
        value = str(getattr(each, by))
        counts[value] += 1
        reminders.setdefault(value, set()).add((each.account, each.day, each.level, each.items))
    return [
        {by: value, "status": "scheduled", "lines": counts[value], "reminders": len(reminders[value])}
        for value in sorted(counts)
    ]

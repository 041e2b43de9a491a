"""Which days are open for contacts at all: weekdays with hours, holidays; and what contacts the debtor."""

import datetime
from collections.abc import Iterable

from processors.calendar import is_holiday
from schemas.law import Contacting, Hours
from schemas.plans import Action

__all__ = ["CALL_TASKS", "contacts_someone", "hours_on", "is_open_day", "name_of"]

# Tasks of these types have someone call or visit the debtor; other tasks contact nobody.
CALL_TASKS = frozenset({"call", "visit", "llamada", "visita"})
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ALL_DAY = Hours(days=_WEEKDAYS, opens=datetime.time(0), closes=datetime.time(23, 59))  # type: ignore[arg-type]


def name_of(channel: str, *, task_type: str = "") -> str:
    """Give the law's name of a channel: ``call`` for a task to call or visit; '' for one that contacts nobody."""
    if channel != "task":
        return channel
    return "call" if task_type in CALL_TASKS else ""


def contacts_someone(actions: Iterable[Action]) -> bool:
    """Say whether one of a step's actions contacts the debtor."""
    for each in actions:  # noqa: SIM110 - asked with every new invoice: a loop costs half
        if each.channel != "task" or each.task_type in CALL_TASKS:
            return True
    return False


def is_open_day(rules: Contacting, *, day: datetime.date, country: str) -> bool:
    """Say whether anyone may be contacted on a day at all: its weekday has hours, and it is no holiday."""
    if not rules.holidays and is_holiday(day, country=country):
        return False
    return bool(hours_on(rules, day=day))


def hours_on(rules: Contacting, *, day: datetime.date) -> list[Hours]:
    """List the hours of a day's weekday; a law without hours is open all day."""
    if not rules.hours:
        return [_ALL_DAY]
    weekday = _WEEKDAYS[day.weekday()]
    return [each for each in rules.hours if weekday in each.days]

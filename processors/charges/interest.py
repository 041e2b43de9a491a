"""Simple interest on what was owed, day by day, by dated rates; whole numbers, rounded once (R22).

A day accrues on what was owed when it began, at the rate of that day, so
that an item paid a day late bears one day. The numerators of all segments are
added exactly, and the sum is rounded half up to a minor unit.
"""

import datetime
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from processors.percent import MICRO_PER_WHOLE, micro_of, rounded
from schemas.law import Rate

__all__ = ["Segment", "interest_minor", "rates_between", "segments"]

_DAY = datetime.timedelta(days=1)


class Segment(NamedTuple):
    """Days ``from_on`` to ``until_on``, both included, with one balance and one rate (millionths of a percent a year)."""

    from_on: datetime.date
    until_on: datetime.date
    balance_minor: int
    rate_micro: int

    @property
    def days(self) -> int:
        """Count the days."""
        return (self.until_on - self.from_on).days + 1


def segments(
    balance_minor: int,
    *,
    settled: Iterable[tuple[datetime.date, int]],
    rates: Sequence[Rate],
    from_on: datetime.date,
    until_on: datetime.date,
) -> list[Segment]:
    """Cut the days of a claim where the balance or the rate changes; days without either are left out.

    Args:
        balance_minor: what the item came to.
        settled: when how much of it was settled; a payment's own day still bears interest on it.
        rates: ascending by day, margin included; a day before the first has none.
        from_on: the first day to bear interest.
        until_on: the last one.
    """
    if from_on > until_on:
        return []
    paid = sorted(settled)
    cuts = {from_on, until_on + _DAY}
    cuts |= {on + _DAY for on, _ in paid if from_on < on + _DAY <= until_on}
    cuts |= {rate.start_on for rate in rates if from_on < rate.start_on <= until_on}
    found: list[Segment] = []
    for start, end in pairwise(sorted(cuts)):
        owed_minor = balance_minor - sum(amount_minor for on, amount_minor in paid if on < start)
        rate_micro = _rate_micro(rates, start)
        if owed_minor > 0 and rate_micro > 0:
            found.append(Segment(start, end - _DAY, owed_minor, rate_micro))
    return found


def interest_minor(found: Sequence[Segment], *, days_in_year: int) -> int:
    """Add up the interest of segments, rounded half up once."""
    exact = sum(each.balance_minor * each.rate_micro * each.days for each in found)
    return rounded(exact, denominator=MICRO_PER_WHOLE * days_in_year)


def rates_between(
    rates: Sequence[Rate], *, from_on: datetime.date, until_on: datetime.date
) -> tuple[Rate, ...]:
    """Give the rates that hold on some day of a time: what is computed again by them comes out the same."""
    later = [each for each in rates if from_on < each.start_on <= until_on]
    first = [each for each in rates if each.start_on <= from_on][-1:]
    return (*first, *later)


def _rate_micro(rates: Iterable[Rate], day: datetime.date) -> int:
    percent = "0"
    for rate in rates:
        if rate.start_on > day:
            break
        percent = rate.percent
    return micro_of(percent)

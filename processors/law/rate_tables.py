"""Tables of interest rates: through which day one speaks, and one more rate (R22). Rates are never made up: who publishes one says it.

The newest rate of a table is used for every later day, since a law's interest does not stop because nobody has
typed in the next rate; so whoever is responsible is told that the table has ended.
"""

import datetime
from collections.abc import Sequence
from itertools import pairwise

from msgspec.structs import replace

from processors.percent import micro_of
from schemas.law import Interest, LawEdition, LawProfile, Rate

__all__ = ["RateError", "edition_on", "speaks_through", "with_rate"]

_MONTHS_MAX = 6  # statutory reference rates are fixed for a half-year at most
_RECENT = 4  # rates whose distance says how long one usually holds
_DAY = datetime.timedelta(days=1)


class RateError(ValueError):
    """A rate does not fit into a profile; says why."""


def speaks_through(rates: Sequence[Rate]) -> datetime.date | None:
    """Give the last day that a table speaks of: its newest rate for as long as its rates usually hold; None: it has none."""
    if not rates:
        return None
    newest = rates[-1].start_on
    months = [_months(before.start_on, after.start_on) for before, after in pairwise(rates[-_RECENT:])]
    month = newest.month - 1 + min(_MONTHS_MAX, max([1, *months] if months else [_MONTHS_MAX]))
    return newest.replace(year=newest.year + month // 12, month=month % 12 + 1, day=1) - _DAY


def edition_on(profile: LawProfile, *, on: datetime.date) -> LawEdition | None:
    """Give the edition of a profile that holds on a day; None: none does."""
    for edition in reversed(profile.editions):
        if edition.start_on <= on:
            return edition if edition.end_on is None or on < edition.end_on else None
    return None


def with_rate(profile: LawProfile, *, currency: str, rate: Rate) -> LawProfile:
    """Give a profile with one more rate of a currency, margin included; one of the same day is replaced.

    Args:
        profile: a company's own, or one that ships.
        currency: whose table it is; that of any currency where it has none of its own.
        rate: from a day on.

    Raises:
        RateError: the profile has no edition of that day, or its law knows no interest in this currency.
    """
    edition = edition_on(profile, on=rate.start_on)
    if edition is None:
        raise RateError(f"{profile.id} has no rules of {rate.start_on}")
    terms = next((each for each in edition.interest if each.currency == currency), None)
    terms = terms or next((each for each in edition.interest if not each.currency), None)
    if terms is None:
        raise RateError(f"{profile.id} knows no interest in {currency}")
    try:
        micro_of(rate.percent)
    except ValueError as error:
        raise RateError(str(error)) from error
    rates = [each for each in terms.rates if each.start_on != rate.start_on]
    grown = replace(terms, rates=tuple(sorted([*rates, rate], key=lambda each: each.start_on)))
    interest: tuple[Interest, ...] = tuple(grown if each is terms else each for each in edition.interest)
    changed = replace(edition, interest=interest)
    return replace(profile, editions=tuple(changed if each is edition else each for each in profile.editions))


def _months(before: datetime.date, after: datetime.date) -> int:
    return (after.year - before.year) * 12 + after.month - before.month

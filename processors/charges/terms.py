"""By which terms each day of a claim bears interest: those of the edition of the law that was in force on it (R22, section 5)."""

import datetime
from collections.abc import Iterator
from itertools import groupby, pairwise

from msgspec import Struct

from processors.charges.interest import rates_between
from processors.law.book import LawBook
from schemas.law import Interest, LawEdition, Rate
from schemas.rows import CustomerRow

__all__ = ["Terms", "terms_between"]

_DAY = datetime.timedelta(days=1)


class Terms(Struct, frozen=True):
    """Days ``from_on`` to ``until_on``, both included, whose interest is one claim, and its rates, ascending."""

    from_on: datetime.date
    until_on: datetime.date
    days_in_year: int
    rates: tuple[Rate, ...]


class _Span(Struct, frozen=True):
    from_on: datetime.date
    until_on: datetime.date
    said: Interest | None


def terms_between(
    law: LawBook,
    customer: CustomerRow | None,
    *,
    currency: str,
    from_on: datetime.date,
    until_on: datetime.date,
) -> Iterator[Terms]:
    """Walk the terms of some days, in order; days whose edition has no interest bear none, whatever later ones say.

    Editions that count a year otherwise are claims of their own.
    """
    spans = list(_spans(law, customer, currency=currency, from_on=from_on, until_on=until_on))
    years = [None if each.said is None else each.said.days_in_year for each in spans]
    for position, year in enumerate(years):  # days without interest go with those before them
        if year is None and position:
            years[position] = years[position - 1]
    for days_in_year, group in groupby(range(len(spans)), key=lambda position: years[position]):
        together = [spans[position] for position in group]
        while together[-1].said is None and len(together) > 1:
            together.pop()
        if days_in_year is not None:
            rates = tuple(_rates(together))
            yield Terms(together[0].from_on, together[-1].until_on, days_in_year, rates)


def _spans(
    law: LawBook,
    customer: CustomerRow | None,
    *,
    currency: str,
    from_on: datetime.date,
    until_on: datetime.date,
) -> Iterator[_Span]:
    """Cut some days where an edition with other terms begins."""
    editions = [
        (max(start_on, from_on), _said(edition, currency=currency))
        for start_on, edition in law.editions(customer, until_on=until_on)
    ]
    ends = [(until_on + _DAY, None)]
    open_span: _Span | None = None
    for (start_on, said), (next_on, _) in pairwise([*editions, *ends]):
        if next_on <= start_on:
            continue
        if open_span is not None and open_span.said == said:
            open_span = _Span(open_span.from_on, next_on - _DAY, said)
            continue
        if open_span is not None:
            yield open_span
        open_span = _Span(start_on, next_on - _DAY, said)
    if open_span is not None:
        yield open_span


def _said(edition: LawEdition, *, currency: str) -> Interest | None:
    named = next((each for each in edition.interest if each.currency == currency), None)
    return named or next((each for each in edition.interest if not each.currency), None)


def _rates(spans: list[_Span]) -> Iterator[Rate]:
    """Walk the rates of days: each span begins with its own, or with none."""
    for position, span in enumerate(spans):
        found = (
            []
            if span.said is None
            else list(rates_between(span.said.rates, from_on=span.from_on, until_on=span.until_on))
        )
        if position:
            if found and found[0].start_on <= span.from_on:
                found[0] = Rate(start_on=span.from_on, percent=found[0].percent)
            else:
                found.insert(0, Rate(start_on=span.from_on, percent="0"))
        yield from found

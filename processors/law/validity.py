"""What a company's own law must be to be applied: what is not is refused, with the place and the reason."""

import datetime
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from itertools import pairwise

from processors.law.shipped import shipped_profiles
from processors.money import MoneyError, to_minor
from schemas.commands import SetLaw
from schemas.law import Contacting, CostCap, FixedSum, Interest, LawEdition

__all__ = ["law_problems"]


def law_problems(law: SetLaw) -> list[str]:
    """List what cannot be applied, each ``'<what> - at `$.path`'``; empty when the law is sound."""
    problems: list[str] = []
    known = set(shipped_profiles())
    own: set[str] = set()
    for index, profile in enumerate(law.profiles):
        path = f"$.profiles[{index}]"
        if profile.id in own:
            problems.append(f"profile {profile.id!r} is there twice - at `{path}.id`")
        own.add(profile.id)
        problems += _editions(profile.editions, path=f"{path}.editions")
    problems += [
        f"there is no profile {choice.profile!r}; there are: {', '.join(sorted(known | own))}"
        f" - at `$.choices[{index}].profile`"
        for index, choice in enumerate(law.choices)
        if choice.profile not in known | own
    ]
    return problems


def _editions(editions: tuple[LawEdition, ...], *, path: str) -> Iterator[str]:
    for index, (before, edition) in enumerate(pairwise(editions), start=1):
        if edition.start_on <= before.start_on:
            yield f"{edition.start_on} is not later than {before.start_on} before it - at `{path}[{index}].start_on`"
    for index, edition in enumerate(editions):
        place = f"{path}[{index}]"
        if edition.end_on is not None and edition.end_on <= edition.start_on:
            yield f"{edition.end_on} is not later than its start {edition.start_on} - at `{place}.end_on`"
        yield from _hours(edition.contacting, path=f"{place}.contacting")
        for number, interest in enumerate(edition.interest):
            yield from _interest(interest, path=f"{place}.interest[{number}]")
        for number, fixed in enumerate(edition.fixed_sums):
            yield from _fixed_sum(fixed, path=f"{place}.fixed_sums[{number}]")
        if edition.cost_cap is not None:
            yield from _cost_cap(edition.cost_cap, path=f"{place}.cost_cap")


def _hours(contacting: Contacting, *, path: str) -> Iterator[str]:
    for index, hours in enumerate(contacting.hours):
        if hours.closes <= hours.opens:
            yield f"closes {hours.closes} is not later than opens {hours.opens} - at `{path}.hours[{index}].closes`"
        for field in ("opens", "closes"):
            at: datetime.time = getattr(hours, field)
            if at.tzinfo is not None or at.second or at.microsecond:
                yield f"{at} is no local time in whole minutes - at `{path}.hours[{index}].{field}`"


def _interest(interest: Interest, *, path: str) -> Iterator[str]:
    yield from _percent(interest.margin_percent, path=f"{path}.margin_percent")
    for index, rate in enumerate(interest.rates):
        yield from _percent(rate.percent, path=f"{path}.rates[{index}].percent")
    for index, (before, rate) in enumerate(pairwise(interest.rates), start=1):
        if rate.start_on <= before.start_on:
            yield f"{rate.start_on} is not later than {before.start_on} before it - at `{path}.rates[{index}].start_on`"


def _fixed_sum(fixed: FixedSum, *, path: str) -> Iterator[str]:
    yield from _percent(fixed.percent, path=f"{path}.percent")
    for field in ("from_amount", "amount"):
        value: str = getattr(fixed, field)
        if value == "0":
            continue
        if not fixed.currency:
            yield f"an amount needs a currency - at `{path}.currency`"
            continue
        try:
            to_minor(value, currency=fixed.currency)
        except MoneyError as error:
            yield f"{error.detail} - at `{path}.{field}`"


def _cost_cap(cap: CostCap, *, path: str) -> Iterator[str]:
    for index, band in enumerate(cap.bands):
        yield from _percent(band.percent, path=f"{path}.bands[{index}].percent")
        is_last = index + 1 == len(cap.bands)
        if (band.up_to is None) != is_last:
            what = "the last band has no end" if is_last else "only the last band is without end"
            yield f"{what} - at `{path}.bands[{index}].up_to`"
        elif band.up_to is not None:
            yield from _percent(band.up_to, path=f"{path}.bands[{index}].up_to")
    if len(cap.bands) > 1 and not cap.unit:
        yield f"several bands need a unit - at `{path}.unit`"


def _percent(text: str, *, path: str) -> Iterator[str]:
    try:
        is_number = Decimal(text).is_finite()
    except InvalidOperation:
        is_number = False
    if not is_number:
        yield f"{text!r} is no decimal number - at `{path}`"

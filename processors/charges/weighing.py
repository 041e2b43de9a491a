"""What the items of a reminder are charged with (R22): computed for the message, booked only once it was sent.

It changes nothing; ``claims`` books.
"""

import datetime
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from processors.account import Account
from processors.arrangements import disputed_minor
from processors.charges.costs import cap_minor, fixed_sum_minor
from processors.charges.interest import interest_minor, segments
from processors.charges.terms import Terms, terms_between
from processors.company import Company
from processors.money import to_minor
from processors.settle import counted_minor
from schemas.charges import Charge, ClaimDocument
from schemas.law import LawEdition
from schemas.plans import Step
from schemas.rows import ItemRow

__all__ = ["Weighed", "charges_of", "costs_open_on", "open_claims"]

_DAY = datetime.timedelta(days=1)


class Weighed(NamedTuple):
    """An item at a level that a message is about; ``interest_on``: the last day of interest, None: that of the charges."""

    item: ItemRow
    step: Step
    interest_on: datetime.date | None = None


class _LawOn(NamedTuple):
    law: LawEdition
    day: datetime.date


def charges_of(
    account: Account,
    items: Sequence[Weighed],
    *,
    company: Company,
    day: datetime.date,
    sent_on: datetime.date | None = None,
) -> list[Charge]:
    """List the charges on items as of a company day: interest, the fixed sum, the level's fee.

    With ``sent_on``, a later day on which they are asked for, costs also keep to what the law allows by then (section 5).

    Where the company claims, what was claimed before is left out; where it
    only shows, all that has come about since the due date is there.
    """
    mode = company.profile.late_charges
    if mode == "off":
        return []
    days = (day,) if sent_on is None or sent_on == day else (day, sent_on)
    laws = [_LawOn(company.law.edition(account.customer, on=each), each) for each in days]
    found: list[Charge] = []
    for each in items:
        found += _of_item(account, each, laws=laws, company=company)
    return found


def costs_open_on(
    account: Account, item: ItemRow, *, company: Company, day: datetime.date
) -> datetime.date | None:
    """Give the day from which an item may cost something, where the law lets it cost nothing yet: what waits is said anew then."""
    if company.profile.late_charges == "off":
        return None
    cap = company.law.edition(account.customer, on=day).cost_cap
    if cap is None or not cap.free_days:
        return None
    return item.due_on + datetime.timedelta(days=cap.free_days + 1)


def open_claims(account: Account, *, currencies: set[str]) -> list[Charge]:
    """List all claims that were made before and are open, the oldest first."""
    rows = (claim for claim in account.claims.values() if claim.open_minor and claim.currency in currencies)
    found: list[Charge] = []
    for row in sorted(rows, key=lambda row: (row.due_on, row.item)):
        said = row.document
        if isinstance(said, ClaimDocument):
            found.append(
                Charge(
                    kind=said.charge,
                    item=said.item,
                    currency=row.currency,
                    amount_minor=row.open_minor,
                    from_on=said.from_on,
                    until_on=said.until_on,
                    step=said.step,
                    claim=row.item,
                    is_new=False,
                )
            )
    return found


def _of_item(
    account: Account, weighed: Weighed, *, laws: Sequence[_LawOn], company: Company
) -> Iterator[Charge]:
    item, day = weighed.item, laws[0].day
    if day <= item.due_on:
        return  # due today is not overdue (R6)
    claims = company.profile.late_charges == "claim"
    yield from _interest(account, item, company=company, claims=claims, day=weighed.interest_on or day)
    yield from _costs(weighed, laws=laws, company=company)


def _interest(
    account: Account, item: ItemRow, *, company: Company, claims: bool, day: datetime.date
) -> Iterator[Charge]:
    """Charge simple interest for the days after the last claimed day, up to and including ``day``."""
    from_on = item.due_on + _DAY
    if claims and item.claimed_through is not None:
        from_on = max(from_on, item.claimed_through + _DAY)
    held_minor = disputed_minor(account, item)
    found = terms_between(
        company.law, account.customer, currency=item.currency, from_on=from_on, until_on=day
    )
    for terms in found:
        amount_minor = _interest_minor(account, item, terms=terms, held_minor=held_minor)
        if amount_minor:
            yield Charge(
                kind="interest",
                item=item.item,
                currency=item.currency,
                amount_minor=amount_minor,
                from_on=terms.from_on,
                until_on=terms.until_on,
                claim=f"{item.item}/interest/{terms.until_on}" if claims else "",
                rates=terms.rates,
                days_in_year=terms.days_in_year,
                disputed_minor=held_minor,
            )


def _interest_minor(account: Account, item: ItemRow, *, terms: Terms, held_minor: int) -> int:
    settled = [
        (account.credits[row.credit].received_on, row.amount_minor)
        for row in account.applications.get(item.item, {}).values()
    ]
    found = segments(
        counted_minor(item) - held_minor,
        settled=settled,
        rates=terms.rates,
        from_on=terms.from_on,
        until_on=terms.until_on,
    )
    return interest_minor(found, days_in_year=terms.days_in_year)


def _left_minor(item: ItemRow, *, laws: Sequence[_LawOn], company: Company) -> int | None:
    """Give what an item may still cost by the strictest of the caps; None: there is none."""
    caps = [
        cap_minor(
            law.cost_cap,
            debt_minor=counted_minor(item),
            currency=item.currency,
            unit_values=company.profile.unit_values,
            due_on=item.due_on,
            on=day,
        )
        for law, day in laws
    ]
    allowed = [each for each in caps if each is not None]
    return max(0, min(allowed) - item.costs_minor) if allowed else None


def _costs(weighed: Weighed, *, laws: Sequence[_LawOn], company: Company) -> Iterator[Charge]:
    """Charge the fixed sum, once per item, and the level's fee, once per item and level, up to what the law allows."""
    item, step = weighed.item, weighed.step
    law, _ = laws[0]
    claims = company.profile.late_charges == "claim"
    left_minor = _left_minor(item, laws=laws, company=company)
    fee = step.fees.get(item.currency)
    wanted = [
        (
            "fixed_sum",
            "",
            fixed_sum_minor(law.fixed_sums, amount_minor=item.amount_minor, currency=item.currency),
        ),
        ("fee", step.name, 0 if fee is None else to_minor(fee, currency=item.currency)),
    ]
    for kind, level, amount_minor in wanted:
        key = f"{kind}/{level}".rstrip("/")
        if claims and key in item.charged:
            continue
        if left_minor is not None:
            amount_minor = min(amount_minor, left_minor)  # noqa: PLW2901 - what the cap leaves of it
            left_minor -= amount_minor
        if amount_minor:
            yield Charge(
                kind="fee" if level else "fixed_sum",
                item=item.item,
                currency=item.currency,
                amount_minor=amount_minor,
                step=level,
                claim=f"{item.item}/{key}" if claims else "",
            )

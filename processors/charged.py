"""What lateness costs on the items of a message (R22): as of the tick, or as it was read by whoever approved it (R19)."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from processors.charges.weighing import Weighed, charges_of, open_claims
from processors.circumstances import Circumstances
from processors.ladder import Rung, is_level
from processors.plan import last_index
from schemas.charges import Charge
from schemas.rows import Proposal

if TYPE_CHECKING:
    from processors.reminder import DueItem

__all__ = ["Charged", "charged_on", "charges_on"]

_CLAIMS_SHOWN = 100  # of earlier reminders, in a message


class Charged(NamedTuple):
    """What a message names of what lateness costs; ``sums`` by currency count all of it, also claims that it does not name."""

    charges: list[Charge]
    sums: dict[str, int]


def charged_on(at: Circumstances, said: Proposal) -> datetime.date:
    """Give the day up to which interest is asked for: what was approved has that of the revision that was read (R19, R22)."""
    return said.charged_on if said.approved and said.charged_on is not None else at.day


def charges_on(
    at: Circumstances,
    *,
    due: Sequence[DueItem],
    currencies: set[str],
    on: datetime.date,
    is_going: bool = False,
) -> Charged:
    """Give what lateness costs at levels up to a day, with claims of before that are open (R22).

    What the law of the tick's own day allows less of by then is not asked for, whatever was read (section 5). With ``is_going``
    interest of an item's last level is up to the tick's own day: no message follows that could ask for the days between.
    """
    if at.company.profile.late_charges == "off" and not at.account.claims:
        return Charged([], {})
    levels = [
        Weighed(each.item, each.rung.step, at.day if is_going and _is_last(each.rung) else on)
        for each in due
        if is_level(each.rung.step)
    ]
    charges = charges_of(at.account, levels, company=at.company, day=on, sent_on=at.day)
    claims = open_claims(at.account, currencies=currencies)
    sums: dict[str, int] = {}
    for each in [*charges, *claims]:
        sums[each.currency] = sums.get(each.currency, 0) + each.amount_minor
    return Charged([*charges, *claims[:_CLAIMS_SHOWN]], sums)


def _is_last(rung: Rung) -> bool:
    return rung.step_index >= last_index(rung.plan)

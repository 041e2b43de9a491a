"""Fixed sums and fees, and what the law lets them come to (R22, section 5)."""

import datetime
from collections.abc import Mapping

from processors.money import exponent, to_minor
from processors.percent import micro_of, share_minor
from schemas.law import CostBand, CostCap, FixedSum

__all__ = ["cap_minor", "fixed_sum_minor"]


def fixed_sum_minor(sums: tuple[FixedSum, ...], *, amount_minor: int, currency: str) -> int:
    """Give the fixed compensation for an item of this amount: of the sums that fit, the one from the highest amount."""
    best: tuple[int, int] | None = None
    for each in sums:
        if each.currency not in ("", currency):
            continue
        from_minor = to_minor(each.from_amount, currency=currency)
        if from_minor > amount_minor:
            continue
        fixed_minor = to_minor(each.amount, currency=currency) + share_minor(
            amount_minor, micro=micro_of(each.percent)
        )
        if best is None or from_minor >= best[0]:
            best = (from_minor, fixed_minor)
    return 0 if best is None else best[1]


def cap_minor(
    cap: CostCap | None,
    *,
    debt_minor: int,
    currency: str,
    unit_values: Mapping[str, str],
    due_on: datetime.date,
    on: datetime.date,
) -> int | None:
    """Give what collection may have cost the debtor of an item by a day; None: the law has no cap.

    Each band's percentage holds for the part of the debt in it. Where the
    unit's value in ``currency`` is not known, the lowest percentage holds for all.
    """
    if cap is None:
        return None
    if (on - due_on).days <= cap.free_days:
        return 0
    unit_minor = _unit_minor(cap.unit, currency=currency, unit_values=unit_values)
    if unit_minor is None:
        return share_minor(debt_minor, micro=min(micro_of(band.percent) for band in cap.bands))
    allowed_minor, below_minor = 0, 0
    for band in cap.bands:
        upper_minor = (
            debt_minor if band.up_to is None else min(debt_minor, _units(band, unit_minor=unit_minor))
        )
        allowed_minor += share_minor(max(0, upper_minor - below_minor), micro=micro_of(band.percent))
        below_minor = max(below_minor, upper_minor)
    return allowed_minor


def _units(band: CostBand, *, unit_minor: int) -> int:
    return unit_minor * micro_of(band.up_to or "0") // 1_000_000


def _unit_minor(unit: str, *, currency: str, unit_values: Mapping[str, str]) -> int | None:
    """Give one unit in minor units of the currency; a cap without unit has one band, whose limit does not matter."""
    if unit in ("", currency):
        return int(10 ** exponent(currency))
    value = unit_values.get(unit)
    return None if value is None else to_minor(value, currency=currency)

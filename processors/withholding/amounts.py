"""Whether what is owed is worth a message: what credit covers, minimums and graces (R6, R8, R11, R12)."""

import datetime

from processors.circumstances import Case, Verdict
from processors.ladder import is_level
from processors.money import to_minor

__all__ = ["account_grace", "below_minimum", "credit_covers", "within_tolerance"]


def within_tolerance(case: Case) -> Verdict | None:
    """Withhold what is left of a paid item after a discount, a fee or a rounding (SEMANTICS section 3)."""
    residual = case.at.residual(case.item)
    if residual is None:
        return None
    values = {
        "currency": case.item.currency,
        "open_minor": str(case.item.open_minor),
        "allowed_minor": str(residual.allowed_minor),
        "why": residual.why,
    }
    return Verdict("within_tolerance", None, values)


def credit_covers(case: Case) -> Verdict | None:
    """Withhold what credit on the account covers, or leaves below the minimum (R11, R12)."""
    currency = case.item.currency
    cover = case.at.cover(currency)
    if cover is None:
        return None
    is_held = case.at.company.profile.credit_policy == "hold" and cover.left.cash_minor > 0
    minimum_minor = _minimum_minor(case)
    is_too_little = cover.rest_minor < minimum_minor <= cover.total_minor
    if not (is_held or is_too_little or case.item.item in cover.covered):
        return None
    return Verdict(
        "credit_covers",
        case.at.next_overdue_on(currency),
        {
            "currency": currency,
            "cash_minor": str(cover.left.cash_minor),
            "notes_minor": str(cover.left.notes_minor),
            "total_minor": str(cover.total_minor),
            "rest_minor": str(cover.rest_minor),
        },
    )


def below_minimum(case: Case) -> Verdict | None:
    """Withhold below the company's minimum of the currency, after notes and money (R8)."""
    currency = case.item.currency
    minimum_minor = _minimum_minor(case)
    if not minimum_minor:
        return None
    cover = case.at.cover(currency)
    total_minor = case.at.dunnable_minor(currency) if cover is None else cover.rest_minor
    if total_minor >= minimum_minor:
        return None
    return Verdict(
        "below_minimum",
        case.at.next_overdue_on(currency),
        {"currency": currency, "total_minor": str(total_minor), "minimum_minor": str(minimum_minor)},
    )


def _minimum_minor(case: Case) -> int:
    minimum = case.at.company.profile.minimums.get(case.item.currency)
    return 0 if minimum is None else to_minor(minimum, currency=case.item.currency)


def account_grace(case: Case) -> Verdict | None:
    """Withhold until the worst item is late enough (R6)."""
    if case.rung is None or not is_level(case.rung.step):
        return None
    grace_days = case.rung.plan.account_grace_days
    if not grace_days:
        return None
    worst_due_on = case.at.worst_due_on()
    until = worst_due_on + datetime.timedelta(days=grace_days)
    if case.at.day >= until:
        return None
    return Verdict(
        "account_grace", until, {"worst_due_on": worst_due_on.isoformat(), "grace_days": str(grace_days)}
    )

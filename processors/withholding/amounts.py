"""Whether what is owed is worth a message: minimums and graces (R6, R8)."""

import datetime

from processors.circumstances import Case, Verdict
from processors.ladder import is_level
from processors.money import to_minor

__all__ = ["account_grace", "below_minimum"]


def below_minimum(case: Case) -> Verdict | None:
    """Withhold below the company's minimum of the currency (R8)."""
    currency = case.item.currency
    minimum = case.at.company.profile.minimums.get(currency)
    if minimum is None:
        return None
    minimum_minor = to_minor(minimum, currency=currency)
    total_minor = case.at.dunnable_minor(currency)
    if total_minor >= minimum_minor:
        return None
    return Verdict(
        "below_minimum",
        case.at.next_overdue_on(currency),
        {"currency": currency, "total_minor": str(total_minor), "minimum_minor": str(minimum_minor)},
    )


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

"""For whom a step is: the conditions that a plan sets (R34); what is not met is said as ``condition``."""

from processors.circumstances import Case, Circumstances, Verdict
from processors.ladder import Rung
from processors.money import to_minor
from schemas.plans import Conditions
from schemas.rows import ItemRow

__all__ = ["admits", "condition"]


def admits(at: Circumstances, *, item: ItemRow, rung: Rung) -> bool:
    """Say whether a step is for an item of this customer, as things are."""
    return rung.step.when is None or not _unmet(at, item, rung.step.when)


def condition(case: Case) -> Verdict | None:
    """Withhold a step that is not for this customer, or this amount, while no later one is due."""
    if case.rung is None or case.overtaken or case.rung.step.when is None:
        return None
    unmet = _unmet(case.at, case.item, case.rung.step.when)
    return Verdict("condition", None, unmet) if unmet else None


def _unmet(at: Circumstances, item: ItemRow, when: Conditions) -> dict[str, str]:
    """Give the first condition that does not hold, with what it was judged by; empty: all hold."""
    customer = None if at.account.customer is None else at.account.customer.customer
    found = (
        ("trust", at.account.row.trust, when.trust),
        ("currency", item.currency, when.currencies),
        ("country", "" if customer is None else customer.country, when.countries),
        ("group", "" if customer is None else customer.group, when.groups),
    )
    for name, value, wanted in found:
        if wanted and value not in wanted:
            return {name: value, "wanted": ", ".join(wanted)}
    return _unmet_total(at, item.currency, when) if when.min_total or when.max_total else {}


def _unmet_total(at: Circumstances, currency: str, when: Conditions) -> dict[str, str]:
    total_minor = at.dunnable_minor(currency)
    least, most = when.min_total.get(currency), when.max_total.get(currency)
    said = {"currency": currency, "total_minor": str(total_minor)}
    if least is not None and total_minor < to_minor(least, currency=currency):
        return {**said, "min_total": least}
    if most is not None and total_minor > to_minor(most, currency=currency):
        return {**said, "max_total": most}
    return {}

"""What the plan and its steps say: none there, a courtesy too late (R3, R7, R17)."""

from processors.circumstances import Case, Verdict
from processors.ladder import is_level

__all__ = ["courtesy_passed", "no_plan", "switched_off"]


def no_plan(case: Case) -> Verdict | None:
    """Withhold what has no published plan to stand on (R17)."""
    if case.rung is not None:
        return None
    values = {"plan": case.at.company.plan_name(case.item, case.at.account.customer)}
    level = getattr(case.item.document, "level", "")
    if level:
        values["level"] = level
    return Verdict("no_plan", None, values)


def switched_off(case: Case) -> Verdict | None:
    """Withhold courtesies where the company sends none (R7)."""
    if case.rung is None or is_level(case.rung.step) or case.at.company.profile.courtesies:
        return None
    return Verdict("switched_off", None, {"switch": "courtesies"})


def courtesy_passed(case: Case) -> Verdict | None:
    """Withhold a courtesy that the day has overtaken (R3)."""
    if not case.overtaken:
        return None
    return Verdict("courtesy_passed", None, {"due_on": case.item.due_on.isoformat()})

"""What was last said of an item's due step, as its row keeps it: ``'<plan>/<version>|<step index> <reason> <until>'``."""

from processors.circumstances import Verdict
from processors.ladder import Rung
from schemas.rows import ReminderRowItem

__all__ = ["in_reminder", "is_done_with", "withheld"]


def withheld(rung: Rung | None, *, verdict: Verdict) -> str:
    """Write that a step is withheld; None: the item has no plan."""
    plan, index = ("", -1) if rung is None else (f"{rung.plan.id}/{rung.plan.version}", rung.step_index)
    return f"{plan}|{index} {verdict.reason} {verdict.until or ''}".rstrip()


def in_reminder(step: ReminderRowItem) -> str:
    """Write that a step is, or was, in a reminder."""
    return f"{step.plan}/{step.plan_version}|{step.step_index} reminder"


def is_done_with(judged: str, *, rung: Rung) -> bool:
    """Say whether the last word was of a later step of the same plan than ``rung``."""
    plan, _, rest = judged.rpartition("|")
    if plan != f"{rung.plan.id}/{rung.plan.version}":
        return False
    return rung.step_index < int(rest.partition(" ")[0])

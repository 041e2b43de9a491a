"""What comes after a finished plan, once: a hand-over, or the question whether to give an item up (R18)."""

import datetime

from processors.circumstances import Circumstances
from processors.ladder import Rung, Standing, final_day
from processors.plan import last_index, step_at
from processors.reasons import judge
from processors.tasks import open_task
from schemas.facts import ItemHandedOver, LedgerFact
from schemas.rows import ItemRow

__all__ = ["finish"]

# What does not hold an item back from it: the plan has been sent, nothing is to be written any more.
_OF_SENDING_ONLY = frozenset(
    {
        "condition", "awaiting_task", "reminder_open", "dropped", "failed", "switched_off", "courtesy_passed",
        "account_grace", "daily_portion", "gap", "law",
    }
)  # fmt: skip


def finish(
    at: Circumstances, *, item: ItemRow, standing: Standing
) -> tuple[list[LedgerFact], datetime.date | None]:
    """Carry out what the plan says for an item whose steps are all done, if its day has come and nothing holds it.

    Gives what is said, and the first day on which it is to be looked at again.
    """
    final_on = final_day(item, standing=standing)
    if final_on is None or at.day < final_on or not item.plan_finished:
        return [], final_on
    plan = standing.plan
    last = last_index(plan)
    verdict = judge(at, item=item, rung=Rung(plan, last, step_at(plan, last), final_on))
    if verdict is not None and verdict.reason not in _OF_SENDING_ONLY:
        return [], verdict.until
    item.final_on = at.day
    at.account.touch(item)
    at.account.touch(at.account.row)
    facts: list[LedgerFact] = []
    if plan.after_last == "escalate":
        facts.append(_handed_over(at, item, standing=standing))
    facts += open_task(
        at.account,
        task=f"escalate/{item.item}" if plan.after_last == "escalate" else f"write_off/{item.item}/plan",
        task_type="write_off" if plan.after_last == "write_off" else f"hand_over_{plan.escalate_to}",
        on=at.day,
        items=[item.item],
        values={"currency": item.currency, "open_minor": str(item.open_minor), "plan": plan.id},
    )
    return facts, None


def _handed_over(at: Circumstances, item: ItemRow, *, standing: Standing) -> ItemHandedOver:
    plan = standing.plan
    if plan.escalate_to is None:
        raise AssertionError(f"plan {plan.id} {plan.version} escalates to nobody")
    return ItemHandedOver(
        id=f"{at.account.id}/{at.account.next_sequence()}",
        account=at.account.id,
        item=item.item,
        to=plan.escalate_to,
        currency=item.currency,
        amount_minor=item.amount_minor,
        open_minor=item.open_minor,
        due_on=item.due_on,
        on=at.day,
        plan=plan.id,
        plan_version=plan.version,
        reference=item.reference,
    )

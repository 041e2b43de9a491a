"""Option of R1: all levels of a message go as its highest step, so that one customer has one level."""

from collections.abc import Sequence

from processors.company import Company
from processors.ladder import Rung, is_level, rung_at, standing_of
from processors.plan import planned_offset_days
from processors.reminder import DueItem
from schemas.rows import CustomerRow, ItemRow

__all__ = ["raise_to_max"]


def raise_to_max(due: Sequence[DueItem], *, company: Company, customer: CustomerRow | None) -> list[DueItem]:
    """Give the due items at the highest offset among them; no step that must not be skipped is jumped over.

    A courtesy stays one: what is not due yet is on no level (R7). On another plan an item
    goes up to the last level whose offset is not larger.
    """
    highest_days = max((each.rung.offset_days for each in due), default=0)
    return [
        DueItem(
            each.item, _up(each.item, each.rung, to_days=highest_days, company=company, customer=customer)
        )
        for each in due
    ]


def _up(item: ItemRow, rung: Rung, *, to_days: int, company: Company, customer: CustomerRow | None) -> Rung:
    standing = standing_of(item, company=company, customer=customer)
    if standing is None or rung.step.must_not_skip or not is_level(rung.step):
        return rung
    best = rung
    for index in range(rung.step_index + 1, len(rung.plan.steps)):
        step = rung.plan.steps[index]
        if planned_offset_days(rung.plan, index) > to_days or step.blocking:
            break
        if is_level(step):
            best = rung_at(item, standing=standing, index=index, company=company)
        if step.must_not_skip:
            break
    return best

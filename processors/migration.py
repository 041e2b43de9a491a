"""What a migration to another version of a plan does to items that have begun on an older one (R17): a preview.

It runs the ladder itself on what it is given; the command is ``collections.plan.migrate.v1``.
"""

import datetime
from collections.abc import Iterable, Iterator

from msgspec import Struct

from processors.company import Company
from processors.ladder import rung_at, standing_of
from processors.plan import last_index, step_at
from schemas.rows import ItemRow

__all__ = ["Move", "moves"]


class Move(Struct, frozen=True, kw_only=True):
    """One item: the step that it had, the one that it stands on then, what comes next and not before when.

    ``next_step`` '' : nothing comes any more.
    """

    account: str
    item: str
    from_version: int
    from_step: str
    to_version: int
    to_step: str
    next_step: str
    next_on: datetime.date | None


def moves(items: Iterable[ItemRow], *, company: Company) -> Iterator[Move]:
    """Give what becomes of each pinned item at a company that has taken the migration in; others are left out."""
    for item in items:
        pinned = company.plan(item.plan, version=item.plan_version)
        standing = standing_of(item, company=company, customer=None)
        if pinned is None or standing is None or standing.plan == pinned:
            continue
        plan, index = standing.plan, standing.consumed
        next_step, next_on = "", None
        if index < last_index(plan):
            rung = rung_at(item, standing=standing, index=index + 1, company=company)
            next_step, next_on = rung.step.name, rung.due_on
        yield Move(
            account=item.account,
            item=item.item,
            from_version=item.plan_version,
            from_step=step_at(pinned, item.step).name if item.step >= 0 else "",
            to_version=plan.version,
            to_step=step_at(plan, index).name if index >= 0 else "",
            next_step=next_step,
            next_on=next_on,
        )

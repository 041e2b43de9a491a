"""A page of the worklist: whom a filter leaves, so many at a time, and what can be chosen by.

What stands behind a reason is in ``worklist``; here is only who is shown.
"""

from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct, json
from sqlalchemy import Connection, Select, func, select, union

from infra.database.queries.worklist import WorkLine, worklist
from infra.database.queries.worklist_rank import WorkFilter, ranked
from infra.database.tables import companies, customers, open_tasks, plans
from schemas.plans import Plan

__all__ = [
    "WorkChoices",
    "WorkFilter",
    "WorkPage",
    "walk_worklist",
    "work_choices",
    "worklist_accounts",
    "worklist_page",
]

_ROWS_AT_ONCE: Final = 500
_plans = json.Decoder(Plan)


class WorkPage(Struct, frozen=True, kw_only=True):
    """Lines of one page; ``count`` is of all that the filter leaves."""

    lines: list[WorkLine]
    count: int


class WorkChoices(Struct, frozen=True, kw_only=True):
    """What there is to choose by, each in its order."""

    companies: list[str]
    responsibles: list[str]
    levels: list[str]


def worklist_page(connection: Connection, *, asked: WorkFilter, skip: int, lines_max: int) -> WorkPage:
    """Give the lines of one page, the most urgent first, without the first ``skip`` of them."""
    order = ranked(connection, asked=asked)
    # Ranking reads every customer that owes something: it is done once, and counted as it goes.
    counted = order.add_columns(func.count().over().label("of_all")).offset(skip).limit(lines_max)
    rows = connection.execute(counted).all()
    if not rows:
        return WorkPage(lines=[], count=_count(connection, order) if skip else 0)
    shown = [row.account for row in rows]
    found = {each.account: each for each in worklist(connection, among=shown)}
    return WorkPage(lines=[found[account] for account in shown], count=rows[0].of_all)


def _count(connection: Connection, order: Select[Any]) -> int:
    found: int = connection.execute(
        select(func.count()).select_from(order.order_by(None).subquery())
    ).scalar_one()
    return found


def walk_worklist(connection: Connection, *, asked: WorkFilter) -> Iterator[str]:
    """Name the accounts of all that a filter leaves, the most urgent first; so many at a time are read."""
    query = ranked(connection, asked=asked).execution_options(yield_per=_ROWS_AT_ONCE)
    yield from connection.execute(query).scalars()


def worklist_accounts(connection: Connection, *, asked: WorkFilter) -> list[str]:
    """Give the accounts of all that a filter leaves, the most urgent first."""
    return list(walk_worklist(connection, asked=asked))


def work_choices(connection: Connection, *, seen: tuple[str, ...]) -> WorkChoices:
    """List companies, responsibles and levels; of the companies in ``seen`` only, where it names some."""
    known = sorted(connection.execute(select(companies.c["company"])).scalars())
    said = union(
        *(
            select(each.c["responsible"]).where(
                each.c["responsible"] != "", *([each.c["company"].in_(seen)] if seen else [])
            )
            for each in (customers, open_tasks)
        )
    )
    shown = [each for each in known if each and (not seen or each in seen)]
    query = select(plans.c["plan_json"]).order_by(
        plans.c["company"], plans.c["plan"], plans.c["version"].desc()
    )
    levels: dict[str, int] = {}
    for text in connection.execute(query.where(plans.c["company"].in_(shown))).scalars():
        for step in _plans.decode(text).steps:
            levels.setdefault(step.name, step.offset_days)
    return WorkChoices(
        companies=shown,
        responsibles=sorted(connection.execute(said).scalars()),
        levels=sorted(levels, key=lambda name: (levels[name], name)),
    )

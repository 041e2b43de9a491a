"""A page of the worklist: whom a filter leaves, so many at a time, and what can be chosen by.

What stands behind a reason is in ``worklist``; here is only who is shown.
"""

from msgspec import Struct, json
from sqlalchemy import Connection, select, union

from infra.database.queries.worklist import WorkLine, worklist
from infra.database.tables import companies, customers, open_tasks, plans
from schemas.plans import Plan

__all__ = ["WorkChoices", "WorkFilter", "WorkPage", "work_choices", "worklist_accounts", "worklist_page"]

_plans = json.Decoder(Plan)


class WorkFilter(Struct, frozen=True, kw_only=True):
    """What of the worklist is shown; everything off shows all of it.

    ``companies`` are those that may be seen at all (none: all of them); ``days`` is how many days late the
    worst item must be at least to have passed (more than so many); ``level`` is the step of the last reminder.
    """

    companies: tuple[str, ...] = ()
    company: str = ""
    why: str = ""
    days: int | None = None
    responsible: str = ""
    trust: str = ""
    level: str = ""
    not_called: bool = False

    def admits(self, line: WorkLine) -> bool:
        """Say whether a line is shown."""
        return (
            (not self.companies or line.company in self.companies)
            and self.company in ("", line.company)
            and (not self.why or self.why in line.whys)
            and (self.days is None or line.days > self.days)
            and self.responsible in ("", line.responsible)
            and self.trust in ("", line.trust)
            and self.level in ("", line.level)
            and not (self.not_called and line.is_called())
        )


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
    found = [line for line in worklist(connection, company=asked.company) if asked.admits(line)]
    return WorkPage(lines=found[skip : skip + lines_max], count=len(found))


def worklist_accounts(connection: Connection, *, asked: WorkFilter) -> list[str]:
    """Give the accounts of all that a filter leaves, the most urgent first."""
    return [line.account for line in worklist(connection, company=asked.company) if asked.admits(line)]


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

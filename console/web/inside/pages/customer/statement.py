"""The statement of an account as of any day, alone or with the customers that belong to it (S0-04, S1-23, B-09, B-13).

It is read by pages: one account's by its lines, the newest first, a group's by its members. As a file one account's is a
report: there are its PDF, workbook and CSV. A group's has none.
"""

import datetime
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import HTTPException, Query
from fastapi.responses import HTMLResponse

from console.web.inside.given import AskedDay
from console.web.inside.pages.customer.opening import Reader, path_of, sheet_of
from console.web.inside.parts import InsideParts
from console.web.inside.reporting.leading import to_report
from console.web.inside.showing import page
from console.web.routing import Routes
from infra.database.engine import reading
from infra.database.queries.group import GroupStatement, group_statement
from infra.database.queries.moment import company_day
from infra.database.queries.statement import Part
from schemas.fields import split_account_id

__all__ = ["router"]

_SHOWN_MAX: Final = 100
_MEMBERS_MAX: Final = 20
_YEAR: Final = datetime.timedelta(days=365)


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes(prefix="/customers/{account:path}")

    @routes.get("/statement", response_model=None)
    def statement(
        *,
        person: Reader,
        account: str,
        on: AskedDay = None,
        since: Annotated[AskedDay, Query(alias="from")] = None,
        group: bool = False,
        number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
    ) -> HTMLResponse:
        with reading(parts.engine) as connection:
            as_of = on or company_day(connection, split_account_id(account)[0], wall=parts.clock())
            first_on = min(since or as_of - _YEAR, as_of)
        sheet = sheet_of(parts, person, account)
        with reading(parts.engine) as connection:
            found = group_statement(
                connection,
                account=account,
                as_of=as_of,
                first_on=first_on,
                with_children=group,
                members=Part(skip=(number - 1) * _MEMBERS_MAX if group else 0, most=_MEMBERS_MAX),
                part=Part(skip=0 if group else (number - 1) * _SHOWN_MAX, most=_SHOWN_MAX),
            )
        if found is None:
            raise HTTPException(404)
        return page(
            "customer/statement.html",
            person=person,
            sheet=sheet,
            here=path_of(account),
            path_of=path_of,
            found=found,
            first_on=first_on,
            group=group,
            files=[] if group else _files(account, as_of=as_of, first_on=first_on),
            most=_SHOWN_MAX,
            number=number,
            last=_pages(found, is_group=group),
            query=urlencode({"on": as_of, "from": first_on, **({"group": "true"} if group else {})}) + "&",
        )

    return routes


def _pages(found: GroupStatement, *, is_group: bool) -> int:
    """Count the pages: of a group by its members, of one account by the currency that has the most lines or open items."""
    if is_group:
        return -(-found.count // _MEMBERS_MAX)
    counts = [max(of.line_count, of.open_count) for each in found.members for of in each.currencies]
    return max(1, -(-max(counts, default=0) // _SHOWN_MAX))


def _files(account: str, *, as_of: datetime.date, first_on: datetime.date) -> list[tuple[str, str]]:
    """Give (form, path) of the report that is the same as a file."""
    asked = {"account": account, "on": as_of.isoformat(), "days": str((as_of - first_on).days + 1)}
    return [(form, to_report("statement", **asked, form=form)) for form in ("pdf", "xlsx", "csv")]

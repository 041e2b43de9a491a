"""Reports: each as a page, PDF, XLSX and CSV, filtered and with chosen columns (S0-02 … S0-04, S0-28, S1-14 … S1-17, S1-25)."""

import datetime
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, HTTPException, Query
from fastapi.responses import HTMLResponse, Response

from console.web.inside.access import Person, needs
from console.web.inside.parts import InsideParts
from console.web.inside.reporting import REPORTS, ReportAsked
from console.web.inside.sheets import Cell, Money, Sheet, csv_of, pdf_of, xlsx_of
from console.web.inside.showing import page, words_of
from infra.database.engine import reading
from infra.database.queries.moment import business_now
from notifiers.writing.figures import amount_text, short_day_text

__all__ = ["router"]

Form = Literal["html", "csv", "xlsx", "pdf"]
_SHOWN_MAX: Final = 500
_MEDIA: Final[Mapping[str, str]] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}


def router(parts: InsideParts) -> APIRouter:
    """Make the routes."""
    routes = APIRouter()

    @routes.get("/reports", response_model=None)
    def every(*, person: Annotated[Person, Depends(needs("viewer"))]) -> HTMLResponse:
        return page("reports.html", person=person, names=list(REPORTS))

    @routes.get("/reports/{report}", response_model=None)
    def one(
        *,
        person: Annotated[Person, Depends(needs("viewer"))],
        report: str,
        on: datetime.date | None = None,
        company: Annotated[str, Query(max_length=64)] = "",
        days: Annotated[int, Query(ge=1, le=3_660)] = 90,
        columns: Annotated[list[str] | None, Query()] = None,
        form: Form = "html",
    ) -> Response:
        if report not in REPORTS:
            raise HTTPException(404)
        with reading(parts.engine) as connection:
            day = on or business_now(connection, wall=parts.clock()).date()
            asked = ReportAsked(person=person, on=day, company=company, days=days)
            whole = REPORTS[report](connection, asked)
        sheet = whole.only(columns or [])
        if form == "html":
            return page(
                "report.html",
                person=person,
                report=report,
                sheet=sheet,
                whole=whole,
                asked=asked,
                shown=[shown_row(sheet, row, language=person.language) for row in sheet.rows[:_SHOWN_MAX]],
            )
        return _file(sheet, form=form, report=report, asked=asked)

    return routes


def _file(sheet: Sheet, *, form: Form, report: str, asked: ReportAsked) -> Response:
    words = words_of(asked.person.language)
    title = words["reports"][report]
    if form == "csv":
        content = csv_of(sheet)
    elif form == "xlsx":
        content = xlsx_of(sheet, title=title, headings=words["columns"])
    else:
        content = pdf_of(
            sheet,
            title=title,
            subtitle=short_day_text(asked.on, language=words["language"]),
            headings=words["columns"],
            shown=[shown_row(sheet, row, language=asked.person.language) for row in sheet.rows],
        )
    name = f"{report}-{asked.on.isoformat()}.{form}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=_MEDIA[form], headers=headers)


def shown_row(sheet: Sheet, row: Mapping[str, Cell], *, language: str) -> Sequence[str]:
    """Write a row's cells as a reader of the language expects them."""
    return [_shown(row.get(column.name), language=language) for column in sheet.columns]


def _shown(value: Cell, *, language: str) -> str:
    if value is None:
        return ""
    if isinstance(value, Money):
        return amount_text(value.minor, currency=value.currency, language=language)
    if isinstance(value, datetime.date):
        return short_day_text(value, language=language)
    if isinstance(value, Decimal):
        return f"{value:.2f}".replace(".", "." if language.startswith("en") else ",")
    return str(value)

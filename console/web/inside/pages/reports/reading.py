"""The reports as pages and files (S0-02 … S0-04, S0-28, S1-14 … S1-17, S1-23, S1-25 … S1-27, S3-03, S3-04, S4-19)."""

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

from fastapi import Depends, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, Response, StreamingResponse
from starlette.background import BackgroundTask

from console.web.inside.asking import WrongRequestError
from console.web.inside.given import AskedDay, Reader
from console.web.inside.kept_answers import KeptAnswers
from console.web.inside.pages.reports.asked import as_query, asked_by, filters_asked, report_named
from console.web.inside.pages.reports.choosing import candidates, require_customer, whose
from console.web.inside.pages.reports.keeping import kept_of
from console.web.inside.pages.reports.mailing import may_be_mailed
from console.web.inside.parts import InsideParts
from console.web.inside.reporting.asking import Filters, ReportAsked
from console.web.inside.reporting.catalogue import REPORTS, AddUp, Report
from console.web.inside.reporting.cells import heading_of, shown_row
from console.web.inside.reporting.leading import to_customer
from console.web.inside.reporting.making import FORMS, MEDIA, FileForm, csv_stream, file_name, file_of
from console.web.inside.reporting.printing import TooLongError
from console.web.inside.reporting.sheets import Page, Row, chosen_columns, page_of
from console.web.inside.reporting.trend import MONTHS, charts_of, places_of, points_of
from console.web.inside.showing import Words, page, words_of
from console.web.routing import Routes
from infra.database.engine import reading
from infra.database.queries.account_choice import Choices, choices

__all__ = ["router"]

_ROWS_MAX: Final = 100
_FATES: Final = ("accepted", "delivered", "bounced", "returned", "failed", "complained")
_CHANNELS: Final = ("email", "sms", "letter")
_TRUSTS: Final = ("good", "normal", "bad")
_NOTES: Final = ("note", "call_attempt", "conversation")
_Filters = Annotated[Filters, Depends(filters_asked)]


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes()
    answers: KeptAnswers[Any] = KeptAnswers(
        clock=parts.clock, fresh_s=parts.console.answer_fresh_s, wait_s=parts.console.answer_wait_s
    )

    @routes.get("/reports", response_model=None)
    def every(*, person: Reader) -> HTMLResponse:
        return page("reports.html", person=person, names=list(REPORTS))

    @routes.get("/reports/figures/trend", response_model=None)
    def trend(*, person: Reader, filters: _Filters, on: AskedDay = None) -> HTMLResponse:
        """Draw how the figures went: of the company and currency that are chosen, else of the first ones."""
        return _trend_page(parts, answers, asked_by(parts, person, filters, on=on))

    @routes.get("/reports/{report}", response_model=None)
    def one(
        *,
        person: Reader,
        report: str,
        filters: _Filters,
        on: AskedDay = None,
        after: Annotated[str, Query(max_length=500)] = "",
        form: Literal["html", "pdf", "xlsx", "csv"] = "html",
    ) -> Response:
        report_named(report)
        asked = asked_by(parts, person, filters, on=on)
        if form == "html":
            return _report_page(parts, answers, report, asked, after=after)
        return _report_file(parts, report, asked, form=form)

    @routes.get("/reports/{report}/sums", response_model=None)
    def sums(
        *, request: Request, person: Reader, report: str, filters: _Filters, on: AskedDay = None
    ) -> HTMLResponse:
        """Add up all of a report: a part of its page, which asks for it by itself where scripts run."""
        of = report_named(report)
        asked = asked_by(parts, person, filters, on=on)
        words = words_of(person.language)
        add_up = of.sums
        found = (
            None
            if add_up is None
            else answers.ask(_key("sums", report, asked), lambda: _added_up(parts, add_up, asked))
        )
        rows: Sequence[Row] = [] if found is None else found.value
        used = {name for row in rows for name in row.cells}
        columns = [each for each in of.columns_for(asked) if each.is_figure and each.name in used]
        return page(
            "report_sums.html",
            person=person,
            is_part="hx-request" in request.headers,
            report=report,
            headings=[heading_of(each, words=words) for each in columns],
            rows=[shown_row(columns, row, words=words) for row in rows],
            is_made=found is not None or add_up is None,
            made_at=None if found is None else found.made_at,
            here=_address(f"{report}/sums", asked),
            back=_address(report, asked),
        )

    return routes


def _key(kind: str, report: str, asked: ReportAsked) -> Hashable:
    """Tell an answer from those of others: what is asked, and what the person may see."""
    person = asked.person
    return kind, report, asked.on, asked.filters, person.companies, person.role


def _added_up(parts: InsideParts, add_up: AddUp, asked: ReportAsked) -> list[Row]:
    with reading(parts.engine) as connection:
        return add_up(connection, asked)


def _report_page(
    parts: InsideParts, answers: KeptAnswers[Any], report: str, asked: ReportAsked, *, after: str
) -> HTMLResponse:
    of = REPORTS[report]
    words = words_of(asked.person.language)
    every = of.columns_for(asked)
    columns = chosen_columns(every, asked.filters.columns)
    with reading(parts.engine) as connection:
        offered = choices(connection, seen=asked.person.companies or None)
        customer = whose(connection, asked) if of.needs_account else ""
        found = (
            Page(rows=()) if of.is_kept else page_of(of.lines(connection, asked, after), rows_max=_ROWS_MAX)
        )
        offers = candidates(connection, report, asked) if customer is None else []
    kept = (
        answers.ask(_key("lines", report, asked), lambda: _lines_of(parts, of, asked)) if of.is_kept else None
    )
    found = found if kept is None else kept.value
    return page(
        "report.html",
        person=asked.person,
        report=report,
        of=of,
        asked=asked,
        customer=customer,
        customer_at=to_customer(asked.filters.account),
        offers=offers,
        columns=columns,
        every=every,
        heading=lambda column: heading_of(column, words=words),
        rows=[(shown_row(columns, row, words=words), row.links) for row in found.rows],
        choices=_choices(of, offered, words=words),
        forms=FORMS,
        kept=kept_of(parts, asked.person, report),
        query=urlencode(as_query(asked.filters, on=asked.on.isoformat() if "on" in of.filters else "")),
        may_be_mailed=may_be_mailed(parts, asked.person) if asked.person.may("collector") else [],
        trend_at=_address("figures/trend", asked) if report in ("figures", "trend") else "",
        table_at=_address("figures", asked) if report == "trend" else "",
        is_made=not of.is_kept or kept is not None,
        made_at=None if kept is None else kept.made_at,
        is_first=not after,
        first=_address(report, asked),
        following=_address(report, asked, after=found.next_place) if found.next_place else "",
        sums_at=_address(f"{report}/sums", asked) if of.sums is not None else "",
    )


def _trend_page(parts: InsideParts, answers: KeptAnswers[Any], asked: ReportAsked) -> HTMLResponse:
    words = words_of(asked.person.language)
    with reading(parts.engine) as connection:
        offered = choices(connection, seen=asked.person.companies or None)
        places = places_of(connection, asked)
    kept = (
        answers.ask(_key("trend", "figures", asked), lambda: _points(parts, asked, places))
        if places
        else None
    )
    points = [] if kept is None else kept.value
    company, currency = places[0] if places else ("", "")
    return page(
        "report_trend.html",
        person=asked.person,
        asked=asked,
        company=dict(offered.companies).get(company) or company,
        chosen={"company": company, "currency": currency},
        currency=currency,
        choices=[each for each in _choices(REPORTS["figures"], offered, words=words) if each[2]],
        charts=charts_of(points, asked=asked, currency=currency, words=words) if points else [],
        table_at=_address("figures", asked),
        lines_at=_address("trend", asked),
        forms=FORMS,
        is_made=not places or kept is not None,
        made_at=None if kept is None else kept.made_at,
        here=_address("figures/trend", asked),
    )


def _points(parts: InsideParts, asked: ReportAsked, places: Sequence[Any]) -> list[Any]:
    with reading(parts.engine) as connection:
        return points_of(connection, asked, place=places[0], months=MONTHS)


def _lines_of(parts: InsideParts, of: Report, asked: ReportAsked) -> Page:
    with reading(parts.engine) as connection:
        return page_of(of.lines(connection, asked, ""), rows_max=_ROWS_MAX)


def _choices(of: Report, offered: Choices, *, words: Words) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Give, for each filter that has values to choose from, its name, its label and the values."""
    columns = words["columns"]

    def said(names: Sequence[str], table: str) -> list[tuple[str, str]]:
        return [(name, words[table][name]) for name in names]

    every = [
        ("company", columns["company"], [(name, text or name) for name, text in offered.companies]),
        ("responsible", columns["responsible"], [(each, each) for each in offered.responsibles]),
        ("trust", columns["trust"], said(_TRUSTS, "trust")),
        ("currency", words["reports"]["currency"], [(each, each) for each in offered.currencies]),
        ("channel", columns["channel"], said(_CHANNELS, "channels")),
        ("fate", columns["fate"], said(_FATES, "fates")),
        ("kind", columns["kind"], said(_NOTES, "notes")),
    ]
    return [each for each in every if each[0] in of.filters]


def _address(report: str, asked: ReportAsked, **more: str) -> str:
    return f"/reports/{report}?{urlencode(as_query(asked.filters, on=asked.on.isoformat(), **more))}"


def _report_file(parts: InsideParts, report: str, asked: ReportAsked, *, form: FileForm) -> Response:
    with reading(parts.engine) as connection:
        require_customer(connection, report, asked)
    headers = {"Content-Disposition": f'attachment; filename="{file_name(report, asked, form=form)}"'}
    if form == "csv":
        content = csv_stream(parts.engine, report, asked)
        return StreamingResponse(content, media_type=MEDIA[form], headers=headers)
    try:
        path: Path = file_of(parts.engine, report, asked, form=form)
    except TooLongError as error:
        text = words_of(asked.person.language)["reports"]["too_long"].format(rows=error.rows_max)
        raise WrongRequestError([text]) from error
    return FileResponse(path, media_type=MEDIA[form], headers=headers, background=BackgroundTask(path.unlink))

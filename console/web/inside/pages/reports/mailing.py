"""Reports by mail: now and by a timetable (S1-24, S1-25), what became of each, and whom they may go to.

The pages write down what is to go; ``cobranza reports`` carries it out (``reporting.posting``).
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from msgspec import json
from msgspec.structs import replace

from console.web.inside.access import Person, manages, require_own_form
from console.web.inside.asking import WrongRequestError, said_by
from console.web.inside.auditing import kept_values, note
from console.web.inside.given import Administrator, Collector, Word
from console.web.inside.pages.reports.asked import asked_by, filters_of_query, report_named
from console.web.inside.pages.reports.choosing import require_customer
from console.web.inside.parts import InsideParts
from console.web.inside.reporting.making import FileForm
from console.web.inside.reporting.recipients import RecipientError, addresses_of, is_allowed, pattern_of
from console.web.inside.showing import page, words_of
from console.web.routing import Routes
from infra.database.engine import reading
from infra.database.queries.account_choice import choices
from infra.database.report_post import Allowed, Every, Mailing, ReportPost, Schedule

__all__ = ["may_be_mailed", "router"]

_SHOWN_MAX = 100
_HERE = "/reports/mail"
_Query = Annotated[str, Form(max_length=4_000)]
_To = Annotated[str, Form(max_length=4_000)]
_SavedForm = Annotated[FileForm, Form()]


def may_be_mailed(parts: InsideParts, person: Person) -> list[str]:
    """Give the addresses and domains that somebody's reports may go to."""
    allowed = ReportPost(parts.engine).allowed()
    return sorted({each.pattern for each in allowed if not each.company or person.sees(each.company)})


def _whose(parts: InsideParts, person: Person) -> list[str] | None:
    """Give whose schedules and mails somebody sees, sends again and ends: his own, or theirs whom he manages; None: everybody's."""
    if not person.may("administrator"):
        return [person.user]
    return [each.user for each in parts.people.users() if manages(person, each)] if person.companies else None


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes()
    post = ReportPost(parts.engine)
    _add_page(routes, parts, post)
    _add_mails(routes, parts, post)
    _add_schedules(routes, parts, post)
    _add_recipients(routes, parts, post)
    return routes


def _add_page(routes: Routes, parts: InsideParts, post: ReportPost) -> None:
    @routes.get(_HERE, response_model=None)
    def show(*, person: Collector, done: str = "") -> HTMLResponse:
        """Show one's own schedules and mails; an administrator's page has those of all whom he manages."""
        whose = _whose(parts, person)
        with reading(parts.engine) as connection:
            offered = choices(connection, seen=person.companies or None)
        return page(
            "report_mail.html",
            person=person,
            schedules=post.schedules(users=whose),
            mailings=post.mailings(users=whose, limit=_SHOWN_MAX),
            allowed=[each for each in post.allowed() if not each.company or person.sees(each.company)],
            companies=offered.companies,
            is_done=bool(done),
        )


def _add_mails(routes: Routes, parts: InsideParts, post: ReportPost) -> None:
    @routes.post("/reports/{report}/mail", response_model=None)
    def mail(
        *,
        request: Request,
        person: Collector,
        report: str,
        csrf: Word,
        nonce: Word,
        to: _To,
        query: _Query = "",
        form: _SavedForm = "pdf",
    ) -> Response:
        """Mail a report now: once per form, however often the button is pressed."""
        require_own_form(request, person, csrf=csrf)
        template = _mail_asked(parts, post, person, report=report, query=query, to=to, form=form)
        name = said_by(person, given=nonce)
        mails = [replace(template, mailing=name, recipient=each) for each in template.recipient.splitlines()]
        _note(parts, person, template, entry=name, act="report.mail")
        post.ask(mails)
        return _back()

    @routes.post(f"{_HERE}/again", response_model=None)
    def again(
        *,
        request: Request,
        person: Collector,
        csrf: Word,
        nonce: Word,
        mailing: Annotated[str, Form(max_length=200)],
        recipient: Annotated[str, Form(max_length=320)],
    ) -> Response:
        """Send once more what failed, or what nobody knows of: a person decides that."""
        require_own_form(request, person, csrf=csrf)
        whose = _whose(parts, person)
        if post.may_go_again(mailing=mailing, recipient=recipient, users=whose):
            entry = said_by(person, given=nonce)
            note(parts, person, entry=entry, act="report.mail.again", detail=f"{mailing} {recipient}")
            post.again(mailing=mailing, recipient=recipient, users=whose, now=parts.clock())
        return _back()


def _add_schedules(routes: Routes, parts: InsideParts, post: ReportPost) -> None:
    @routes.post("/reports/{report}/schedules", response_model=None)
    def plan(
        *,
        request: Request,
        person: Collector,
        report: str,
        csrf: Word,
        nonce: Word,
        to: _To,
        every: Annotated[Every, Form()],
        hour: Annotated[int, Form(ge=0, le=23)],
        weekday: Annotated[int, Form(ge=1, le=7)] = 1,
        monthday: Annotated[int, Form(ge=1, le=31)] = 1,
        query: _Query = "",
        form: _SavedForm = "pdf",
    ) -> Response:
        """Let a report go by itself; as of the day on which it goes."""
        require_own_form(request, person, csrf=csrf)
        template = _mail_asked(parts, post, person, report=report, query=query, to=to, form=form)
        name = said_by(person, given=nonce)
        schedule = Schedule(
            schedule=name,
            user=person.user,
            report=report,
            filters_json=template.filters_json,
            form=form,
            every=every,
            number={"day": 0, "week": weekday, "month": monthday}[every],
            hour=hour,
            recipients=template.recipient,
            made_at=parts.clock(),
        )
        when = {"every": every, "number": schedule.number, "hour": hour}
        _note(parts, person, template, entry=name, act="report.schedule", when=when)
        post.plan(schedule)
        return _back()

    @routes.post(f"{_HERE}/end", response_model=None)
    def end(*, request: Request, person: Collector, csrf: Word, nonce: Word, schedule: Word) -> Response:
        require_own_form(request, person, csrf=csrf)
        entry, whose = said_by(person, given=nonce), _whose(parts, person)
        if parts.people.entry(entry) is None:  # else it is a second click
            if all(each.schedule != schedule for each in post.schedules(users=whose)):
                raise HTTPException(404)
            note(parts, person, entry=entry, act="report.schedule.end", detail=schedule)
        post.end_schedule(schedule, users=whose)
        return _back()


def _add_recipients(routes: Routes, parts: InsideParts, post: ReportPost) -> None:
    @routes.post(f"{_HERE}/recipients", response_model=None)
    def allow(
        *,
        request: Request,
        person: Administrator,
        csrf: Word,
        nonce: Word,
        pattern: Annotated[str, Form(max_length=320)],
        company: Word = "",
        what: Annotated[Literal["allow", "forbid"], Form()] = "allow",
    ) -> Response:
        """Allow an address or a domain, or take that back: for the companies that one may see."""
        require_own_form(request, person, csrf=csrf)
        if not (person.sees(company) if company else not person.companies):
            raise HTTPException(404)
        try:
            read = pattern_of(pattern)
        except RecipientError as error:
            text = _said(person, error.reason, error.text)
            raise WrongRequestError([text], fields=["pattern"]) from error
        now = parts.clock()
        act = f"report.recipient.{what}"
        note(parts, person, entry=said_by(person, given=nonce), act=act, account=company, detail=read)
        if what == "allow":
            post.allow(Allowed(company=company, pattern=read, allowed_by=person.user, allowed_at=now))
        else:
            post.forbid(company=company, pattern=read)
        return _back()


def _note(
    parts: InsideParts,
    person: Person,
    template: Mailing,
    *,
    entry: str,
    act: str,
    when: Mapping[str, object] | None = None,
) -> None:
    """Write down which report goes to whom, as what, with which filters and columns, and when."""
    said = {
        "recipients": template.recipient.splitlines(),
        "form": template.form,
        "filters": json.decode(template.filters_json),
        **(when or {}),
    }
    note(parts, person, entry=entry, act=act, detail=template.report, said_json=kept_values(said))


def _mail_asked(
    parts: InsideParts, post: ReportPost, person: Person, *, report: str, query: str, to: str, form: FileForm
) -> Mailing:
    """Check what is to go and to whom; ``recipient`` has all of them, one a line.

    Raises:
        HTTPException: 404: there is no such report.
        WrongRequestError: an address is none, or reports may not go there.
    """
    report_named(report)
    filters, on = filters_of_query(query)
    asked = asked_by(parts, person, filters, on=on)
    with reading(parts.engine) as connection:
        require_customer(connection, report, asked)
    try:
        recipients = addresses_of(to)
    except RecipientError as error:
        raise WrongRequestError([_said(person, error.reason, error.text)], fields=["to"]) from error
    allowed = post.allowed()
    refused = [
        each for each in recipients if not is_allowed(each, companies=asked.companies, allowed=allowed)
    ]
    if refused:
        texts = [_said(person, "recipient", each) for each in refused]
        raise WrongRequestError(texts, fields=["to"] * len(texts))
    now = parts.clock()
    return Mailing(
        mailing="",
        recipient="\n".join(recipients),
        user=person.user,
        report=report,
        filters_json=json.encode(filters).decode(),
        form=form,
        on="" if on is None else on.isoformat(),
        asked_at=now,
        changed_at=now,
        retry_at=now,
    )


def _said(person: Person, reason: str, text: str) -> str:
    return str(words_of(person.language)["mail_faults"][reason]).format(text=text)


def _back() -> Response:
    return RedirectResponse(f"{_HERE}?done=yes", status_code=303)

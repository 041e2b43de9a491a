"""The audit: who asked for what, when, and what it set, the newest first; filtered, page by page."""

import datetime
from functools import partial
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import HTTPException, Query
from fastapi.responses import HTMLResponse

from console.web.inside.company_asking import own_creditors
from console.web.inside.given import Administrator, AskedDay
from console.web.inside.parts import InsideParts
from console.web.inside.set_fields import SetField, set_fields
from console.web.inside.showing import Words, page, words_of
from console.web.routing import Routes
from infra.database.engine import reading
from infra.database.people import AuditEntry

__all__ = ["router"]

_PAGE: Final = 100
_Word = Annotated[str, Query(max_length=200)]


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes()

    @routes.get("/audit", response_model=None)
    def audit(
        *,
        person: Administrator,
        user: _Word = "",
        account: _Word = "",
        company: _Word = "",
        act: _Word = "",
        first_on: AskedDay = None,
        last_on: AskedDay = None,
        skip: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    ) -> HTMLResponse:
        asked = {"user": user, "account": account, "company": company, "act": act}
        # Who sees some companies only reads what concerns these, and nothing of the console's own acts.
        if not person.sees(company or next(iter(person.companies), "")):
            raise HTTPException(404)
        entries = parts.people.entries(
            account=account or None,
            user=user,
            act=act,
            companies=[company] if company else person.companies,
            first_at=_midnight(first_on),
            before_at=_midnight(None if last_on is None else last_on + datetime.timedelta(days=1)),
            limit=_PAGE + 1,
            offset=skip,
        )
        with reading(parts.engine) as connection:
            known = own_creditors(connection, person)
        words = words_of(person.language)
        days = {"first_on": first_on, "last_on": last_on}
        query = {name: str(value) for name, value in (asked | days).items() if value}
        return page(
            "settings/audit.html",
            person=person,
            entries=entries[:_PAGE],
            set_of=partial(_set, words=words),
            asked=asked,
            days=days,
            users=[each.user for each in parts.people.users()] if not person.companies else [],
            companies=known,
            acts={**words["acts"], **words["requests"]},
            before=f"/audit?{urlencode(query | {'skip': max(0, skip - _PAGE)})}" if skip else "",
            after=f"/audit?{urlencode(query | {'skip': skip + _PAGE})}" if len(entries) > _PAGE else "",
        )

    return routes


def _set(entry: AuditEntry, *, words: Words) -> list[SetField]:
    """Give what a line's act set."""
    return set_fields(entry.said_json, words=words, act=entry.act)


def _midnight(on: datetime.date | None) -> datetime.datetime | None:
    return None if on is None else datetime.datetime.combine(on, datetime.time(), tzinfo=datetime.UTC)

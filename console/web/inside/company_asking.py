"""What is asked about a whole company: who may, what each such command has, and a page that waits until it stands.

Commands of a company are broadcast; the latest by time stands in every partition. So each is dated after the
one that it is to follow, however fast two come.
"""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

from fastapi import HTTPException
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from console.web.inside.access import Person
from console.web.inside.asking import (
    Asked,
    WrongRequestError,
    refused_by_intake,
    said_by,
    until_written,
)
from console.web.inside.auditing import content_of, kept_fields, note
from console.web.inside.parts import InsideParts
from infra.database.engine import reading
from infra.database.queries.creditors import company_row, creditors
from infra.database.queries.moment import business_now
from processors.company import said_at
from schemas.codec import type_of
from schemas.commands import CompanyCommand, OverrideBankGate, PublishPlan
from schemas.journal import SourceEvent
from schemas.rows import CompanyRow

__all__ = [
    "CompanyForm",
    "ask_company",
    "await_company",
    "company_told",
    "own_creditors",
    "require_company",
    "settings_path",
]

_SECOND: Final = datetime.timedelta(seconds=1)


class CompanyForm(NamedTuple):
    """Who asks, about which company, and the word that the form was made with."""

    person: Person
    company: str
    nonce: str


def own_creditors(connection: Connection, person: Person) -> list[tuple[str, str]]:
    """List (id, name) of the companies that a person sees."""
    return [(each.company, each.name) for each in creditors(connection) if person.sees(each.company)]


def require_company(connection: Connection, person: Person, company: str) -> CompanyRow:
    """Give a company's row, when it is the person's to see.

    Raises:
        HTTPException: 404: there is none, or it is not for this person to know.
    """
    row = company_row(connection, company) if person.sees(company) else None
    if row is None:
        raise HTTPException(404)
    return row


def company_told(
    parts: InsideParts, form: CompanyForm, *, after: CompanyCommand | None = None
) -> Mapping[str, Any]:
    """Give what each command about a company has.

    Args:
        parts: of the console.
        form: what asks.
        after: what it is to stand in the place of: it is dated later.
    """
    with reading(parts.engine) as connection:
        now = business_now(connection, wall=parts.clock())
    return {
        "company": form.company,
        "occurred_at": _later(now, after=after),
        "command": said_by(form.person, given=form.nonce),
        "author": form.person.user,
    }


def _later(now: datetime.datetime, *, after: CompanyCommand | None) -> str:
    at = now if after is None else max(now, said_at(after) + _SECOND)
    return at.isoformat(timespec="seconds")


def ask_company(
    parts: InsideParts,
    form: CompanyForm,
    command: CompanyCommand,
    *,
    back_to: str,
    before: Sequence[SourceEvent] = (),
    detail: str = "",
    more: Mapping[str, str] | None = None,
    stood: CompanyCommand | None = None,
) -> RedirectResponse:
    """Publish a company's command, after what has to come first, and send the browser on to a page that waits for it.

    The audit has what it sets; with ``stood``, which it comes in the place of, only what changes.

    Raises:
        WrongRequestError: intake would refuse it.
        PublishError: Kafka does not take it; the audit has the attempt.
    """
    events = [*before, command]
    wrong = [each for event in events for each in refused_by_intake(event)]
    if wrong:
        raise WrongRequestError(wrong)
    note(
        parts,
        form.person,
        entry=said_by(form.person, given=form.nonce),
        act=type_of(command),
        account=form.company,
        detail=detail,
        said_json=kept_fields(events, stood=stood),
        content=content_of(events),
    )
    parts.publish(events)
    query = urlencode({**(more or {}), "asked": key_of(command)})
    return RedirectResponse(f"{back_to}?{query}", status_code=303)


def key_of(command: CompanyCommand) -> str:
    """Give what the read model knows a command by: its id, its plan's version, or the bank line that it is about."""
    if isinstance(command, PublishPlan):
        return f"plan {command.plan.id}/{command.plan.version}"
    if isinstance(command, OverrideBankGate):
        return command.on.isoformat()
    return str(getattr(command, "line", "") or getattr(command, "command", ""))


async def await_company(parts: InsideParts, *, company: str, request: str) -> Asked | None:
    """Wait until the read model has a company's command, for so long as the settings say; None: none was asked."""

    def is_written() -> bool:
        with reading(parts.engine) as connection:
            row = company_row(connection, company)
        return row is not None and request in row.commands

    return await until_written(parts, is_written=is_written, request=request)


def settings_path(company: str, *names: str) -> str:
    """Give the path of a company's settings page."""
    return "/".join(("/settings", *(quote(each, safe="") for each in (company, *names))))

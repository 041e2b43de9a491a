"""The addresses that are not written to: why and since when, for which customers; added and taken off by hand (R19, S4-21).

It is the list of ``cobranza suppressions``. Viewers see no address; who sees some companies only changes their entries.
"""

from collections.abc import Sequence
from typing import Annotated, Final, Literal, cast
from urllib.parse import urlencode

from fastapi import Form, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from msgspec.structs import replace

from console.lifting import lifting
from console.web.inside.access import Person, require_own_form
from console.web.inside.asking import WrongRequestError, said_by
from console.web.inside.auditing import content_of, kept_fields, note
from console.web.inside.company_asking import own_creditors
from console.web.inside.given import Approver, Collector, Reader, Stripped, Word
from console.web.inside.masking import masked
from console.web.inside.parts import InsideParts
from console.web.inside.showing import page, words_of
from console.web.routing import Routes
from infra.database.engine import reading, writing
from infra.database.queries.moment import business_now
from infra.database.queries.suppressed import (
    SuppressionFilter,
    accounts_at,
    may_see,
    suppression_page,
)
from infra.database.suppressions import (
    Mark,
    Suppression,
    marks_of,
    normal_address,
    release,
    suppress,
)
from schemas.codec import type_of
from schemas.fields import Channel

__all__ = ["router"]

_LINES_MAX: Final = 50
_CHANNELS: Final = ("email", "sms", "letter")
_Channel = Annotated[Literal["email", "sms", "letter"], Form()]
_Address = Annotated[str, Stripped, Form(min_length=1, max_length=500)]
_Reason = Annotated[str, Stripped, Form(min_length=1, max_length=500)]
_Short = Annotated[str, Query(max_length=64)]


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes()
    _add_list(routes, parts)
    _add_forms(routes, parts)
    return routes


def _add_list(routes: Routes, parts: InsideParts) -> None:
    @routes.get("/suppressions", response_model=None)
    def show(
        *,
        person: Reader,
        channel: _Short = "",
        company: _Short = "",
        search: Annotated[str, Query(max_length=200)] = "",
        skip: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
        done: _Short = "",
        address: Annotated[str, Query(max_length=500)] = "",
    ) -> HTMLResponse:
        may_read = person.may("collector")
        asked = SuppressionFilter(
            companies=person.companies,
            channel=channel,
            company=company,
            # Who does not see addresses does not find out about them by guessing either.
            search=search.strip() if may_read else "",
        )
        with reading(parts.engine) as connection:
            found = suppression_page(connection, asked=asked, skip=skip, lines_max=_LINES_MAX + 1)
            lines = found[:_LINES_MAX]
            accounts = accounts_at(connection, lines, seen=person.companies)
            companies = own_creditors(connection, person)
            is_removed = done == "removed" and channel in _CHANNELS and may_read
            marks = (
                marks_of(connection, channel=cast("Channel", channel), address=address) if is_removed else []
            )
        given = {"channel": channel, "company": company, "search": asked.search}
        query = urlencode({name: value for name, value in given.items() if value})
        return page(
            "suppressions.html",
            person=person,
            lines=[(_shown(each, person), accounts.get((each.channel, each.address), [])) for each in lines],
            channels=_CHANNELS,
            companies=companies,
            given=given,
            before=f"/suppressions?{query}&skip={max(0, skip - _LINES_MAX)}" if skip else "",
            after=f"/suppressions?{query}&skip={skip + _LINES_MAX}" if len(found) > _LINES_MAX else "",
            done=done if done in ("added", "known", "removed") else "",
            marked=_seen(marks, person),
        )


def _seen(marks: Sequence[Mark], person: Person, *, company: str = "") -> list[Mark]:
    """Give the marks of accounts that a person sees; of one company only where it is named."""
    owners = [(each, each.account.partition(":")[0]) for each in marks]
    return [each for each, owner in owners if person.sees(owner) and company in ("", owner)]


def _lift(
    parts: InsideParts, person: Person, *, channel: Channel, address: str, company: str, why: str
) -> None:
    """End the tasks to mend an address: the accounts write to it again."""
    with reading(parts.engine) as connection:
        marks = _seen(marks_of(connection, channel=channel, address=address), person, company=company)
        now = business_now(connection, wall=parts.clock()).isoformat(timespec="seconds")
    text = f"{address} may be written to again: {why.strip()}"
    commands = lifting(marks, author=person.user, at=now, text=text)
    for mark, command in zip(marks, commands, strict=True):
        note(
            parts,
            person,
            entry=command.command,
            act=type_of(command),
            account=mark.account,
            said_json=kept_fields([command]),
            content=content_of([command]),
        )
    if commands:
        parts.publish(commands)


def _shown(entry: Suppression, person: Person) -> Suppression:
    if person.may("collector"):
        return entry
    return replace(entry, address=masked(entry.address), detail="")


def _add_forms(routes: Routes, parts: InsideParts) -> None:
    @routes.post("/suppressions", response_model=None)
    def add(
        *,
        request: Request,
        person: Collector,
        csrf: Word,
        nonce: Word,
        channel: _Channel,
        address: _Address,
        reason: _Reason,
        company: Word = "",
    ) -> RedirectResponse:
        require_own_form(request, person, csrf=csrf)
        _require_company(parts, person, company)
        if not normal_address(address, channel=channel):
            text = words_of(person.language)["suppressions"]["no_address"]
            raise WrongRequestError([text], fields=["address"])
        _note(
            parts,
            person,
            given=nonce,
            act="console.suppression.add",
            entry=(channel, address, company),
            why=reason,
        )
        entry = Suppression(
            channel=channel,
            address=address,
            company=company,
            reason=reason.strip(),
            source=person.user,
            since=parts.clock(),
        )
        with writing(parts.engine) as connection:
            is_new = suppress(connection, entry)
        return RedirectResponse(f"/suppressions?done={'added' if is_new else 'known'}", status_code=303)

    @routes.post("/suppressions/remove", response_model=None)
    def remove(
        *,
        request: Request,
        person: Approver,
        csrf: Word,
        nonce: Word,
        channel: _Channel,
        address: _Address,
        reason: _Reason,
        company: Word = "",
        lift: Annotated[Literal["", "true"], Form()] = "",
    ) -> RedirectResponse:
        require_own_form(request, person, csrf=csrf)
        _require_company(parts, person, company)
        kept = normal_address(address, channel=channel)
        with reading(parts.engine) as connection:
            if not may_see(connection, channel=channel, address=kept, company=company, seen=person.companies):
                raise HTTPException(404)
        entry = (channel, address, company)
        _note(parts, person, given=nonce, act="console.suppression.remove", entry=entry, why=reason)
        if lift:  # first what others must hear: done again after a failure, each command is the same one
            _lift(parts, person, channel=channel, address=kept, company=company, why=reason)
        with writing(parts.engine) as connection:
            release(connection, channel=channel, address=address, company=company)
        query = urlencode({"done": "removed", "channel": channel, "address": address})
        return RedirectResponse(f"/suppressions?{query}", status_code=303)


def _require_company(parts: InsideParts, person: Person, company: str) -> None:
    """See that a person may change the entries of a company; of all companies ('') only who sees all.

    Raises:
        HTTPException: 404: it is not for this person to know, or there is none.
    """
    with reading(parts.engine) as connection:
        known = {each for each, _ in own_creditors(connection, person)}
    if company not in known and (company or person.companies):
        raise HTTPException(404)


def _note(
    parts: InsideParts, person: Person, *, given: str, act: str, entry: tuple[str, str, str], why: str
) -> None:
    channel, address, company = entry
    detail = f"{channel} {address}: {why.strip()}"
    note(parts, person, entry=said_by(person, given=given), act=act, account=company, detail=detail)

"""A document's own page, and a payment's: what it is, what settled what, and its history (S0-09, S0-10, S2-19)."""

from collections.abc import Callable
from typing import Annotated, Final

from fastapi import HTTPException, Query
from fastapi.responses import HTMLResponse
from msgspec.structs import replace

from console.web.inside.asking import await_written, nonce, until_told
from console.web.inside.pages.customer.opening import Reader, path_of, people_of, sheet_of
from console.web.inside.parts import InsideParts
from console.web.inside.showing import moments, page
from console.web.routing import Routes
from infra.database.engine import reading
from infra.database.queries.document_story import credit_story, document_story, payment_has
from infra.database.queries.moment import company_day, company_zone
from infra.database.queries.requests import refusal_of_document

__all__ = ["router"]

_Name = Annotated[str, Query(max_length=300)]
_WEB: Final = ("https://", "http://")


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes(prefix="/customers/{account:path}")
    _add_document(routes, parts)
    _add_credit(routes, parts)
    return routes


def _add_document(routes: Routes, parts: InsideParts) -> None:
    @routes.get("/document", response_model=None)
    async def one_document(*, person: Reader, account: str, document: _Name, asked: str = "") -> HTMLResponse:
        written = await await_written(parts, account=account, request=asked)
        sheet = sheet_of(parts, person, account)
        with reading(parts.engine) as connection:
            story = document_story(connection, account=account, item=document)
            today = company_day(connection, sheet.company, wall=parts.clock())
            zone = company_zone(connection, sheet.company)
        if story is None:
            raise HTTPException(404)
        said = story.row.document if story.row is not None else None
        urls = [(name, getattr(said, f"{name}_url", "")) for name in ("pdf", "xml")]
        return page(
            "customer/document.html",
            person=person,
            sheet=sheet,
            here=path_of(account),
            path_of=path_of,
            story=story,
            names=() if person.may("collector") else people_of(parts, account),
            links=[(name, url) for name, url in urls if url.startswith(_WEB)],
            today=today,
            asked=written,
            nonce=nonce,
            **moments(zone, language=person.language),
        )


def _add_credit(routes: Routes, parts: InsideParts) -> None:
    def is_entered(account: str, *, credit: str, state: str) -> Callable[[], bool]:
        def look() -> bool:
            with reading(parts.engine) as connection:
                return payment_has(connection, account=account, credit=credit, state=state)

        return look

    @routes.get("/credit", response_model=None)
    async def one_credit(
        *,
        person: Reader,
        account: str,
        credit: _Name,
        asked: str = "",
        entered: Annotated[str, Query(max_length=20)] = "",
    ) -> HTMLResponse:
        if entered:
            written = await until_told(
                parts,
                account=account,
                request=asked or credit,
                is_written=is_entered(account, credit=credit, state=entered),
            )
        else:
            written = await await_written(parts, account=account, request=asked)
        sheet = sheet_of(parts, person, account)
        with reading(parts.engine) as connection:
            story = credit_story(connection, account=account, credit=credit)
            today = company_day(connection, sheet.company, wall=parts.clock())
            zone = company_zone(connection, sheet.company)
            left_out = "" if story else refusal_of_document(connection, account=account, key=credit)
        if story is None and not entered:
            raise HTTPException(404)
        if written is not None and left_out:
            written = replace(written, refused=left_out)
        return page(
            "customer/credit.html" if story is not None else "customer/entered.html",
            person=person,
            sheet=sheet,
            here=path_of(account),
            path_of=path_of,
            story=story,
            names=() if person.may("collector") else people_of(parts, account),
            known_as=credit.partition("/")[2],
            today=today,
            asked=written,
            nonce=nonce,
            **moments(zone, language=person.language),
        )

"""Why something was or was not sent on a day, told from the journal; and what comes next if nothing comes in (R31, U-4, U-9).

The journal is read behind the page, which says how far that is and looks again by itself where scripts
run. What comes next is foreseen from the read model: at once, of an account with many rows behind the page.
"""

import datetime
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Annotated, Final

from fastapi import Query
from fastapi.responses import HTMLResponse
from msgspec import Struct
from sqlalchemy import Connection, func, select

from console.explaining.sentences import Teller
from console.explaining.words import words_of
from console.web.inside.given import AskedDay
from console.web.inside.kept_answers import KeptAnswers
from console.web.inside.pages.customer.opening import Collector, Reader, path_of, sheet_of
from console.web.inside.parts import InsideParts
from console.web.inside.retellings import BusyError, Retelling, Retellings, Tell
from console.web.inside.showing import page
from console.web.routing import Routes
from infra.database.engine import reading
from infra.database.queries.moment import company_day
from infra.database.queries.scheduled import ScheduledLine, scheduled
from infra.database.tables import live_rows
from infra.settings import Settings
from processors.retelling import DayTold

__all__ = ["Paragraph", "gathered", "router"]

_READ_S_MAX: Final = 300.0
_AT_ONCE_S: Final = 1.0
# Of an account with more rows the forecast is made behind the page.
_ROWS_MAX: Final = 5_000
_LINES_MAX: Final = 200


class Paragraph(Struct, kw_only=True):
    """A sentence, and those that are set in below it."""

    text: str
    under: list["Paragraph"]


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes(prefix="/customers/{account:path}")
    retellings = Retellings(parts.retell or _from_journal(parts.settings))
    _add_why(routes, parts, retellings)
    _add_next(routes, parts)
    return routes


def _add_why(routes: Routes, parts: InsideParts, retellings: Retellings) -> None:
    @routes.get("/why", response_model=None)
    def why(*, person: Collector, account: str, on: AskedDay = None) -> HTMLResponse:
        sheet = sheet_of(parts, person, account)
        with reading(parts.engine) as connection:
            today = company_day(connection, sheet.company, wall=parts.clock())
        day = min(on or today, today)
        try:
            known: Retelling | None = retellings.ask(account, day)
        except BusyError:
            known = None
        if known is not None:
            known.wait(_AT_ONCE_S)
        return page(
            "customer/why.html",
            person=person,
            sheet=sheet,
            here=path_of(account),
            day_asked=day,
            today=today,
            known=known,
            paragraphs=_paragraphs(known, language=person.language),
        )


def _add_next(routes: Routes, parts: InsideParts) -> None:
    limits = parts.console
    foreseen: KeptAnswers[list[ScheduledLine]] = KeptAnswers(
        clock=parts.clock, fresh_s=limits.answer_fresh_s, wait_s=limits.answer_wait_s
    )

    def lines_of(account: str, until: datetime.date) -> list[ScheduledLine]:
        with reading(parts.engine) as connection:
            return list(islice(scheduled(connection, last_on=until, account=account), _LINES_MAX))

    @routes.get("/next", response_model=None)
    def what_next(
        *, person: Reader, account: str, days: Annotated[int, Query(ge=1, le=366)] = 90
    ) -> HTMLResponse:
        sheet = sheet_of(parts, person, account)
        with reading(parts.engine) as connection:
            today = company_day(connection, sheet.company, wall=parts.clock())
            until = today + datetime.timedelta(days=days)
            is_large = _rows(connection, account) > _ROWS_MAX
        if is_large:
            kept = foreseen.ask((account, until), lambda: lines_of(account, until))
            lines, made_at = (None, None) if kept is None else (kept.value, kept.made_at)
        else:
            lines, made_at = lines_of(account, until), None
        return page(
            "customer/next.html",
            person=person,
            sheet=sheet,
            here=path_of(account),
            lines=lines,
            days=days,
            until=until,
            made_at=made_at,
        )


def _from_journal(settings: Settings) -> Tell:
    def tell(account: str, day: datetime.date | None, progress: Callable[[int, int], None]) -> DayTold:
        # Opened when somebody asks: it brings the clients of Kafka.
        from console.retelling import told_of

        return told_of(settings, account=account, day=day, progress=progress, seconds_max=_READ_S_MAX)

    return tell


def _rows(connection: Connection, account: str) -> int:
    some = select(live_rows.c["name"]).where(live_rows.c["owner"] == account).limit(_ROWS_MAX + 1).subquery()
    return int(connection.execute(select(func.count()).select_from(some)).scalar_one())


def _paragraphs(known: Retelling | None, *, language: str) -> list[Paragraph]:
    if known is None or known.told is None:
        return []
    told = known.told
    if not told.heard and not told.late:
        return []
    return gathered(Teller(told, words=words_of(language)).day())


def gathered(lines: Iterable[str]) -> list[Paragraph]:
    """Gather told lines: what is set in further belongs to the sentence above it."""
    found: list[Paragraph] = []
    open_at: list[tuple[int, list[Paragraph]]] = [(-1, found)]
    for line in lines:
        depth = len(line) - len(line.lstrip(" "))
        while open_at[-1][0] >= depth:
            open_at.pop()
        said = Paragraph(text=line.strip(), under=[])
        open_at[-1][1].append(said)
        open_at.append((depth, said.under))
    return found

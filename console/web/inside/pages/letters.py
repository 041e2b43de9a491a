"""Letters that are not printed: left out of their runs because a file is damaged, and runs that wait for their files (R19).

They are the acts of ``cobranza letters left-out``, ``again`` and ``give-up``: a letter is printed again or given up, never both.
"""

from typing import Annotated, Final

from fastapi import Form, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from console.left_out import NotLeftOutError, give_up, print_again
from console.web.inside.access import Person, require_own_form
from console.web.inside.asking import WrongRequestError, said_by
from console.web.inside.auditing import note
from console.web.inside.given import Approver, Collector, Word
from console.web.inside.parts import InsideParts
from console.web.inside.showing import page, words_of
from console.web.routing import Routes
from infra.database.print_runs import PrintRuns, RunLetter
from infra.errors import OperatorError

__all__ = ["router"]

_LINES_MAX: Final = 25
_DONE: Final = ("again", "given_up")
_Reminder = Annotated[str, Form(min_length=1, max_length=300)]


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes()
    _add_list(routes, parts)
    _add_acts(routes, parts)
    return routes


def _add_list(routes: Routes, parts: InsideParts) -> None:
    @routes.get("/letters", response_model=None)
    def letters(
        *,
        person: Collector,
        skip: Annotated[int, Query(ge=0, le=100_000)] = 0,
        done: Annotated[str, Query(max_length=16)] = "",
        place: Annotated[str, Query(max_length=128)] = "",
    ) -> HTMLResponse:
        runs = PrintRuns(parts.engine)
        found = runs.left_out(companies=person.companies, skip=skip, limit=_LINES_MAX + 1)
        waiting = [
            each for each in runs.runs(states=("closing",)) if each.detail and person.sees(each.company)
        ]
        return page(
            "letters.html",
            person=person,
            lines=found[:_LINES_MAX],
            has_more=len(found) > _LINES_MAX,
            skip=skip,
            step=_LINES_MAX,
            waiting=waiting,
            done=done if done in _DONE else "",
            place=place,
        )


def _add_acts(routes: Routes, parts: InsideParts) -> None:
    @routes.post("/letters/again", response_model=None)
    def again(
        *, request: Request, person: Collector, csrf: Word, nonce: Word, reminder: _Reminder
    ) -> RedirectResponse:
        """Have a letter printed with the open run, once its file is as it was accepted."""
        require_own_form(request, person, csrf=csrf)
        letter, entry = _letter(parts, person, reminder), said_by(person, given=nonce)
        is_repeated = _note(parts, person, entry=entry, act="letter.again", letter=letter)
        try:
            letter = print_again(
                reminder, engine=parts.engine, data_dir=parts.settings.data_dir, clock=parts.clock
            )
        except OperatorError as error:
            if not (is_repeated and isinstance(error, NotLeftOutError) and not letter.left_out):
                raise _refused(person, error) from error
        return RedirectResponse(
            f"/letters?done=again&place={letter.run}/{letter.position:06d}", status_code=303
        )

    @routes.post("/letters/give-up", response_model=None)
    def given_up(
        *,
        request: Request,
        person: Approver,
        csrf: Word,
        nonce: Word,
        reminder: _Reminder,
        because: Annotated[str, Form(max_length=2_000)] = "",
    ) -> RedirectResponse:
        """Say that a letter has failed, so that the next channel has its turn."""
        require_own_form(request, person, csrf=csrf)
        letter, entry = _letter(parts, person, reminder), said_by(person, given=nonce)
        why = because.strip()
        if not why:
            raise WrongRequestError([words_of(person.language)["letters"]["no_reason"]], fields=["because"])
        is_repeated = _note(parts, person, entry=entry, act="letter.give_up", letter=letter, why=why)
        try:
            give_up(
                reminder,
                because=why,
                engine=parts.engine,
                data_dir=parts.settings.data_dir,
                clock=parts.clock,
            )
        except OperatorError as error:
            if not (is_repeated and isinstance(error, NotLeftOutError) and letter.settled_at is not None):
                raise _refused(person, error) from error
        return RedirectResponse("/letters?done=given_up", status_code=303)


def _letter(parts: InsideParts, person: Person, reminder: str) -> RunLetter:
    """Give the letter of a reminder.

    Raises:
        HTTPException: 404: there is none, or it is not for this person to know.
    """
    found = PrintRuns(parts.engine).letter(reminder)
    if found is None or not person.sees(found.company):
        raise HTTPException(404)
    return found


def _refused(person: Person, error: OperatorError) -> WrongRequestError:
    words = words_of(person.language)["letters"]
    said = words["settled_before"] if isinstance(error, NotLeftOutError) else words["not_now"]
    return WrongRequestError([said.format(detail=error)], fields=[""])


def _note(
    parts: InsideParts, person: Person, *, entry: str, act: str, letter: RunLetter, why: str = ""
) -> bool:
    """Write down what is about to be done; True: this form has asked for the same before."""
    place = f"{letter.reminder} {letter.run}/{letter.position:06d}"
    detail = f"{place}: {why}" if why else place
    # Where it stands is another place once it is printed again.
    asked = f"{letter.reminder}\n{why}"
    return not note(parts, person, entry=entry, act=act, account=letter.account, detail=detail, content=asked)

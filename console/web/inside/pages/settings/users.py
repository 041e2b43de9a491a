"""Who may use the console: listed, added, changed and shut out by administrators; and everybody's own password.

A new user, and one who forgot it, gets a password made at random, shown once and good for nothing but choosing
another. It follows from the form and the session that ask for it: a second click is shown the same one again.
Who sees some companies only manages those who see no others.
"""

import base64
import datetime
import hashlib
from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import Form, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from msgspec import Struct
from msgspec.structs import replace

from console.web.inside.access import (
    PASSWORD_CHARACTERS_MIN,
    Person,
    WaitError,
    has_password,
    hash_password,
    is_own_password,
    manages,
    require_own_form,
)
from console.web.inside.asking import WrongRequestError, said_by
from console.web.inside.auditing import kept_values, note
from console.web.inside.company_asking import own_creditors
from console.web.inside.given import Administrator, Reader, Word
from console.web.inside.parts import InsideParts
from console.web.inside.showing import LANGUAGES, page, words_of
from console.web.routing import Routes
from infra.database.engine import reading
from infra.database.people import ROLES, AuditEntry, Role, User

__all__ = ["router"]

_Password = Annotated[str, Form(max_length=1_024)]
_Text = Annotated[str, Form(max_length=10_000)]
_PASSWORD_BYTES: Final = 12
_SECOND_CLICK: Final = datetime.timedelta(seconds=30)


class UserFault(Struct, frozen=True, kw_only=True):
    """What is wrong with a form about a user: the field, and a key of the words."""

    field: str
    said: str


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes()
    _add_list(routes, parts)
    _add_new(routes, parts)
    _add_changes(routes, parts)
    _add_own(routes, parts)
    return routes


def _add_list(routes: Routes, parts: InsideParts) -> None:
    @routes.get("/users", response_model=None)
    def every(*, person: Administrator, user: Annotated[str, Query(max_length=128)] = "") -> HTMLResponse:
        chosen = _managed(parts, person, user) if user else None
        return _page(parts, person, chosen=chosen)


def _add_new(routes: Routes, parts: InsideParts) -> None:
    @routes.post("/users", response_model=None)
    def add(
        *,
        request: Request,
        person: Administrator,
        csrf: Word,
        nonce: Word,
        user: Word = "",
        role: Word = "",
        language: Word = "en",
        companies: _Text = "",
    ) -> HTMLResponse:
        require_own_form(request, person, csrf=csrf)
        made, faults = _read(person, role=role, language=language, companies=companies)
        password = _password(person, given=nonce, user=user)
        if not user.isprintable() or user != user.strip() or not user:
            faults.append(UserFault(field="user", said="name"))
        elif (there := parts.people.user(user)) is not None:
            if _asked_before(parts, person, given=nonce, user=user) and has_password(there, password):
                return _page(parts, person, password=password, about=user)
            faults.append(UserFault(field="user", said="taken"))
        _require_right(person, faults)
        known = replace(made, user=user, password_hash=hash_password(password), must_change=True)
        note(
            parts,
            person,
            entry=said_by(person, given=nonce),
            act="console.user.add",
            detail=user,
            said_json=kept_values(_said(known)),
        )
        parts.people.put(known, at=parts.clock())
        return _page(parts, person, password=password, about=user)


def _add_changes(routes: Routes, parts: InsideParts) -> None:
    @routes.post("/users/change", response_model=None)
    def change(
        *,
        request: Request,
        person: Administrator,
        csrf: Word,
        nonce: Word,
        user: Word = "",
        role: Word = "",
        language: Word = "en",
        companies: _Text = "",
        is_disabled: Word = "false",
    ) -> Response:
        require_own_form(request, person, csrf=csrf)
        known = _managed(parts, person, user)
        made, faults = _read(person, role=role, language=language, companies=companies)
        changed = replace(
            known,
            role=made.role,
            language=made.language,
            companies=made.companies,
            is_disabled=is_disabled == "true",
        )
        if user == person.user and (changed.is_disabled or changed.role != known.role):
            faults.append(UserFault(field="role", said="oneself"))
        if is_disabled not in ("true", "false"):
            faults.append(UserFault(field="is_disabled", said="role"))
        _require_right(person, faults)
        note(
            parts,
            person,
            entry=said_by(person, given=nonce),
            act="console.user.change",
            detail=user,
            said_json=kept_values(_said(changed), stood=_said(known)),
            content=kept_values({"user": user, **_said(changed)}),
        )
        parts.people.put(changed, at=parts.clock())
        return RedirectResponse("/users", status_code=303)

    @routes.post("/users/password", response_model=None)
    def renew(
        *, request: Request, person: Administrator, csrf: Word, nonce: Word, user: Word = ""
    ) -> HTMLResponse:
        require_own_form(request, person, csrf=csrf)
        known = _managed(parts, person, user)
        if user == person.user:
            raise HTTPException(404)  # one's own is chosen, not made
        password = _password(person, given=nonce, user=user)
        entry = said_by(person, given=nonce)
        if not note(parts, person, entry=entry, act="console.user.password", detail=user):
            first = _asked_before(parts, person, given=nonce, user=user)
            if has_password(known, password):
                return _page(parts, person, password=password, about=user)
            if first is None or parts.clock() - first.at > _SECOND_CLICK:  # he has chosen his own since
                raise WrongRequestError(
                    [words_of(person.language)["refusals"]["said_otherwise"]], fields=[""]
                )
        parts.people.put(
            replace(known, password_hash=hash_password(password), must_change=True), at=parts.clock()
        )
        return _page(parts, person, password=password, about=user)


def _add_own(routes: Routes, parts: InsideParts) -> None:
    @routes.get("/me", response_model=None)
    def own(*, person: Reader, done: bool = False) -> HTMLResponse:
        return page(
            "settings/me.html", person=person, said="", wait=0, is_done=done, least=PASSWORD_CHARACTERS_MIN
        )

    @routes.post("/me", response_model=None)
    def choose(
        *,
        request: Request,
        person: Reader,
        csrf: Word,
        nonce: Word,
        password: _Password = "",
        chosen: _Password = "",
        again: _Password = "",
    ) -> Response:
        require_own_form(request, person, csrf=csrf)
        said, wait = "", 0
        try:
            if not is_own_password(parts, person, password=password):
                said = "wrong"
            elif chosen != again:
                said = "differ"
            elif len(chosen) < PASSWORD_CHARACTERS_MIN or chosen in (password, person.user):
                said = "weak"
        except WaitError as error:
            said, wait = "wait", error.minutes
        if said:
            return page(
                "settings/me.html",
                person=person,
                said=said,
                wait=wait,
                is_done=False,
                least=PASSWORD_CHARACTERS_MIN,
                status=422,
            )
        note(parts, person, entry=said_by(person, given=nonce), act="console.password.choose", detail="")
        hashed = hash_password(chosen)
        parts.people.choose_password(
            person.user, password_hash=hashed, session=person.session, at=parts.clock()
        )
        return RedirectResponse("/me?done=true", status_code=303)


def _password(person: Person, *, given: str, user: str) -> str:
    """Give the password that a form makes: from its word, which is random, and the session's; another form makes another."""
    digest = hashlib.sha256(f"password\n{person.session}\n{given}\n{user}".encode()).digest()
    return base64.urlsafe_b64encode(digest[:_PASSWORD_BYTES]).decode()


def _asked_before(parts: InsideParts, person: Person, *, given: str, user: str) -> AuditEntry | None:
    """Give what was noted when this form came first; None: it did not, or was about somebody else."""
    found = parts.people.entry(said_by(person, given=given))
    return found if found is not None and found.detail == user else None


def _managed(parts: InsideParts, person: Person, user: str) -> User:
    known = parts.people.user(user)
    if known is None or not manages(person, known):
        raise HTTPException(404)
    return known


def _read(person: Person, *, role: str, language: str, companies: str) -> tuple[User, list[UserFault]]:
    """Read what a form says of a user, whoever it is."""
    faults = []
    roles: dict[str, Role] = {each: each for each in ROLES}
    if role not in roles:
        faults.append(UserFault(field="role", said="role"))
    if language not in LANGUAGES:
        faults.append(UserFault(field="language", said="language"))
    made = User(
        user="",
        role=roles.get(role, "viewer"),
        password_hash="",
        language=language,
        companies=tuple(dict.fromkeys(companies.split())),
    )
    if not manages(person, made):
        faults.append(UserFault(field="companies", said="companies"))
    return made, faults


def _require_right(person: Person, faults: Sequence[UserFault]) -> None:
    """See that nothing is wrong with a form.

    Raises:
        WrongRequestError: something is.
    """
    if faults:
        told = words_of(person.language)["user_faults"]
        raise WrongRequestError([told[each.said] for each in faults], fields=[each.field for each in faults])


def _said(user: User) -> dict[str, object]:
    """Give what is set of a user; of the password nothing is kept."""
    return {
        "role": user.role,
        "language": user.language,
        "companies": list(user.companies),
        "is_disabled": user.is_disabled,
    }


def _page(
    parts: InsideParts,
    person: Person,
    *,
    chosen: User | None = None,
    password: str = "",
    about: str = "",
) -> HTMLResponse:
    with reading(parts.engine) as connection:
        companies = own_creditors(connection, person)
    blank = {
        "user": "",
        "role": "viewer",
        "language": person.language,
        "companies": "\n".join(person.companies),
    }
    return page(
        "settings/users.html",
        person=person,
        users=[each for each in parts.people.users() if manages(person, each)],
        chosen=chosen,
        given=blank,
        password=password,
        about=about,
        roles=ROLES,
        companies=companies,
    )

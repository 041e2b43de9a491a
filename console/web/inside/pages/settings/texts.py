"""The texts of a company's messages: which are its own, looked at on a made-up customer, changed, given back
(S0-05, S1-08, S4-10).

They are the files of ``cobranza templates``. A draft is tried with the same checks before it is saved; whoever saves
over another's change is told, with what stands now.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal, NamedTuple

from fastapi import Depends, HTTPException, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from console.own_texts import ChangedTextsError, OwnText, OwnTexts, TextGroup, group_of
from console.trying_texts import Example, Tried, messages_of, tried
from console.web.inside.access import Person
from console.web.inside.asking import WrongRequestError, nonce, said_by
from console.web.inside.auditing import kept_values, note
from console.web.inside.company_asking import require_company, settings_path
from console.web.inside.drawing import MAIL_POLICY, mail_page
from console.web.inside.given import Reader
from console.web.inside.pages.settings.forms import Given, company_form
from console.web.inside.pages.settings.logo import LOGOS, logo_line, own_texts_of
from console.web.inside.parts import InsideParts
from console.web.inside.showing import page, words_of
from console.web.routing import Routes
from infra.database.engine import reading
from infra.database.people import AuditEntry
from infra.database.queries.debtors import company_as_kept
from infra.errors import OperatorError
from notifiers.assembly import TEMPLATES
from notifiers.channel import Message
from notifiers.settings import SendSettings, read_settings
from notifiers.sms.segments import segments
from notifiers.writing.words import LANGUAGES
from schemas.fields import Channel

__all__ = ["SAVED", "router"]

SAVED: Final = "console.texts.save"
_ENTRIES_MAX: Final = 200
_SHOWN_MAX: Final = 10
_TEXT_MAX: Final = 65_536
_SHOWN: Final[tuple[Channel, ...]] = ("email", "sms")
_AdministratorForm = Annotated[Given, Depends(company_form("administrator"))]
_Show = Literal["page", "html", "pdf"]


class _Draft(NamedTuple):
    """What somebody writes: the texts by file, from what they were changed, and what came of trying them."""

    texts: Mapping[str, str]
    revision: str
    tried: Tried | None = None
    is_overtaken: bool = False


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes()
    texts = own_texts_of(parts)
    _add_views(routes, parts, texts)
    _add_editing(routes, parts, texts)
    return routes


def _add_views(routes: Routes, parts: InsideParts, texts: OwnTexts) -> None:
    @routes.get("/settings/{company}/texts", response_model=None)
    def every(
        *,
        person: Reader,
        company: str,
        kind: Annotated[str, Query(max_length=64)] = "",
        language: Annotated[str, Query(max_length=2)] = "",
        done: Annotated[str, Query(max_length=8)] = "",
    ) -> Response:
        with reading(parts.engine) as connection:
            require_company(connection, person, company)
            known = company_as_kept(connection, company)
        if kind:
            group = group_of(kind.strip().lower(), language)
            if group is None or group.kind == "layout":
                raise HTTPException(404)
            return RedirectResponse(settings_path(company, "texts", group.kind, group.name), status_code=303)
        return page(
            "settings/texts.html",
            person=person,
            company=company,
            kinds=texts.kinds(company),
            layouts=texts.layouts(company),
            text_languages=LANGUAGES,
            changes=_changes(parts, company)[:_SHOWN_MAX],
            logo=logo_line(known, folder=parts.settings.data_dir / TEMPLATES / company),
            kept_logo=done if done in LOGOS else "",
        )

    @routes.get("/settings/{company}/texts/{kind}/{name}", response_model=None)
    def one(
        *,
        person: Reader,
        company: str,
        kind: str,
        name: str,
        show: Annotated[_Show, Query()] = "page",
        done: Annotated[str, Query(max_length=8)] = "",
    ) -> Response:
        group = _group(parts, person, company=company, kind=kind, name=name)
        if show != "page":
            channels: tuple[Channel, ...] = ("letter",) if show == "pdf" else ("email",)
            return _file(messages_of(_example(parts, company), group, channels=channels), show=show)
        return _page(parts, person, texts, company=company, group=group, done=done)


def _add_editing(routes: Routes, parts: InsideParts, texts: OwnTexts) -> None:
    @routes.post("/settings/{company}/texts/{kind}/{name}", response_model=None)
    def edit(*, form: _AdministratorForm, kind: str, name: str) -> Response:
        """Try a draft, show it as a mail or a letter, or save it: as the button says."""
        person, company, _ = form.about
        group = _group(parts, person, company=company, kind=kind, name=name)
        draft = _Draft({each: form.text(each)[:_TEXT_MAX] for each in group.files}, form.text("revision"))
        what = form.text("what")
        channels: tuple[Channel, ...] = {"html": ("email",), "pdf": ("letter",)}.get(what, _SHOWN)  # type: ignore[assignment]  # channels
        found = tried(_example(parts, company), group, draft.texts, channels=channels)
        draft = draft._replace(tried=found)
        if what != "save" or found.faults:
            if what in ("html", "pdf") and not found.faults:
                return _file(found.messages, show=what)
            return _page(parts, person, texts, company=company, group=group, draft=draft)
        return _save(parts, texts, form, group=group, draft=draft)

    @routes.post("/settings/{company}/texts/{kind}/{name}/give-back", response_model=None)
    def give_back(*, form: _AdministratorForm, kind: str, name: str) -> Response:
        """Let the shipped texts stand again."""
        person, company, _ = form.about
        group = _group(parts, person, company=company, kind=kind, name=name)
        shipped = {each.file: each.shipped for each in texts.texts(company, group)}
        draft = _Draft(shipped, form.text("revision"))
        return _save(parts, texts, form, group=group, draft=draft)


def _save(parts: InsideParts, texts: OwnTexts, form: Given, *, group: TextGroup, draft: _Draft) -> Response:
    person, company, given = form.about
    standing = {each.file: each for each in texts.texts(company, group)}
    if texts.revision(company, group) != draft.revision:
        return _overtaken(parts, person, texts, company=company, group=group, draft=draft)
    names = [each for each in group.files if draft.texts[each].split() != standing[each].text.split()]
    detail = f"{group.kind}/{group.name}: {', '.join(each.rpartition('/')[2] for each in names)}"
    note(
        parts,
        person,
        entry=said_by(person, given=given),
        act=SAVED,
        account=company,
        detail=detail,
        said_json=kept_values(
            {each: draft.texts[each] for each in names}, stood={each: standing[each].text for each in names}
        ),
        content=kept_values(draft.texts),
    )
    try:
        texts.save(company, group, draft.texts, revision=draft.revision)
    except ChangedTextsError:
        return _overtaken(parts, person, texts, company=company, group=group, draft=draft)
    except OperatorError as error:
        text = words_of(person.language)["texts"]["not_written"].format(detail=error)
        raise WrongRequestError([text], fields=[""]) from error
    return RedirectResponse(f"{_path(company, group)}?done=saved", status_code=303)


def _overtaken(
    parts: InsideParts, person: Person, texts: OwnTexts, *, company: str, group: TextGroup, draft: _Draft
) -> Response:
    """Tell who comes second what stands now; saving once more is on purpose. It is his own, or the same: it is saved."""
    if texts.stands(company, group, draft.texts):  # pressed twice
        return RedirectResponse(f"{_path(company, group)}?done=saved", status_code=303)
    told = draft._replace(is_overtaken=True, revision=texts.revision(company, group))
    return _page(parts, person, texts, company=company, group=group, draft=told)


def _group(parts: InsideParts, person: Person, *, company: str, kind: str, name: str) -> TextGroup:
    """Give a group of a company's texts.

    Raises:
        HTTPException: 404: there can be none of that name, or the company is not for this person to know.
    """
    with reading(parts.engine) as connection:
        require_company(connection, person, company)
    group = group_of(kind, name)
    if group is None:
        raise HTTPException(404)
    return group


def _example(parts: InsideParts, company: str) -> Example:
    with reading(parts.engine) as connection:
        known = company_as_kept(connection, company)
    fonts = read_settings(SendSettings).letter_fonts
    return Example(name=company, company=known, folder=parts.settings.data_dir / TEMPLATES, fonts=fonts)


def _file(messages: Mapping[Channel, Message], *, show: str) -> Response:
    """Give a mail as a page of its own, which may run and load nothing; or a letter."""
    for found in messages.values():
        if show == "pdf" and found.pdf:
            return Response(
                found.pdf, media_type="application/pdf", headers={"Content-Disposition": "inline"}
            )
        if show == "html" and found.html:
            return HTMLResponse(mail_page(found), headers={"Content-Security-Policy": MAIL_POLICY})
    raise HTTPException(404)


def _path(company: str, group: TextGroup) -> str:
    return settings_path(company, "texts", group.kind, group.name)


def _changes(parts: InsideParts, company: str, *, group: TextGroup | None = None) -> list[AuditEntry]:
    """List who changed a company's texts, the newest first."""
    found = parts.people.entries(account=company, act=SAVED, limit=_ENTRIES_MAX)
    begins = "" if group is None else f"{group.kind}/{group.name}:"
    return [each for each in found if each.detail.startswith(begins)]


def _page(
    parts: InsideParts,
    person: Person,
    texts: OwnTexts,
    *,
    company: str,
    group: TextGroup,
    draft: _Draft | None = None,
    done: str = "",
) -> HTMLResponse:
    standing = texts.texts(company, group)
    if draft is None:
        messages = messages_of(_example(parts, company), group, channels=_SHOWN)
        draft = _Draft({each.file: each.text for each in standing}, texts.revision(company, group))
    else:
        messages = draft.tried.messages if draft.tried is not None else {}
    faults = draft.tried.faults if draft.tried is not None else ()
    sms = messages.get("sms")
    return page(
        "settings/text.html",
        person=person,
        company=company,
        group=group,
        own_path=_path(company, group),
        standing=standing,
        draft=draft,
        faults=faults,
        lines={each: text.splitlines() for each, text in draft.texts.items()},
        messages=messages,
        segments=None if sms is None else segments(sms.text),
        is_own=_is_own(standing),
        changes=_changes(parts, company, group=group)[:_SHOWN_MAX],
        done=done == "saved",
        nonce=nonce,
        status=422 if faults else 409 if draft.is_overtaken else 200,
    )


def _is_own(standing: Sequence[OwnText]) -> bool:
    return any(each.origin in ("own", "instead") for each in standing)

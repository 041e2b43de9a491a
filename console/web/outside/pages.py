"""The routes behind links: tell us here (S4-17), stop these messages (RFC 8058).

A GET changes nothing: programs of mail servers follow every link. Whoever posts has the
token, which is in the address and nowhere else, so a form needs no other proof.
"""

from functools import partial
from importlib import resources
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from msgspec import structs
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from console.web.limits import RefusedRequestError
from console.web.outside.answering import (
    TooManyAnswersError,
    answer_command,
    keep_answer,
    opt_out_command,
)
from console.web.outside.form import KINDS, Given, Shown, read_form
from console.web.outside.reading import ClosedLinkError, Opened, open_link
from console.web.outside.words import Words, words_of
from console.web.outside.writing import document_views, page
from console.web.parts import WebParts
from console.web.routing import Routes
from infra.database.engine import reading
from infra.database.links import LinkBook
from infra.database.queries.merged import living_account
from notifiers.answer_files import ANSWER_FILES, AnswerFiles, file_of, media_type_of
from schemas.answers import AnswerFile, AnswerKind
from schemas.facts import ReminderItem

__all__ = ["router"]

_SHOWN_MAX: Final = 200  # of the documents of a message: a form of more nobody fills in
_FIELDS_MAX: Final = 400
_FIELD_BYTES_MAX: Final = 16 * 1024
_MEGABYTE: Final = 1024 * 1024
_WITH_DOCUMENTS_CHOSEN: Final = ("paid", "will_pay", "other")


def router(parts: WebParts) -> Routes:
    """Make the routes."""
    routes = Routes(reads_bodies=True)
    pages = _Pages(parts)
    looked, posted = ["GET", "HEAD"], ["POST"]
    for path, methods, handler in (
        ("/a/{token}", looked, pages.ask),
        ("/a/{token}", posted, pages.take),
        ("/u/{token}", looked, pages.offer_stop),
        ("/u/{token}", posted, pages.stop),
    ):
        routes.add_api_route(path, handler, methods=methods, response_model=None)
    style = resources.files("console.web.outside").joinpath("outside.css").read_bytes()

    @routes.get("/outside.css", response_model=None)
    async def css() -> Response:
        return Response(style, media_type="text/css", headers={"Cache-Control": "public, max-age=3600"})

    @routes.get("/favicon.ico", response_model=None)
    async def icon() -> Response:
        return Response(status_code=204)  # browsers ask, whatever the page says

    @routes.get("/robots.txt", response_model=None)
    async def robots() -> Response:
        return Response("User-agent: *\nDisallow: /\n", media_type="text/plain")

    return routes


class _Pages:
    def __init__(self, parts: WebParts) -> None:
        self._parts = parts
        self._book = LinkBook(parts.engine)
        self._files = AnswerFiles(parts.engine, parts.settings.data_dir / ANSWER_FILES)

    # -- tell us here ----------------------------------------------------------------

    def ask(self, token: str, say: str = "", said: str = "") -> HTMLResponse:
        """Show what there is to say, the form of one kind of answer, or that one has arrived."""
        opened = open_link(self._parts, token, purpose="answer")
        if said in KINDS:
            return self._page("said.html", opened, kind=said, here=f"{self._parts.links.root}/a/{token}")
        if say in KINDS:
            kind: AnswerKind = say
            shown = _shown(opened)
            chosen = shown.documents if kind in _WITH_DOCUMENTS_CHOSEN else ()
            return self._form(opened, Given(kind=kind, documents=chosen), token=token, errors={})
        words = words_of(opened.language)
        return self._page(
            "choose.html",
            opened,
            here=f"{self._parts.links.root}/a/{token}",
            title=words.answer_title.format(company=_company(opened)),
            intro=words.answer_intro.format(company=_company(opened), customer=_customer(opened)),
            documents=document_views(
                opened.items[:_SHOWN_MAX],
                language=opened.language,
                link=partial(self._document_link, opened),
            ),
            letter=self._parts.links.letter(opened.reminder, channel=opened.link.channel),
        )

    def _document_link(self, opened: Opened, item: ReminderItem) -> str:
        if not (item.pdf_url or item.xml_url):
            return ""
        return self._parts.links.document(opened.reminder, channel=opened.link.channel, item=item.item)

    async def take(self, request: Request, token: str) -> Response:
        """Take an answer: keep it and say so, or show the form again with what is wrong."""
        opened = await run_in_threadpool(open_link, self._parts, token, purpose="answer")
        form = await request.form(
            max_files=self._parts.web.files_max + 1,
            max_fields=_FIELDS_MAX,
            max_part_size=_FIELD_BYTES_MAX,
        )
        try:
            given = _given(form)
            uploads = [
                each for each in form.getlist("files") if isinstance(each, UploadFile) and each.filename
            ]
            contents = [(each.filename or "", await each.read()) for each in uploads]
            return await run_in_threadpool(self._take, opened, given, contents=contents, token=token)
        finally:
            await form.close()

    def _take(
        self, opened: Opened, given: Given, *, contents: list[tuple[str, bytes]], token: str
    ) -> Response:
        words = words_of(opened.language)
        shown = _shown(opened)
        said, errors = read_form(given, shown=shown, words=words, files=())
        errors |= self._wrong_files(contents, words=words)
        if errors:
            return self._form(opened, given, token=token, errors=errors)
        files: tuple[AnswerFile, ...] = tuple(file_of(name, content) for name, content in contents)
        event = answer_command(opened, structs.replace(said, files=files), account=self._account(opened))
        most = self._parts.web.answers_per_link_max

        def keep_files(connection: Connection) -> None:
            self._files.keep(connection, [content for _, content in contents], at=self._parts.clock())

        try:
            keep_answer(self._book, opened, event, answers_max=most, beside=keep_files)
        except TooManyAnswersError as error:
            raise ClosedLinkError(429, language=opened.language) from error
        self._parts.answered()
        # What is reached by GET can be loaded again without asking again.
        return RedirectResponse(f"{self._parts.links.root}/a/{token}?said={said.kind}", status_code=303)

    def _account(self, opened: Opened) -> str:
        """Give the account that the message's customer has now: who was merged into another is asked about there."""
        with reading(self._parts.engine) as connection:
            return living_account(connection, opened.message.account)

    def _wrong_files(self, contents: list[tuple[str, bytes]], *, words: Words) -> dict[str, str]:
        web = self._parts.web
        if len(contents) > web.files_max:
            return {"files": words.errors["files_many"].format(count=web.files_max)}
        for name, content in contents:
            shown = name[:100]
            if len(content) > web.file_bytes_max:
                megabytes = _megabytes(web.file_bytes_max)
                return {"files": words.errors["file_large"].format(name=shown, megabytes=megabytes)}
            if not media_type_of(content):
                return {"files": words.errors["file_type"].format(name=shown)}
        return {}

    def _form(self, opened: Opened, given: Given, *, token: str, errors: dict[str, str]) -> HTMLResponse:
        words, shown = words_of(opened.language), _shown(opened)
        return self._page(
            "answer.html",
            opened,
            status=422 if errors else 200,
            here=f"{self._parts.links.root}/a/{token}",
            title=words.answer_title.format(company=_company(opened)),
            kind=given.kind,
            given=given,
            errors=errors,
            currencies=shown.currencies,
            today=shown.today.isoformat(),
            documents=document_views(opened.items[:_SHOWN_MAX], language=opened.language),
            files_max=self._parts.web.files_max,
            megabytes=_megabytes(self._parts.web.file_bytes_max),
        )

    def _page(self, name: str, opened: Opened, *, status: int = 200, **values: Any) -> HTMLResponse:
        return page(
            name,
            words=words_of(opened.language),
            root=self._parts.links.root,
            company=_company(opened),
            status=status,
            **values,
        )

    # -- stop these messages ---------------------------------------------------------

    def offer_stop(self, token: str) -> HTMLResponse:
        """Show what would stop, with a button."""
        return self._stop_page(open_link(self._parts, token, purpose="unsubscribe"), token=token, done=False)

    async def stop(self, request: Request, token: str) -> Response:
        """Stop these messages: the button of the page, or a mail program's one click (RFC 8058)."""
        await (
            request.body()
        )  # "List-Unsubscribe=One-Click", or nothing; it says no more than the address does
        return await run_in_threadpool(self._stop, token)

    def _stop(self, token: str) -> Response:
        opened = open_link(self._parts, token, purpose="unsubscribe")
        event = opt_out_command(opened, account=self._account(opened))
        if event is None:
            raise ClosedLinkError(404, language=opened.language)
        most = self._parts.web.answers_per_link_max
        try:
            keep_answer(self._book, opened, event, answers_max=most * 10)
        except TooManyAnswersError as error:
            raise ClosedLinkError(429, language=opened.language) from error
        self._parts.answered()
        return self._stop_page(opened, token=token, done=True)

    def _stop_page(self, opened: Opened, *, token: str, done: bool) -> HTMLResponse:
        names: Any = words_of(opened.language).channels
        return self._page(
            "unsubscribe.html",
            opened,
            here=f"{self._parts.links.root}/u/{token}",
            done=done,
            customer=_customer(opened),
            channel=names.get(opened.link.channel, ""),
        )


def _company(opened: Opened) -> str:
    return opened.reminder.company_name or opened.reminder.company


def _customer(opened: Opened) -> str:
    return opened.reminder.customer_name or opened.reminder.customer


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / _MEGABYTE:.3g}"


def _shown(opened: Opened) -> Shown:
    items = opened.items[:_SHOWN_MAX]
    return Shown(
        documents=tuple(each.item for each in items),
        currencies=tuple(sorted({each.currency for each in items})),
        today=opened.today,
        language=opened.language,
    )


def _given(form: FormData) -> Given:
    """Take the fields as they were typed.

    Raises:
        RefusedRequestError: it is not a form of ours.
    """

    def text(name: str) -> str:
        value = form.get(name, "")
        return value if isinstance(value, str) else ""

    kind = text("kind")
    if kind not in KINDS:
        raise RefusedRequestError(400)
    names = tuple(each for each in form.getlist("documents") if isinstance(each, str))
    plain = {
        name: text(name)
        for name in ("on", "amount", "currency", "means", "reference", "reason", "text", "by", "reach")
    }
    return Given(kind=kind, documents=names, **plain)

"""What was sent: its rendered text, its PDF, the bytes as they went where they are kept, and what became of it (S2-19).

It is written again from the decision and today's texts; what was really handed over is given where the
channel keeps files. Links for the reader are left out of what is written here: they are his.
"""

import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal, get_args

from fastapi import HTTPException, Query
from fastapi.responses import HTMLResponse, Response
from msgspec import Struct
from sqlalchemy import Engine

from console.previewing import decided_reminder
from console.web.inside.access import Person
from console.web.inside.asking import await_written
from console.web.inside.pages.customer.opening import Collector, path_of, sheet_of
from console.web.inside.parts import InsideParts
from console.web.inside.showing import moments, page
from console.web.routing import Routes
from infra.database.engine import reading
from infra.database.queries.message_story import MessageStory, message_story
from infra.database.queries.moment import company_zone
from infra.settings import Settings
from notifiers.assembly import TEMPLATES, open_texts
from notifiers.channel import Message, PermanentError
from notifiers.settings import SendSettings, read_settings
from notifiers.writing.render import Renderer
from schemas.facts import ReminderDecided
from schemas.fields import Channel

__all__ = ["router"]

_Name = Annotated[str, Query(max_length=128)]
# Whose receipts name a file below the folder that is their endpoint.
_KEEPERS: Final = ("recorder", "folder")
_MEDIA: Final = {".pdf": "application/pdf", ".eml": "message/rfc822", ".txt": "text/plain; charset=utf-8"}
_SHUT: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'none'"


class Written(Struct, frozen=True, kw_only=True):
    """A message as one channel carries it; ``fault`` is why it cannot be written now."""

    channel: str
    recipient: str
    subject: str = ""
    text: str = ""
    pages: int = 0
    fault: str = ""
    is_kept: bool = False


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes(prefix="/customers/{account:path}")
    write = _writer(parts.settings, engine=parts.engine)

    @routes.get("/message", response_model=None)
    async def message(*, person: Collector, account: str, reminder: _Name, asked: str = "") -> HTMLResponse:
        written = await await_written(parts, account=account, request=asked)
        sheet = sheet_of(parts, person, account)
        story, decided = _found(parts, person, account, reminder)
        with reading(parts.engine) as connection:
            zone = company_zone(connection, sheet.company)
        return page(
            "customer/message.html",
            person=person,
            sheet=sheet,
            here=path_of(account),
            story=story,
            decided=decided,
            written=[] if decided is None else _by_channel(write, story, decided),
            asked=written,
            **moments(zone, language=person.language),
        )

    @routes.get("/message/file", response_model=None)
    def file(
        *,
        person: Collector,
        account: str,
        reminder: _Name,
        channel: Channel,
        form: Literal["pdf", "html", "kept"],
    ) -> Response:
        story, decided = _found(parts, person, account, reminder)
        if form == "kept":
            return _kept_file(story, channel=channel)
        if decided is None:
            raise HTTPException(404)
        try:
            # A mail is HTML and text; as PDF it is set like a letter, as its reader has it by the link in it.
            made = write(decided, "letter" if form == "pdf" and channel == "email" else channel)
        except PermanentError as error:
            raise HTTPException(404) from error
        content = made.pdf if form == "pdf" else made.html.encode()
        if not content:
            raise HTTPException(404)
        media_type = "application/pdf" if form == "pdf" else "text/html; charset=utf-8"
        return _shut(content, media_type=media_type, name=f"{made.on.isoformat()}.{form}", shown=True)

    return routes


def _writer(settings: Settings, *, engine: Engine) -> Callable[[ReminderDecided, Channel], Message]:
    """Give what writes messages, one at a time."""
    guard, texts = threading.Lock(), open_texts(settings, engine=engine)

    @cache
    def renderer() -> Renderer:
        send = read_settings(SendSettings)
        return Renderer(own=settings.data_dir / TEMPLATES, fonts=send.letter_fonts)

    def write(decided: ReminderDecided, channel: Channel) -> Message:
        with guard:
            texts.bring()
            return renderer().message(decided, channel)

    return write


def _found(
    parts: InsideParts, person: Person, account: str, reminder: str
) -> tuple[MessageStory, ReminderDecided | None]:
    """Give a message of a customer that the person may see, and its decision where it is kept.

    Raises:
        HTTPException: 404: there is none.
    """
    sheet_of(parts, person, account)
    with reading(parts.engine) as connection:
        story = message_story(connection, account=account, reminder=reminder)
        decided = decided_reminder(connection, reminder=reminder)
    if story is None:
        raise HTTPException(404)
    return story, decided if decided is not None and decided.account == account else None


def _by_channel(
    write: Callable[[ReminderDecided, Channel], Message], story: MessageStory, decided: ReminderDecided
) -> list[Written]:
    jobs = {each["channel"]: each for each in story.jobs}
    found = []
    for channel in get_args(Channel):
        if channel not in {each.channel for each in decided.deliveries}:
            continue
        job = jobs.get(channel, {})
        common = {
            "channel": channel,
            "recipient": job.get("recipient", ""),
            "is_kept": _kept_path(story, channel=channel) is not None,
        }
        try:
            made = write(decided, channel)
        except PermanentError as error:
            found.append(Written(**common, fault=error.detail))
            continue
        tasks = "\n".join(f"{each.task_type}: {each.summary}" for each in made.tasks)
        found.append(Written(**common, subject=made.subject, text=made.text or tasks, pages=made.pages))
    return found


def _kept_path(story: MessageStory, *, channel: str) -> Path | None:
    """Give the file that a delivery was written to; None where its channel keeps none, or it is gone."""
    job = next((each for each in story.jobs if each["channel"] == channel), None)
    if job is None or job["provider"] not in _KEEPERS or not job["provider_id"]:
        return None
    folder = Path(job["endpoint"]).resolve()
    path = (folder / job["provider_id"]).resolve()
    return path if path.is_relative_to(folder) and path.suffix in _MEDIA and path.is_file() else None


def _kept_file(story: MessageStory, *, channel: str) -> Response:
    path = _kept_path(story, channel=channel)
    if path is None:
        raise HTTPException(404)
    is_pdf = path.suffix == ".pdf"
    return _shut(path.read_bytes(), media_type=_MEDIA[path.suffix], name=path.name, shown=is_pdf)


def _shut(content: bytes, *, media_type: str, name: str, shown: bool) -> Response:
    """Give a file that may do nothing of its own where a browser shows it."""
    safe = "".join(each if each.isalnum() or each in "-._" else "_" for each in name)
    headers = {
        "Content-Disposition": f'{"inline" if shown else "attachment"}; filename="{safe}"',
        "Content-Security-Policy": _SHUT,
    }
    return Response(content, media_type=media_type, headers=headers)

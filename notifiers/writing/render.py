"""From a reminder to a message: which texts, in which language, for which channel.

The wording of a level is four small texts in ``templates/<kind>/<language>/``
(subject, opening, closing, sms); ``templates/layout/`` says how a mail and a
letter look. A company's own stand before them (`notifiers.writing.library`).
Whatever is wrong with them fails for good, as ``template_error``.
"""

import re
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Final, Protocol, get_args

import structlog
from jinja2 import TemplateError, TemplateNotFound
from msgspec.structs import replace

from notifiers.channel import Attachment, Message, PermanentError, Sender, TaskNote
from notifiers.paper.apart import ForeignPdfError
from notifiers.paper.codes import code_of
from notifiers.paper.picture import Picture, picture_of
from notifiers.paper.press import LetterPress, PaperError
from notifiers.paper.sheets import extent_of, extent_of_foreign
from notifiers.writing.library import Library, Room
from notifiers.writing.logo import LogoError, logo_of
from notifiers.writing.view import MessageView, as_data, company_day, view_of
from notifiers.writing.ways import Ways
from notifiers.writing.words import Words
from schemas.events import Contact
from schemas.facts import Delivery, ReminderDecided
from schemas.fields import Channel
from schemas.message_rows import MessageKind

__all__ = ["KINDS", "MESSAGE_KINDS", "Enclose", "PageLinks", "Renderer", "templates_folder"]

KINDS: Final = ("courtesy", "first", "second", "third")
# Messages other than reminders have texts of their own names (R33).
MESSAGE_KINDS: Final = get_args(MessageKind)

_SUBJECT_MAX: Final = 200
_TEXT_MAX: Final = 10_000
_SMS_MAX: Final = 1_600
_BODY_MAX: Final = 2_000_000
_CODE_MAX: Final = 400  # a longer address makes a code too fine for its place
_PIECE: Final = 16  # of a printed address; a line of it has some fifty characters
_log = structlog.get_logger(__name__)
_GAP: Final = re.compile("\n{3,}")
_NAME: Final = re.compile("[a-z0-9][a-z0-9_-]*")


class Enclose(Protocol):
    """Who gives the files that go with a mail (``notifiers.enclosing``)."""

    def __call__(self, reminder: ReminderDecided, *, words: Words) -> tuple[Attachment, ...]:
        """Give them; what cannot be had is linked."""
        ...


class PageLinks(Protocol):
    """Who makes the addresses behind signed links; "" where there are no such pages."""

    def answer(self, reminder: ReminderDecided, *, channel: Channel) -> str:
        """Give the page where a reader says what is the matter (S4-17)."""
        ...

    def unsubscribe(self, reminder: ReminderDecided, *, channel: Channel) -> str:
        """Give the page where messages are stopped."""
        ...

    def document(self, reminder: ReminderDecided, *, channel: Channel, item: str) -> str:
        """Give the page of one document."""
        ...


def templates_folder() -> Path:
    """Give the folder of the templates that come with the package."""
    return Path(str(resources.files("notifiers"))) / "templates"


class Renderer:
    """Writes messages; keeps compiled templates and fonts warm. Not thread-safe.

    Args:
        folder: the shipped templates, where they are others than those of the package.
        own: the folder with a folder of templates per company.
        links: makes the addresses of pages for readers; None: messages lead to none.
        fonts: a folder with fonts for letters, beside those that come along.
        enclose: gives the files that go with a mail; None: there are none.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        own: Path | None = None,
        links: PageLinks | None = None,
        fonts: Path | None = None,
        enclose: Enclose | None = None,
    ) -> None:
        folder = templates_folder() if folder is None else folder
        self._library = Library(folder, own=own)
        self._press = LetterPress(folder / "layout" / "letter.typ", fonts=fonts)
        self._links = links
        self._enclose = enclose

    def message(self, reminder: ReminderDecided, channel: Channel) -> Message:
        """Write a reminder for one of its channels. Tasks that say what to do need no texts of its kind.

        Raises:
            PermanentError: ``template_error``: there is no text of that kind
                or language, or it cannot be filled in.
        """
        room = self._library.room(reminder.company)
        deliveries = [each for each in reminder.deliveries if each.channel == channel]
        try:
            return self._message(reminder, room=room, channel=channel, deliveries=deliveries)
        except TemplateNotFound as error:
            raise _template_error(
                f"there is no template {error.name!r}; there are: {', '.join(room.kinds())}"
            ) from error
        except TemplateError as error:
            raise _template_error(
                f"template {reminder.template!r} in {reminder.language!r}: {error.message}"
            ) from error
        except (PaperError, ValueError) as error:
            raise _template_error(str(error)) from error

    def _message(
        self,
        reminder: ReminderDecided,
        *,
        room: Room,
        channel: Channel,
        deliveries: list[Delivery],
    ) -> Message:
        contact = deliveries[0].contact if deliveries else Contact()
        words = room.words(reminder.language)
        parts = self._parts(reminder, room=room, words=words, channel=channel)
        ways = self._ways(reminder, channel=channel, parts=parts)
        view = view_of(reminder, contact=contact, words=words, ways=ways)
        writer = _Writer(room, reminder=reminder, view=view)
        subject = ""
        if channel != "task" or not all(each.summary for each in deliveries):
            subject = _cut(" ".join(writer.text("subject", limit=_TEXT_MAX).split()))
        text, html, pdf = "", "", b""
        if channel == "email":
            text, html = writer.mail(subject)
        elif channel == "sms":
            text = writer.sms()
        elif channel == "letter":
            texts = writer.paragraphs(channel) | {"subject": subject, "reference": reminder.id}
            texts |= {"picture": self._picture(reminder, room=room), "codes": _codes(view)}
            pdf = self._printed(reminder, view=view, texts=texts)
        extent = extent_of(pdf) if pdf else None
        return Message(
            reminder=reminder.id,
            channel=channel,
            account=reminder.account,
            customer=reminder.customer,
            step=reminder.step,
            language=view.language,
            at=reminder.tick,
            on=company_day(reminder),
            sender=Sender(company=reminder.company, name=view.company.name, email=reminder.sender_email),
            contact=contact,
            subject=subject,
            text=text,
            html=html,
            pdf=pdf,
            tasks=tuple(_note(each, subject=subject) for each in deliveries) if channel == "task" else (),
            attachments=parts,
            unsubscribe_url=ways.unsubscribe if channel == "email" else "",
            country=reminder.country,
            pages=0 if extent is None else extent.pages,
            paper="" if extent is None else extent.paper,
            address_lines=view.address if channel == "letter" else (),
            cc=deliveries[0].cc if deliveries and channel == "email" else (),
            time_zone=reminder.time_zone,
        )

    def _parts(
        self, reminder: ReminderDecided, *, room: Room, words: Words, channel: Channel
    ) -> tuple[Attachment, ...]:
        """Give the files of a mail, the logo that its HTML shows and documents; and the enclosures of a letter."""
        if channel != "email" and not (channel == "letter" and reminder.letter_documents):
            return ()
        files = () if self._enclose is None else self._enclose(reminder, words=words)
        if channel == "letter":
            return tuple(_printable(files, reminder=reminder))
        logo = self._logo(reminder, room=room)
        return files if logo is None else (logo, *files)

    def _logo(self, reminder: ReminderDecided, *, room: Room) -> Attachment | None:
        """Give the company's own picture, None where it has none or shows one from elsewhere."""
        try:
            return logo_of(reminder.logo, folder=room.own)[1]
        except LogoError as error:  # the company's name stands in its place: no reason not to write
            _log.warning("logo_left_out", company=reminder.company, detail=str(error))
            return None

    def _picture(self, reminder: ReminderDecided, *, room: Room) -> Picture | None:
        """Give the logo as a letter takes it; None where the name stands in its place. Nothing is fetched."""
        logo = self._logo(reminder, room=room)
        return None if logo is None else picture_of(logo.content)

    def _printed(self, reminder: ReminderDecided, *, view: MessageView, texts: dict[str, object]) -> bytes:
        """Set a letter; without its logo where it cannot be set with it."""
        try:
            return self._press.print(view, texts=texts, printed_on=reminder.tick)
        except PaperError as error:
            if texts["picture"] is None:
                raise
            pdf = self._press.print(view, texts=texts | {"picture": None}, printed_on=reminder.tick)
            _log.warning("logo_left_out", company=reminder.company, detail=str(error))
            return pdf

    def _ways(self, reminder: ReminderDecided, *, channel: Channel, parts: Sequence[Attachment]) -> Ways:
        """Give where the message leads."""
        shown = next((f"cid:{each.content_id}" for each in parts if each.content_id), "")
        ways = Ways(
            logo=shown or (reminder.logo if reminder.logo.startswith("https://") else ""),
            attached=tuple(_named(each, channel=channel) for each in parts if not each.content_id),
        )
        links = self._links
        if links is None or reminder.answer is not None:  # an answer is read at the company's own desk
            return ways
        return replace(
            ways,
            report=links.answer(reminder, channel=channel),
            unsubscribe=links.unsubscribe(reminder, channel=channel),
            document=lambda item: (
                links.document(reminder, channel=channel, item=item.item)
                if item.pdf_url or item.xml_url
                else ""
            ),
        )


class _Writer:
    """Writes the texts of one message."""

    def __init__(self, room: Room, *, reminder: ReminderDecided, view: MessageView) -> None:
        self._room = room
        self._reminder = reminder
        self._view = view
        self._values = as_data(view)

    def mail(self, subject: str) -> tuple[str, str]:
        """Write a mail as text and as HTML."""
        values = self._values | self.paragraphs("email") | {"subject": subject}
        room = self._room.templates
        text = _GAP.sub("\n\n", room.render("layout/body.txt", values, limit=_BODY_MAX))
        return text, room.render("layout/body.html", values, limit=_BODY_MAX)

    def sms(self) -> str:
        """Write an SMS: a person's words or the template's, and what the law has said at its end."""
        written = self._reminder.text or self.text("sms", limit=_SMS_MAX)
        legal = " ".join(_legal_texts(self._reminder, "sms"))
        return " ".join(" ".join(written.split())[: _SMS_MAX - len(legal) - 1].split() + legal.split())

    def paragraphs(self, channel: Channel) -> dict[str, object]:
        """Write opening and closing; what the law has said at the start comes first."""
        texts = {"opening": self._reminder.text, "closing": self.text("closing", limit=_TEXT_MAX)}
        if not self._reminder.text:  # a person's words stand as they are: no template (R19)
            texts["opening"] = self.text("opening", limit=_TEXT_MAX)
        texts["opening"] = "\n\n".join((*_legal_texts(self._reminder, channel), texts["opening"]))
        return {
            part: [" ".join(paragraph.split()) for paragraph in text.split("\n\n") if paragraph.strip()]
            for part, text in texts.items()
        }

    def text(self, part: str, *, limit: int) -> str:
        """Write one of the texts of the reminder's kind."""
        if not _NAME.fullmatch(self._reminder.template):
            raise TemplateNotFound(self._reminder.template)
        name = f"{self._reminder.template}/{self._view.language}/{part}.txt"
        return self._room.templates.render(name, self._values, limit=limit)


def _cut(subject: str) -> str:
    """Cut what a long number and a long name make of a subject: that is no fault of the template."""
    return subject if len(subject) <= _SUBJECT_MAX else subject[: _SUBJECT_MAX - 1].rstrip() + "…"


def _legal_texts(reminder: ReminderDecided, channel: Channel) -> list[str]:
    return [each.text for each in reminder.legal_texts if channel in each.channels]


def _codes(view: MessageView) -> list[dict[str, object]]:
    """Give a letter's ways to pay and to answer: where mails have buttons. One that is too long for a code has its address alone."""
    ways = [("", each.label, each.url) for each in view.pay_links]
    ways += [(view.report_lead, view.words.report, view.report_url)] if view.report_url else []
    return [
        {
            "lead": lead,
            "label": label,
            "url": url,
            "printed": "\u200b".join(url[at : at + _PIECE] for at in range(0, len(url), _PIECE)),
            "png": list(code_of(url)) if len(url) <= _CODE_MAX else (),
        }
        for lead, label, url in ways
    ]


def _printable(files: Sequence[Attachment], *, reminder: ReminderDecided) -> Iterator[Attachment]:
    """Give what can be printed, with its pages; a file that nobody can count would be a sheet too many or too few."""
    for each in files:
        if each.media_type != "application/pdf":
            continue
        try:
            extent = extent_of_foreign(each.content)
        except ForeignPdfError as error:
            _log.warning("document_not_enclosed", reminder=reminder.id, name=each.name, detail=str(error))
            continue
        yield replace(each, pages=extent.pages, paper=extent.paper)


def _named(attachment: Attachment, *, channel: Channel) -> str:
    """Name a file; on paper there is none, but a document."""
    return attachment.name.removesuffix(".pdf") if channel == "letter" else attachment.name


def _note(delivery: Delivery, *, subject: str) -> TaskNote:
    return TaskNote(
        task_type=delivery.task_type or "task",
        summary=delivery.summary or subject,
        responsible=delivery.responsible,
    )


def _template_error(detail: str) -> PermanentError:
    return PermanentError(error_type="template_error", detail=detail)

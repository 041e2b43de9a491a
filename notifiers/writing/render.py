"""From a reminder to a message: which texts, in which language, for which channel.

The wording of a level is four small texts in ``templates/<kind>/<language>/``
(subject, opening, closing, sms); ``templates/layout/`` says how a mail and a
letter look. Whatever is wrong with them fails for good, as ``template_error``.
"""

import re
from importlib import resources
from pathlib import Path
from typing import Final, get_args

import css_inline
from jinja2 import TemplateError, TemplateNotFound

from notifiers.channel import Message, PermanentError, Sender, TaskNote
from notifiers.paper.press import LetterPress, PaperError
from notifiers.writing.sandbox import TemplateRoom
from notifiers.writing.view import MessageView, as_data, company_day, view_of
from schemas.events import Contact
from schemas.facts import Delivery, ReminderDecided
from schemas.fields import Channel
from schemas.message_rows import MessageKind

__all__ = ["KINDS", "MESSAGE_KINDS", "Renderer", "templates_folder"]

KINDS: Final = ("courtesy", "first", "second", "third")
# Messages other than reminders have texts of their own names (R33).
MESSAGE_KINDS: Final = get_args(MessageKind)

_SUBJECT_MAX: Final = 200
_TEXT_MAX: Final = 10_000
_SMS_MAX: Final = 1_600
_BODY_MAX: Final = 2_000_000
_NAME: Final = re.compile("[a-z0-9][a-z0-9_-]*")


def templates_folder() -> Path:
    """Give the folder of the templates that come with the package."""
    return Path(str(resources.files("notifiers"))) / "templates"


class Renderer:
    """Writes messages; keeps compiled templates and fonts warm. Not thread-safe."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = templates_folder() if folder is None else folder
        self._room = TemplateRoom(self._folder)
        self._press = LetterPress(self._folder / "layout" / "letter.typ")
        self._inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=False)

    def message(self, reminder: ReminderDecided, channel: Channel) -> Message:
        """Write a reminder for one of its channels. Tasks that say what to do need no texts of its kind.

        Raises:
            PermanentError: ``template_error``: there is no text of that kind
                or language, or it cannot be filled in.
        """
        deliveries = [each for each in reminder.deliveries if each.channel == channel]
        contact = deliveries[0].contact if deliveries else Contact()
        try:
            return self._message(reminder, channel=channel, contact=contact, deliveries=deliveries)
        except TemplateNotFound as error:
            raise _template_error(
                f"there is no template {error.name!r}; there are: {', '.join(self._kinds())}"
            ) from error
        except TemplateError as error:
            raise _template_error(
                f"template {reminder.template!r} in {reminder.language!r}: {error.message}"
            ) from error
        except (PaperError, ValueError) as error:
            raise _template_error(str(error)) from error

    def _message(
        self, reminder: ReminderDecided, *, channel: Channel, contact: Contact, deliveries: list[Delivery]
    ) -> Message:
        view = view_of(reminder, contact=contact)
        subject = ""
        if channel != "task" or not all(each.summary for each in deliveries):
            subject = " ".join(self._text(reminder, view=view, part="subject", limit=_SUBJECT_MAX).split())
        text, html, pdf = "", "", b""
        if channel == "email":
            text, html = self._mail(reminder, view=view, subject=subject)
        elif channel == "sms":
            written = reminder.text or self._text(reminder, view=view, part="sms", limit=_SMS_MAX)
            legal = " ".join(_legal_texts(reminder, channel))
            text = " ".join(" ".join(written.split())[: _SMS_MAX - len(legal) - 1].split() + legal.split())
        elif channel == "letter":
            texts = self._paragraphs(reminder, view=view, channel=channel) | {"subject": subject}
            pdf = self._press.print(view, texts=texts, printed_on=reminder.tick)
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
        )

    def _mail(self, reminder: ReminderDecided, *, view: MessageView, subject: str) -> tuple[str, str]:
        values = as_data(view) | self._paragraphs(reminder, view=view, channel="email") | {"subject": subject}
        text = self._room.render("layout/body.txt", values, limit=_BODY_MAX)
        html = self._room.render("layout/body.html", values, limit=_BODY_MAX)
        return text, self._inliner.inline(html)

    def _paragraphs(
        self, reminder: ReminderDecided, *, view: MessageView, channel: Channel
    ) -> dict[str, object]:
        """Write opening and closing; what the law has said at the start comes first."""
        texts = {
            part: self._text(reminder, view=view, part=part, limit=_TEXT_MAX)
            for part in ("opening", "closing")
        }
        if reminder.text:  # a person's words, as they are: no template (R19)
            texts["opening"] = reminder.text
        texts["opening"] = "\n\n".join((*_legal_texts(reminder, channel), texts["opening"]))
        return {
            part: [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]
            for part, text in texts.items()
        }

    def _text(self, reminder: ReminderDecided, *, view: MessageView, part: str, limit: int) -> str:
        if not _NAME.fullmatch(reminder.template):
            raise TemplateNotFound(reminder.template)
        name = f"{reminder.template}/{view.language}/{part}.txt"
        return self._room.render(name, as_data(view), limit=limit)

    def _kinds(self) -> list[str]:
        return sorted(each.name for each in self._folder.iterdir() if each.is_dir() and each.name != "layout")


def _legal_texts(reminder: ReminderDecided, channel: Channel) -> list[str]:
    return [each.text for each in reminder.legal_texts if channel in each.channels]


def _note(delivery: Delivery, *, subject: str) -> TaskNote:
    return TaskNote(
        task_type=delivery.task_type or "task",
        summary=delivery.summary or subject,
        responsible=delivery.responsible,
    )


def _template_error(detail: str) -> PermanentError:
    return PermanentError(error_type="template_error", detail=detail)

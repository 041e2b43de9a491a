"""Messages as they will be: written by the notifiers' own renderer, for people to look at before anybody gets them.

Nothing is sent, fetched or counted. What a mail shows is a page of its own that may run and load nothing.
"""

import base64
import threading
from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from console.web.inside.parts import InsideParts
from notifiers.assembly import TEMPLATES, open_texts
from notifiers.channel import Message, PermanentError
from notifiers.limits import LimitSettings, worded
from notifiers.links import Links, LinkSettings
from notifiers.settings import SendSettings, read_settings
from notifiers.writing.render import Renderer
from schemas.facts import ReminderDecided
from schemas.fields import Channel
from schemas.reminder_rows import Proposal

__all__ = ["MAIL_POLICY", "Drawer", "Drawn", "changed_by", "going_along", "mail_page"]

# A mail has styles of its own and pictures that came with it; nothing else, and no address of ours.
MAIL_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


class Drawn(Struct, frozen=True, kw_only=True):
    """A message for one channel; ``fault`` says why it cannot be written, ``documents`` are the numbers of those to go along."""

    channel: Channel
    message: Message | None = None
    documents: list[str] = []
    fault: str = ""


class Drawer:
    """Writes messages, one at a time: templates and fonts stay warm."""

    def __init__(self, parts: InsideParts) -> None:
        self._parts = parts
        self._guard = threading.Lock()
        self._texts = open_texts(parts.settings, engine=parts.engine)
        self._renderer: Renderer | None = None

    def drawn(self, content: ReminderDecided, *, channels: Sequence[Channel] = ()) -> list[Drawn]:
        """Write a message for its channels, or for others."""
        own = [each.channel for each in content.deliveries if each.channel != "task"]
        with self._guard:
            self._texts.bring()
            return [self._one(content, channel) for channel in dict.fromkeys(channels or own)]

    def _one(self, content: ReminderDecided, channel: Channel) -> Drawn:
        if content.deliveries and all(each.channel != channel for each in content.deliveries):
            more = replace(content.deliveries[0], channel=channel)
            content = replace(content, deliveries=(*content.deliveries, more))
        settings, send, limits = (
            self._parts.settings,
            read_settings(SendSettings),
            read_settings(LimitSettings),
        )
        if self._renderer is None:
            self._renderer = Renderer(
                own=settings.data_dir / TEMPLATES,
                fonts=send.letter_fonts,
                links=Links(read_settings(LinkSettings)),
            )
        write = worded(
            self._renderer.message, provider=send.provider(channel), settings=settings, limits=limits
        )
        try:
            return Drawn(
                channel=channel,
                message=write(content, channel),
                documents=going_along(content, channel),
            )
        except PermanentError as error:
            return Drawn(channel=channel, fault=error.detail)


def changed_by(content: ReminderDecided, said: Proposal | None) -> ReminderDecided:
    """Give a proposal as people have changed it since it was proposed."""
    if said is None:
        return content
    return replace(
        content,
        text=said.text or content.text,
        template=said.template or content.template,
        attach_invoices=content.attach_invoices if said.attach_invoices is None else said.attach_invoices,
    )


def going_along(content: ReminderDecided, channel: Channel) -> list[str]:
    """List the numbers of the documents that would go with it: attached, or linked where they cannot be had. None is fetched."""
    takes = channel == "email" or (channel == "letter" and content.letter_documents)
    if not takes or not content.attach_invoices:
        return []
    return [each.item for each in content.items if each.pdf_url or each.xml_url]


def mail_page(message: Message) -> str:
    """Give a mail's HTML with the pictures that come along written into it."""
    html = message.html
    for each in message.attachments:
        if each.content_id:
            data = base64.b64encode(each.content).decode()
            html = html.replace(f"cid:{each.content_id}", f"data:{each.media_type};base64,{data}")
    return html

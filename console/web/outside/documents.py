"""Documents behind links: what the billing system has is fetched and passed on, and the message itself as PDF is made here.

A reader is led to the billing system's own address only where nothing is fetched from its host: an address outlives
the link, which has an end and can be revoked. What is given is given to be saved: a browser shows nothing of it inside of our pages.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from fastapi.responses import RedirectResponse, Response

from console.web.outside.reading import ClosedLinkError, Opened, open_link
from console.web.parts import WebParts
from console.web.routing import Routes
from notifiers.channel import Attachment, PermanentError
from schemas.facts import ReminderDecided, ReminderItem

__all__ = ["PrintedMessages", "router"]

_KEPT_MAX: Final = 64
_WEB: Final = ("https://", "http://")


class PrintedMessages:
    """Makes PDFs of messages, one at a time, and keeps the last ones: a link may be opened again and again.

    Args:
        press: prints a message; it need not stand several threads.
    """

    def __init__(self, press: Callable[[ReminderDecided], bytes]) -> None:
        self._press = press
        self._guard = threading.Lock()
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    def __call__(self, reminder: ReminderDecided) -> bytes:
        """Give a message as PDF; the same message is the same file.

        Raises:
            PermanentError: its texts cannot be printed.
        """
        with self._guard:
            if reminder.id not in self._kept:
                self._kept[reminder.id] = self._press(reminder)
                if len(self._kept) > _KEPT_MAX:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(reminder.id)
            return self._kept[reminder.id]


def router(parts: WebParts) -> Routes:
    """Make the routes."""
    routes = Routes()

    @routes.get("/d/{token}", response_model=None)
    def document(token: str) -> Response:
        """Lead to one document of a message, or give what can be made of it."""
        opened = open_link(parts, token, purpose="document")
        item = next((each for each in opened.items if each.item == opened.link.subject), None)
        if item is None:
            raise ClosedLinkError(404, language=opened.language)
        return _document(parts, opened, item)

    @routes.get("/l/{token}", response_model=None)
    def letter(token: str) -> Response:
        """Give the message as a letter."""
        opened = open_link(parts, token, purpose="letter")
        try:
            content = parts.printed(opened.reminder)
        except PermanentError as error:
            raise ClosedLinkError(500, language=opened.language) from error
        day = opened.reminder.tick.date().isoformat()
        return _file(
            Attachment(
                name=f"{opened.reminder.company}-{day}.pdf", media_type="application/pdf", content=content
            )
        )

    return routes


def _document(parts: WebParts, opened: Opened, item: ReminderItem) -> Response:
    known = [each for each in (item.pdf_url, item.xml_url) if each.startswith(_WEB)]
    if not known:
        raise ClosedLinkError(404, language=opened.language)
    copied = parts.copied(opened.reminder, item)
    if copied is not None:
        return _file(copied)
    if any(parts.is_fetched(each) for each in known):
        raise ClosedLinkError(503, language=opened.language)
    return RedirectResponse(known[0], status_code=303)


def _file(made: Attachment) -> Response:
    # Saved, not shown; should a browser show it all the same, it may do nothing.
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(made.name)}",
        "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    }
    return Response(made.content, media_type=made.media_type, headers=headers)

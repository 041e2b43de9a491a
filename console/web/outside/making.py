"""Documents that are made for a reader: a message printed as a letter, a readable copy of an invoice that is an XML.

Made by what the notifiers have for mails, opened when the first reader asks: most do without.
One at a time each; how much one reader can have made is bounded by who may come in at once.
"""

import datetime
import threading
from collections.abc import Callable
from functools import cache

from msgspec.structs import replace

from infra.settings import Settings
from notifiers.assembly import DOCUMENTS, TEMPLATES
from notifiers.channel import Attachment
from notifiers.enclosing.addresses import AddressRefusedError, checked_url
from notifiers.enclosing.enclosures import Enclosures
from notifiers.enclosing.opening import open_enclosures
from notifiers.enclosing.settings import DocumentSettings
from notifiers.settings import SendSettings, read_settings
from notifiers.writing.render import Renderer
from notifiers.writing.shared_texts import SharedTexts
from notifiers.writing.words import words_of
from schemas.facts import ReminderDecided, ReminderItem

__all__ = ["copies_of", "fetches_of", "press_of"]

_PDF = "application/pdf"


def fetches_of() -> Callable[[str], bool]:
    """Give what says whether an address is of a host that documents are fetched from."""
    hosts = read_settings(DocumentSettings).allowed_hosts()

    def is_fetched(url: str) -> bool:
        try:
            checked_url(url, hosts=hosts)
        except AddressRefusedError:
            return False
        return True

    return is_fetched


def press_of(settings: Settings, *, texts: SharedTexts | None = None) -> Callable[[ReminderDecided], bytes]:
    """Give what prints a message as PDF; not for several threads. ``texts`` brings companies' own ones to this machine."""

    @cache
    def renderer() -> Renderer:
        send = read_settings(SendSettings)
        return Renderer(own=settings.data_dir / TEMPLATES, fonts=send.letter_fonts)

    def printed(reminder: ReminderDecided) -> bytes:
        if texts is not None:
            texts.bring()
        return renderer().message(reminder, "letter").pdf

    return printed


def copies_of(
    settings: Settings, *, clock: Callable[[], datetime.datetime]
) -> Callable[[ReminderDecided, ReminderItem], Attachment | None]:
    """Give what has the document of an item: its PDF, else a readable copy of its XML, marked as not the original (S4-16).

    None where no documents may be fetched, or this one cannot be, now or at all.
    """
    guard = threading.Lock()

    @cache
    def enclosures() -> Enclosures | None:
        folder = settings.data_dir / DOCUMENTS
        return open_enclosures(read_settings(DocumentSettings), folder=folder, clock=clock)

    def copy_of(reminder: ReminderDecided, item: ReminderItem) -> Attachment | None:
        alone = replace(reminder, items=(item,), others=(), attach_invoices=True)
        with guard:
            opened = enclosures()
            found = () if opened is None else opened.files(alone, words=words_of(reminder.language))
        return next((each for each in found if each.media_type == _PDF), None)

    return copy_of

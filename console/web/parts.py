"""What the pages and hooks of ``cobranza web`` are given: the database, the clock, and the way to Kafka."""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from console.web.settings import WebSettings
from infra.settings import Settings
from notifiers.channel import Attachment
from notifiers.links import Links
from schemas.facts import ReminderDecided, ReminderItem
from schemas.journal import SourceEvent

__all__ = ["WebParts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebParts:
    """Shared by all requests; each of these may be used from several threads.

    Attributes:
        settings, web: of the installation, and of this process.
        engine: of its database, which is current.
        links: reads what is signed.
        clock: the wall clock, UTC.
        publish: checks events and puts them on their source topics (``console.publishing``); returns
            when they are written, raises ``PublishError`` when they are not.
        printed: gives a message as PDF.
        copied: gives the document of an item as a file: its PDF as it was fetched, or, of an XML, a readable one that is
            marked as not the original; None: it cannot be had, now or at all.
        is_fetched: says of an address whether documents are fetched from there: readers are not told it then.
        answered: called when an answer was kept in SQL: somebody takes it to Kafka.
    """

    settings: Settings
    web: WebSettings
    engine: Engine
    links: Links
    clock: Callable[[], datetime.datetime]
    publish: Callable[[Sequence[SourceEvent]], None]
    printed: Callable[[ReminderDecided], bytes]
    copied: Callable[[ReminderDecided, ReminderItem], Attachment | None]
    is_fetched: Callable[[str], bool]
    answered: Callable[[], None]

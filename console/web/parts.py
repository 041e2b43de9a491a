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
        rebuilt: gives a readable document of an item that has an XML only, marked as not the original;
            None: it cannot be made.
        answered: called when an answer was kept in SQL: somebody takes it to Kafka.
    """

    settings: Settings
    web: WebSettings
    engine: Engine
    links: Links
    clock: Callable[[], datetime.datetime]
    publish: Callable[[Sequence[SourceEvent]], None]
    printed: Callable[[ReminderDecided], bytes]
    rebuilt: Callable[[ReminderDecided, ReminderItem], Attachment | None]
    answered: Callable[[], None]

"""``cobranza web`` at work: its parts opened, the applications served, all of it closed in order when told to stop."""

import contextlib
import datetime
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import uvicorn
from sqlalchemy import Engine
from starlette.types import ASGIApp

from console.publishing import PublishError, outgoing, publish
from console.web.inside.settings import ConsoleSettings
from console.web.outbox import Outbox
from console.web.outside.documents import PrintedMessages
from console.web.outside.making import copies_of, fetches_of, press_of
from console.web.parts import WebParts
from console.web.settings import WebSettings
from infra.database.links import LinkBook
from infra.errors import OperatorError
from infra.metrics.pulse import Pulses
from infra.metrics.tally import Tally
from infra.settings import Settings
from notifiers.answer_files import ANSWER_FILES, AnswerFiles
from notifiers.assembly import open_texts
from notifiers.links import Links
from schemas.journal import SourceEvent

if TYPE_CHECKING:
    from kafka import KafkaProducer

__all__ = ["Publisher", "counted_by", "open_parts", "requests_tally", "server_of"]

_SOURCE = "cobranza/web"
_KEEP_ALIVE_S = 5
# While the broker is away: so long a person waits until it is asked where a topic is, and so long its connections take to close.
_ASKED_MS_MAX = 10_000
_CLOSE_S_MAX = 3.0
_OUTCOMES = ("ok", "refused", "failed")


class Publisher:
    """Puts events on their source topics; the producer is made when it is first needed."""

    def __init__(self, settings: Settings, *, source: str = _SOURCE) -> None:
        self._settings, self._source = settings, source
        self._producer: KafkaProducer | None = None
        self._guard = threading.Lock()

    def __call__(self, events: Sequence[SourceEvent]) -> None:
        """Publish events, and return when they are written.

        Raises:
            PublishError: they are not, or not all.
        """
        from kafka.errors import KafkaError

        try:
            with self._guard:
                sender = self._opened()
            records = [outgoing(event, source=self._source) for event in events]
            publish(records, sender=sender, topic_name=self._settings.topic)
        except PublishError:
            raise
        except (KafkaError, OperatorError) as error:
            raise PublishError(f"the broker cannot be reached: {error}") from error

    def close(self) -> None:
        """Let go of the producer."""
        from infra.kafka.consumers import close_in_time

        with self._guard:
            if self._producer is not None:
                close_in_time(self._producer, seconds_max=_CLOSE_S_MAX)
                self._producer = None

    def _opened(self) -> "KafkaProducer":
        from infra.kafka.consumers import producer

        if self._producer is None:
            self._producer = producer(
                bootstrap_servers=self._settings.brokers(), serves=True, max_block_ms=_ASKED_MS_MAX
            )
        return self._producer


@contextlib.contextmanager
def open_parts(
    settings: Settings,
    *,
    web: WebSettings,
    links: Links,
    engine: Engine,
    pulses: Pulses,
    clock: Callable[[], datetime.datetime],
) -> Iterator[WebParts]:
    """Give what pages and hooks need, with the outbox running; ``pulses`` has its loop."""
    publisher = Publisher(settings)
    kept = datetime.timedelta(days=web.files_kept_days)
    files = AnswerFiles(engine, settings.data_dir / ANSWER_FILES)
    outbox = Outbox(
        LinkBook(engine),
        publish=publisher,
        pulses=pulses,
        tidy=lambda: files.sweep(before=clock() - kept),
        crashed=lambda: os.kill(os.getpid(), signal.SIGTERM),  # the server ends as when it is told to
    )
    outbox.start()
    try:
        yield WebParts(
            settings=settings,
            web=web,
            engine=engine,
            links=links,
            clock=clock,
            publish=publisher,
            printed=PrintedMessages(press_of(settings, texts=open_texts(settings, engine=engine))),
            copied=copies_of(settings, clock=clock),
            is_fetched=fetches_of(),
            answered=outbox.wake,
        )
    finally:
        try:
            outbox.stop()
        finally:
            publisher.close()


def requests_tally(*faces: str) -> Tally:
    """Make the count of requests by face and outcome."""
    return Tally("cobranza_web_requests_total", known=[(face, each) for face in faces for each in _OUTCOMES])


def counted_by(tally: Tally, *, face: str) -> Callable[[int], None]:
    """Give what counts the answers of a face by their status."""
    ok, refused, failed = _OUTCOMES

    def count(status: int) -> None:
        tally.add(face, ok if status < 400 else refused if status < 500 else failed)

    return count


def server_of(
    app: ASGIApp, *, web: WebSettings | ConsoleSettings, stopping: Callable[[], bool] = lambda: False
) -> uvicorn.Server:
    """Make a server of one application; its ``run`` ends in order on SIGTERM and Ctrl-C, or when ``stopping`` says so."""

    async def look() -> None:
        # What was signalled before the server had handlers of its own.
        server.should_exit = server.should_exit or stopping()

    # Empty, nobody is believed: uvicorn by itself would believe this machine, and a variable of its own.
    proxies = [each.strip() for each in getattr(web, "trusted_proxies", "").split(",") if each.strip()]
    config = uvicorn.Config(
        app,
        host=web.host,
        port=web.port,
        callback_notify=look,
        timeout_notify=1,
        log_config=None,  # lines of requests would hold signed links; ours hold their routes
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
        limit_concurrency=web.connections_max,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=int(web.stop_s_max),
        h11_max_incomplete_event_size=32 * 1024,
    )
    server = uvicorn.Server(config)
    return server

"""The loop that takes what providers said to Kafka, and trims what is old: a thread of the notifiers."""

import datetime
import threading
from typing import Final

import structlog
from kafka.errors import KafkaError
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from infra.database.feedback import FeedbackInbox
from infra.kafka.consumers import close_in_time, producer
from infra.metrics.pulse import Pulses
from infra.metrics.tally import Tally
from infra.settings import Settings
from notifiers.feedback.publishing import FeedbackPublisher
from notifiers.feedback.settings import FeedbackSettings
from notifiers.feedback.trimming import Trimmer
from notifiers.settings import read_settings

__all__ = ["FEEDBACK", "serve_feedback"]

FEEDBACK: Final = "feedback"
_IDLE_S: Final = 0.5
_RETRY_S: Final = 5.0
# While the broker is away: so long it is asked where a topic is, and so long connections take to close.
_ASKED_MS_MAX: Final = 2_000
_CLOSE_S_MAX: Final = 3.0
_log = structlog.get_logger(__name__)


def serve_feedback(
    settings: Settings,
    *,
    engine: Engine,
    stopping: threading.Event,
    pulses: Pulses,
    tally: Tally | None = None,
    letters: Tally | None = None,
) -> None:
    """Publish until `stopping` is set, which is heard within seconds; what the broker does not take waits in SQL."""
    chosen = read_settings(FeedbackSettings)
    writer = producer(bootstrap_servers=settings.brokers(), serves=True, max_block_ms=_ASKED_MS_MAX)
    publisher = FeedbackPublisher(
        inbox=FeedbackInbox(engine),
        sender=writer,
        topic_name=settings.topic,
        clock=_utc_now,
        patience_s=chosen.patience_s,
        tally=tally,
        letters=letters,
        stopping=stopping.is_set,
    )
    trimmer = Trimmer(engine, clock=_utc_now, kept_days=chosen.kept_days)
    try:
        while not stopping.is_set():
            trouble, moved = "", 0
            try:
                moved = publisher.step()
            except KafkaError as error:
                trouble = "Kafka takes no feedback"
                _log.error("feedback_waits", detail=repr(error))
            except SQLAlchemyError:
                raise  # without the database nothing can go on, sending neither
            except Exception:  # noqa: BLE001 - what comes back waits in SQL; the channels go on
                trouble = "feedback breaks"
                _log.exception("feedback_broke")
            pulses.beat(FEEDBACK, waiting_for=trouble)
            if not (trimmer.step() or moved):
                stopping.wait(_RETRY_S if trouble else _IDLE_S)
    finally:
        close_in_time(writer, seconds_max=_CLOSE_S_MAX)


def _utc_now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)

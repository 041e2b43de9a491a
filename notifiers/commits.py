"""How far a channel has read, said to the broker; and since when it does not take it."""

import time
from collections.abc import Callable
from typing import Final

import structlog
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import CommitFailedError, RebalanceInProgressError, RetriableError

from infra.kafka.consumers import positions
from schemas.fields import Channel

__all__ = ["Commits"]

_COMMIT_MS_MAX: Final = 2_000
# As long as a worker's transaction may take: one commit that fails is a broker that changes its leader.
_TROUBLE_S: Final = 10.0
_log = structlog.get_logger(__name__)


class Commits:
    """Commits where a reader is; one thread.

    Args:
        reader: a consumer in the channel's group.
        channel: whose it is.
        now_s: a clock that never goes back.
    """

    def __init__(
        self, reader: KafkaConsumer, *, channel: Channel, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._reader, self._channel, self._now_s = reader, channel, now_s
        self._committed: dict[TopicPartition, int] = {}
        self._refused_since_s: float | None = None
        self._why = ""

    @property
    def trouble(self) -> str:
        """Say since when the broker does not take how far was read; "": it does, or there was no time to tell."""
        if self._refused_since_s is None:
            return ""
        for_s = self._now_s() - self._refused_since_s
        told = f"the broker has not taken how far was read for {for_s:.0f} s: {self._why}"
        return told if for_s > _TROUBLE_S else ""

    def forget(self) -> None:
        """Begin anew: the partitions are others."""
        self._committed.clear()

    def step(self) -> None:
        """Commit where we are, markers that were passed included, so that the lag reaches 0.

        What the broker does not take is tried again at the next step.
        """
        try:
            now = positions(self._reader, partitions=sorted(self._reader.assignment()))
            if now == self._committed:
                self._refused_since_s = None
                return
            self._reader.commit(timeout_ms=_COMMIT_MS_MAX)
        except (CommitFailedError, RebalanceInProgressError) as error:
            # The next owner reads these again, and finds their jobs recorded.
            self._refused_since_s = None
            _log.warning("send_commit_failed", channel=self._channel, error=str(error))
        except RetriableError as error:
            self._why = repr(error)
            if self._refused_since_s is None:
                self._refused_since_s = self._now_s()
            _log.warning("send_commit_failed", channel=self._channel, error=self._why)
        else:
            self._committed, self._refused_since_s = now, None

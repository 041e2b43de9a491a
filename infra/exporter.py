"""What belongs to no process of an installation: lags of all groups, and what waits in SQL.

It is a process of its own, so that what watches does not end with what it watches
(docs/decisions/0010). It changes nothing, and goes on when broker or database are away.
"""

import datetime
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final, get_args

import structlog
from kafka.errors import KafkaError
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from infra.database.engine import reading
from infra.database.queries.standing import Standing, standing
from infra.kafka.lag import LagError, LagReader, PartitionLag, watched_groups
from infra.metrics.lag_ages import LagAges
from infra.metrics.pulse import Pulses
from infra.metrics.register import Sample, sample
from infra.settings import Settings
from schemas.fields import Channel

__all__ = ["LOOP", "Exporter"]

LOOP: Final = "exporter"
# Counting reads whole tables: it may take this share of the time, not more.
_COUNTING_SHARE_MAX: Final = 0.02
_COUNTING_S_MIN: Final = 15.0
_log = structlog.get_logger(__name__)


class Exporter:
    """Reads now and then, and tells what it read last.

    Args:
        settings: the installation.
        engine: of its database.
        pulses: has the loop `LOOP`.
        now_s, monotonic_s: the wall clock, and one that never goes back.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        engine: Engine,
        pulses: Pulses,
        now_s: Callable[[], float] = time.time,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._engine, self._pulses = settings, engine, pulses
        self._now_s, self._monotonic_s = now_s, monotonic_s
        self._ages = LagAges()
        self._lags: Sequence[tuple[PartitionLag, float]] = ()
        self._lags_at_s: float | None = None
        self._standing: Standing | None = None
        self._count_at_s = monotonic_s()
        self._unread: dict[str, str] = {}

    def read(self, reader: LagReader) -> None:
        """Read what is due to be read."""
        self._read_lags(reader)
        if self._monotonic_s() >= self._count_at_s:
            self._read_standing()
        self._pulses.beat(LOOP, waiting_for="; ".join(self._unread.values()))

    def samples(self) -> Iterable[Sample]:
        """Give what was read last; asked from other threads."""
        if self._lags_at_s is not None:
            yield sample("cobranza_lag_read_timestamp_seconds", self._lags_at_s)
        for lag, age_s in self._lags:
            labels = (lag.group, lag.topic, str(lag.partition))
            yield sample("cobranza_lag_records", lag.lag, *labels)
            yield sample("cobranza_lag_seconds", age_s, *labels)
        if self._standing is not None:
            yield from _standing_samples(self._standing)

    def _read_lags(self, reader: LagReader) -> None:
        try:
            lags = reader.read(watched_groups(self._settings, reader=reader))
        except (LagError, KafkaError) as error:
            _log.warning("exporter_lags_unread", error=str(error) or repr(error))
            self._unread["lags"] = f"lags cannot be read: {error!r}"
            return
        ages = self._ages.ages(lags, now_s=self._monotonic_s())
        self._lags, self._lags_at_s = list(zip(lags, ages, strict=True)), self._now_s()
        self._unread.pop("lags", None)

    def _read_standing(self) -> None:
        began_s = self._monotonic_s()
        now = datetime.datetime.fromtimestamp(self._now_s(), datetime.UTC)
        try:
            with reading(self._engine) as connection:
                self._standing = standing(connection, now=now)
        except SQLAlchemyError as error:
            _log.warning("exporter_standing_unread", error=str(error))
            self._unread["standing"] = f"the database cannot be read: {type(error).__name__}"
        else:
            self._unread.pop("standing", None)
        ended_s = self._monotonic_s()
        self._count_at_s = ended_s + max(_COUNTING_S_MIN, (ended_s - began_s) / _COUNTING_SHARE_MAX)


def _standing_samples(found: Standing) -> Iterable[Sample]:
    yield sample("cobranza_due_accounts", found.due_accounts)
    yield sample("cobranza_due_accounts_oldest_seconds", found.due_accounts_oldest_s)
    yield sample("cobranza_quarantined_accounts", found.quarantined_accounts)
    yield sample("cobranza_letters_left_out", found.letters_left_out)
    yield sample("cobranza_print_runs_waiting", found.print_runs_waiting)
    for channel in get_args(Channel):
        yield sample("cobranza_due_deliveries", found.due_deliveries.get(channel, 0), channel)
        waited_s = found.due_deliveries_oldest_s.get(channel, 0.0)
        yield sample("cobranza_due_deliveries_oldest_seconds", waited_s, channel)
        yield sample("cobranza_deliveries_in_doubt", found.deliveries_in_doubt.get(channel, 0), channel)
        yield sample("cobranza_deliveries_expiring", found.deliveries_expiring.get(channel, 0), channel)

"""Playing on a real installation: the connections that ``playing`` asks for, opened and closed together."""

import contextlib
import datetime
from collections.abc import Callable, Iterator

from sqlalchemy import select

from console.playing import Play
from console.publishing import publish
from console.quiet import Quiet, groups_of
from infra.database import tables
from infra.database.engine import open_engine, reading
from infra.errors import OperatorError
from infra.kafka.consumers import close_in_time, producer
from infra.kafka.lag import LagReader
from infra.settings import Settings
from streams.clock import Clock

__all__ = ["LiveJournalError", "open_play"]

_CLOSE_S_MAX = 5.0  # who stops a play while its broker is away does not wait for it


class LiveJournalError(OperatorError):
    """The installation is live: history cannot be played over it."""


@contextlib.contextmanager
def open_play(settings: Settings, *, check: Callable[[], None] = lambda: None) -> Iterator[Play]:
    """Connect to an installation whose processes run.

    Args:
        settings: the installation.
        check: called while waiting; raises when waiting is in vain.

    Raises:
        LiveJournalError: its journal is live.
    """
    with contextlib.ExitStack() as opened:
        engine = open_engine(settings.database)
        opened.callback(engine.dispose)
        with reading(engine) as connection:
            modes = set(connection.execute(select(tables.clocks.c["mode"])).scalars())
        # Asked before the clock is opened: that would put the live one out of action.
        if "live" in modes:
            raise LiveJournalError(
                "The journal is live: play into another installation (--data-dir, or COBRANZA_TOPIC_PREFIX)."
            )
        reader = opened.enter_context(LagReader(settings.brokers()))
        sender = producer(bootstrap_servers=settings.brokers())
        opened.callback(close_in_time, sender, seconds_max=_CLOSE_S_MAX)
        clock = opened.enter_context(Clock(settings, mode="played"))
        newest: datetime.datetime | None = None if clock.newest is None else clock.newest.at
        yield Play(
            publish=lambda records: publish(records, sender=sender, topic_name=settings.topic),
            tick=clock.tick,
            quiet=Quiet(reader=reader, groups=groups_of(settings), engine=engine, check=check),
            newest=newest,
        )

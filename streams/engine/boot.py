"""How a worker comes up: Faust without what the engine has no use for, and a first connection that is tried again.

Faust would start a producer of its own (the engine has one per partition) and give tables a
second to be declared (there are none). A broker that is away, or that cuts a connection,
while a worker starts is met with growing pauses for about a minute, each of them told.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiokafka.errors import KafkaError
from faust.app.base import BootStrategy
from faust.tables.manager import TableManager

from streams.engine.faults import BrokerAway

__all__ = ["NoProducer", "NoTables", "connected"]

_log = logging.getLogger(__name__)
_PAUSES_S = (0.2, 0.5, 1.0, 2.0, 4.0, *(8.0,) * 7)


class NoProducer(BootStrategy):
    """Starts Faust's consumer only."""

    enable_kafka_producer = False


class NoTables(TableManager):
    """Faust's tables, of which there are none, ready at once."""

    async def on_start(self) -> None:
        """Wait for no declarations."""
        await self._update_channels()
        await self.recovery.start()


async def connected(
    connect: Callable[[], Awaitable[None]],
    *,
    pause: Callable[[float], Awaitable[Any]],
    stopping: Callable[[], bool] = lambda: False,
) -> bool:
    """Connect, again and again while the broker is away; False: the worker is told to stop meanwhile.

    Args:
        connect: tries once, and leaves nothing open when it fails.
        pause: waits so many seconds, or until the worker is told to stop.
        stopping: whether it is.

    Raises:
        BrokerAway: it stayed away.
    """
    pauses = iter(_PAUSES_S)
    while not stopping():
        try:
            await connect()
        except (KafkaError, OSError, TimeoutError) as error:
            pause_s = next(pauses, None)
            if pause_s is None:
                raise BrokerAway(f"no connection: {error!r}") from error
            _log.warning("the broker is away, trying again in %g s: %r", pause_s, error)
            await pause(pause_s)
        else:
            return True
    return False

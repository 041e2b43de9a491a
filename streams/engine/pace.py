"""How much one step takes on: as much as fits a short time, and one step at a time.

The event loop that folds also carries the transactions. A long step, or several in a row,
would keep other partitions' transactions open, up to their timeout on a slow machine. Nor are
hundreds of partitions taken all at once: each opens its store on that loop, and the answers for
which the others wait would come when nobody waits for them any more.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

__all__ = ["Pace", "Turns"]

_STEP_S = 0.2
_FIRST_RECORDS = 500
_RECORDS_MIN = 50
# Loop iterations that an answer from the broker needs to become the next request, with room.
_YIELDS_AFTER_STEP = 12
_QUESTIONS_MAX = 8


class Pace:
    """How many records of a run to give to the next step, from how long the last ones took."""

    def __init__(self, *, records_max: int) -> None:
        self._records_max = records_max
        self.records = min(_FIRST_RECORDS, records_max)

    def took(self, *, records: int, seconds: float) -> None:
        """Learn from a step; the number grows and shrinks by half at most, and not past its limits."""
        if not records:
            return
        fitting = int(records * _STEP_S / max(seconds, 1e-6))
        wanted = max(self.records // 2, min(fitting, self.records * 2))
        self.records = max(min(_RECORDS_MIN, self._records_max), min(wanted, self._records_max))


class Turns:
    """Steps of all partitions of a worker, one after the other, and the loop's own work between."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._questions = asyncio.Semaphore(_QUESTIONS_MAX)

    @contextlib.asynccontextmanager
    async def mine(self) -> AsyncIterator[None]:
        """Wait for this partition's turn, then let answers from the broker through."""
        async with self._lock:
            yield
            for _ in range(_YIELDS_AFTER_STEP):
                await asyncio.sleep(0)

    @contextlib.asynccontextmanager
    async def asking(self) -> AsyncIterator[None]:
        """Wait until few enough partitions, in the order in which they came, ask the broker or open their stores."""
        async with self._questions:
            yield

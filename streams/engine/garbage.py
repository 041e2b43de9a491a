"""When Python's cyclic garbage collector runs in a worker: seldom, and never on what stays.

A worker's state is millions of objects that stay. Python's collector would walk over them
again and again, for half of the fold's time. Here it is switched off; once a second the
objects that are new are collected, and what survives is set aside for good. What a step
makes of the state is set aside at its end without being looked at: rows hold no cycles.
"""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Iterator

__all__ = ["collecting_by_hand", "setting_aside"]

_EVERY_S = 1.0
# Cycles that die after they were set aside (few: failed transactions) are found this rarely.
_EVERYTHING_EVERY = 3600

_by_hand = False


@contextlib.asynccontextmanager
async def collecting_by_hand() -> AsyncIterator[None]:
    """Collect by hand while the context lasts; for a process that does nothing else."""
    global _by_hand  # noqa: PLW0603 - as the collector itself, it is the process's
    gc.disable()
    _by_hand = True
    collecting = asyncio.create_task(_collect(), name="garbage")
    try:
        yield
    finally:
        collecting.cancel()
        await asyncio.wait([collecting])
        _by_hand = False
        gc.unfreeze()
        gc.enable()


@contextlib.contextmanager
def setting_aside() -> Iterator[None]:
    """Set aside what is made meanwhile, which holds no cycles; what was made before is collected first.

    Does nothing in a process that does not collect by hand.
    """
    if not _by_hand:
        yield
        return
    gc.collect()
    try:
        yield
    finally:
        gc.freeze()


async def _collect() -> None:
    while True:
        gc.unfreeze()
        for _ in range(_EVERYTHING_EVERY):
            gc.collect()
            gc.freeze()
            await asyncio.sleep(_EVERY_S)

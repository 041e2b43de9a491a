"""Garbage collection of a worker process: by hand, each object looked at about once.

A worker's state is millions of objects that stay. Python's collector would walk over them
again and again, for half of the fold's time. Here it is switched off; once a second the
objects that are new are collected, and what survives is set aside for good.
"""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator

__all__ = ["collecting_by_hand"]

_EVERY_S = 1.0
# Cycles that die after they were set aside (few: failed transactions) are found this rarely.
_EVERYTHING_EVERY = 3600


@contextlib.asynccontextmanager
async def collecting_by_hand() -> AsyncIterator[None]:
    """Collect by hand while the context lasts; for a process that does nothing else."""
    gc.disable()
    collecting = asyncio.create_task(_collect(), name="garbage")
    try:
        yield
    finally:
        collecting.cancel()
        await asyncio.wait([collecting])
        gc.unfreeze()
        gc.enable()


async def _collect() -> None:
    while True:
        gc.unfreeze()
        for _ in range(_EVERYTHING_EVERY):
            gc.collect()
            gc.freeze()
            await asyncio.sleep(_EVERY_S)

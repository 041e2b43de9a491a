"""Running an engine app in this process until it is told to stop, or stops for a fault."""

import asyncio
import contextlib
import signal

from streams.engine.garbage import collecting_by_hand
from streams.engine.worker import EngineApp

__all__ = ["serve", "serve_until_signal", "wait_for_signal"]


async def serve(app: EngineApp, *, stop: asyncio.Event) -> None:
    """Run `app` until `stop` is set, also while it starts; running transactions end before this returns.

    Raises:
        EngineFault, or whatever else made the app stop of itself.
    """
    starting = asyncio.ensure_future(app.start())
    stopping = asyncio.ensure_future(stop.wait())
    crashing = asyncio.ensure_future(app._crashed.wait())
    try:
        await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
        if starting.done() and starting.exception() is None:
            await asyncio.wait((stopping, crashing), return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        crashing.cancel()
        await app.stop()
        await asyncio.wait([starting])
    fault = starting.exception() or app.crash_reason
    if stop.is_set() and isinstance(fault, asyncio.CancelledError):
        return  # Faust takes its fetcher, which it cancels itself to stop in a rebalance, for crashed
    if fault is not None:
        raise fault


async def serve_until_signal(app: EngineApp) -> None:
    """Run `app`, all that this process is for, until SIGTERM or SIGINT; see ``serve``."""
    stop = _signalled()
    async with collecting_by_hand():
        await serve(app, stop=stop)


async def wait_for_signal(*, seconds_max: float) -> None:
    """Wait so long, or until SIGTERM or SIGINT."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(_signalled().wait(), seconds_max)


def _signalled() -> asyncio.Event:
    """Give an event that SIGTERM and SIGINT set from now on, and no other."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop

"""A ledger worker as ``cobranza worker ledger`` runs one, that also writes down what it has counted.

    python -m tests.chaos.ledger_worker MEMBER COUNTERS_FILE

Settings come from the environment. An empty MEMBER makes it a dynamic member of its group.
"""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import msgspec

from infra.settings import Settings
from streams.app import build_app
from streams.engine.serving import serve_until_signal
from streams.engine.worker import EngineApp

_EVERY_S = 0.2


async def _note(app: EngineApp, file: Path) -> None:
    """Keep the counters in a file: a kill -9 takes a fifth of a second of them at most.

    The file is there as soon as SIGTERM is understood.
    """
    before: str | None = None
    fresh = file.with_suffix(".fresh")
    while True:
        counters = app.engine.counters
        if str(counters) != before:
            before = str(counters)
            counts = {name: value for name, value in asdict(counters).items() if isinstance(value, int)}
            fresh.write_bytes(msgspec.json.encode(counts))
            fresh.replace(file)
        await asyncio.sleep(_EVERY_S)


async def _serve(member: str, file: Path) -> None:
    # Inside the running loop: Faust's services belong to the loop that they are made in.
    app = build_app(Settings(), stage="ledger", member=member or None)
    noting = asyncio.create_task(_note(app, file))
    try:
        await serve_until_signal(app)
    finally:
        noting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await noting


def main(arguments: Sequence[str]) -> None:
    """Run until SIGTERM; whatever stops it of itself ends the process with an error."""
    member, file = arguments
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.WARNING)
    for name in ("partition", "worker"):
        logging.getLogger(f"streams.engine.{name}").setLevel(logging.INFO)
    asyncio.run(_serve(member, Path(file)))


if __name__ == "__main__":
    main(sys.argv[1:])

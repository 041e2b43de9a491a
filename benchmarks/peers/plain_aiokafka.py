"""A consumer that reads the journal and does nothing with it, with the client that Faust and the ledger use.

aiokafka in the peers' environment; positions are committed after each poll. Nothing is
decoded, kept or written.
"""

import asyncio
import signal

from aiokafka import AIOKafkaConsumer  # type: ignore[import-not-found,unused-ignore]

from benchmarks.peers.arguments import Arguments, read_arguments
from benchmarks.peers.mark import Mark

_RECORDS_MAX = 10_000


async def read(given: Arguments) -> None:
    """Read until SIGTERM."""
    mark = Mark(given.folder, warm_up=given.warm_up)
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    reader = AIOKafkaConsumer(
        given.journal,
        bootstrap_servers=given.broker,
        group_id=given.group,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        enable_auto_commit=False,
        max_partition_fetch_bytes=5 * 1024 * 1024,
    )
    await reader.start()
    try:
        while not stopping.is_set():
            polled = await reader.getmany(timeout_ms=50, max_records=_RECORDS_MAX)
            if polled:
                mark.count(sum(map(len, polled.values())))
                await reader.commit()
    finally:
        await reader.stop()


if __name__ == "__main__":
    asyncio.run(read(read_arguments(__doc__)))

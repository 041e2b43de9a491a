"""Stock Faust doing the accounting: one table in memory with its changelog, one output per event.

Runs in the peers' environment until it is told to stop. Keys and values are bytes, so that
msgspec does all JSON.
"""

from typing import Any

import faust

from benchmarks.peers.accounting import account_for, decode_told, keys
from benchmarks.peers.arguments import Arguments, read_arguments
from benchmarks.peers.mark import Mark

_COMMIT_INTERVAL_S = 0.5  # 2.8 s by default; what is left at the end of a run would wait as long


class _Rows:
    """Rows of all accounts of this worker in a Faust table."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def get(self, key: str) -> bytes | None:
        found: bytes | None = self._table.get(key.encode())
        return found

    def put(self, key: str, value: bytes) -> None:
        self._table[key.encode()] = value


def make_app(given: Arguments) -> faust.App:
    """Wire the app: journal in, table, output."""
    app = faust.App(
        given.group,
        broker=f"kafka://{given.broker}",
        store="memory://",
        datadir=given.folder,
        processing_guarantee=given.guarantee,
        topic_partitions=4,
        topic_replication_factor=1,
        topic_disable_leader=True,
        web_enabled=False,
        consumer_auto_offset_reset="earliest",
        broker_commit_interval=_COMMIT_INTERVAL_S,
        broker_max_poll_records=2_000,
        stream_wait_empty=False,
        stream_recovery_delay=0.2,
    )
    plain: dict[str, Any] = {
        "key_type": bytes,
        "value_type": bytes,
        "key_serializer": "raw",
        "value_serializer": "raw",
    }
    source = app.topic(given.journal, **plain)
    target = app.topic(given.output, **plain)
    table: Any = app.Table("rows", partitions=4, key_type=bytes, value_type=bytes)
    rows, mark = _Rows(table), Mark(given.folder, warm_up=given.warm_up)

    async def account(stream: Any) -> None:
        async for event in stream.events():
            mark.count()
            told = decode_told(event.value)
            at = keys(event.key.decode())
            said = account_for(told.event, id=told.id, rows=rows, at=at)
            if said is not None:
                await target.send(key=event.key, value=said)

    app.agent(source)(account)
    return app


def main() -> None:
    """Run until SIGTERM."""
    given = read_arguments(__doc__)
    worker = faust.Worker(make_app(given), loglevel="WARNING")
    worker.execute_from_commandline()


if __name__ == "__main__":
    main()

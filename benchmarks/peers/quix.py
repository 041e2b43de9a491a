"""Quix Streams doing the accounting: its own state (RocksDB and a changelog), one output per event.

Runs in the peers' environment until it is told to stop. State keys are Quix's own: it puts
the record key, an account, before them. Bytes go in and out, so that msgspec does all JSON.
"""

from quixstreams import Application  # type: ignore[import-not-found]
from quixstreams.state import State  # type: ignore[import-not-found]

from benchmarks.peers.accounting import Keys, account_for, decode_told
from benchmarks.peers.arguments import read_arguments
from benchmarks.peers.mark import Mark

# Kafka Streams' interval for exactly-once; Quix's default, 5 s, measures no faster.
_COMMIT_INTERVAL_S = 0.5
_KEYS = Keys("h|", "i|", "c|")


class _Rows:
    """An account's rows in Quix's state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def get(self, key: str) -> bytes | None:
        found: bytes | None = self._state.get_bytes(key)
        return found

    def put(self, key: str, value: bytes) -> None:
        self._state.set_bytes(key, value)


def main() -> None:
    """Run until SIGTERM."""
    given = read_arguments(__doc__)
    mark = Mark(given.folder, warm_up=given.warm_up)

    def account(value: bytes, state: State) -> bytes | None:
        mark.count()
        told = decode_told(value)
        return account_for(told.event, id=told.id, rows=_Rows(state), at=_KEYS)

    app = Application(
        broker_address=given.broker,
        consumer_group=given.group,
        auto_offset_reset="earliest",
        processing_guarantee=given.guarantee,
        commit_interval=_COMMIT_INTERVAL_S,
        state_dir=given.folder,
        loglevel="WARNING",
        request_timeout=30,
        consumer_extra_config={"isolation.level": "read_committed"},
    )
    source = app.topic(given.journal, key_deserializer="bytes", value_deserializer="bytes")
    target = app.topic(given.output, key_serializer="bytes", value_serializer="bytes")
    accounted = app.dataframe(source).apply(account, stateful=True)
    accounted.filter(lambda said: said is not None).to_topic(target)
    app.run()


if __name__ == "__main__":
    main()

"""A consumer that reads the journal and does nothing with it: the limit of reading from Python.

confluent-kafka, that is librdkafka, in the peers' environment; positions are committed ten
times a second. Nothing is decoded, kept or written.
"""

import signal
import threading

from confluent_kafka import Consumer  # type: ignore[import-not-found]

from benchmarks.peers.arguments import read_arguments
from benchmarks.peers.mark import Mark

_RECORDS_MAX = 10_000


def main() -> None:
    """Read until SIGTERM."""
    given = read_arguments(__doc__)
    mark = Mark(given.folder, warm_up=given.warm_up)
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    reader = Consumer(
        {
            "bootstrap.servers": given.broker,
            "group.id": given.group,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "auto.commit.interval.ms": 100,
        }
    )
    reader.subscribe([given.journal])
    while not stopping.is_set():
        records = reader.consume(_RECORDS_MAX, timeout=0.05)
        mark.count(len(records))
        for record in records:
            if record.error():
                raise RuntimeError(record.error())
    reader.close()


if __name__ == "__main__":
    main()

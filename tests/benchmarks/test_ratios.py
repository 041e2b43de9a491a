"""Who is compared with whom: as many workers, and rows in the same kind of place, on both sides."""

from benchmarks.race import Standing
from benchmarks.report import ratios


def _ran(name: str, *, rate: float, workers: int = 1) -> Standing:
    return Standing(name=name, title=name, exactly_once=True, workers=workers, rates=[rate])


def test_a_peer_is_held_to_the_ledger_with_as_many_workers_and_most_come_last() -> None:
    """The line of the peer with a worker for each core closes the run: it is the headline."""
    standings = [
        _ran("ledger", rate=20),
        _ran("ledger-x2", rate=36, workers=2),
        _ran("kafka-streams-eos", rate=40),
        _ran("kafka-streams-eos-x2", rate=48, workers=2),
        _ran("faust", rate=2),
    ]

    lines = ["ledger/kafka-streams-eos 0.50", "ledger/faust 10.00", "ledger/kafka-streams-eos-x2 0.75"]
    assert lines == ratios(standings)


def test_rows_on_disk_are_held_to_rows_on_disk() -> None:
    """Kafka Streams on RocksDB is not held to a ledger in memory, and the ledger is no peer of itself."""
    standings = [
        _ran("ledger", rate=20),
        _ran("ledger-rocksdb", rate=15),
        _ran("kafka-streams-eos", rate=40),
        _ran("kafka-streams-eos-rocksdb", rate=30),
    ]

    lines = ["ledger/kafka-streams-eos 0.50", "ledger/kafka-streams-eos-rocksdb 0.50"]
    assert lines == ratios(standings)


def test_a_peer_without_a_ledger_of_its_size_has_no_ratio() -> None:
    """One ledger did not finish: nothing is said rather than something unfair."""
    standings = [
        _ran("ledger", rate=20),
        _ran("kafka-streams-eos-x2", rate=48, workers=2),
    ]

    assert [] == ratios(standings)

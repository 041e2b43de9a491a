"""Who takes part in the comparison: how each is started, and what it reads, writes and promises."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.java_peer import java_command
from infra.settings import Settings

__all__ = [
    "LEDGER",
    "LEDGERS",
    "PEERS",
    "PEERS_PYTHON",
    "Entry",
    "Sizes",
    "System",
    "Track",
    "entry_of",
]

PEERS_PYTHON: Final = Path(__file__).parents[1] / ".venv-peers" / "bin" / "python"
_HEAP: Final = "2g"
_CORES: Final = 2  # of the machine that the figures come from: a worker for each


class Sizes(NamedTuple):
    """Events of a run for systems of three speeds, and how many of them are warm-up."""

    fast: int
    middle: int
    slow: int

    def of(self, system: "System") -> int:
        """Give the length of this system's journal."""
        return {"fast": self.fast, "middle": self.middle, "slow": self.slow}[system.pace]


class System(NamedTuple):
    """One that takes part.

    Attributes:
        name: as in ``ledger/NAME RATIO``.
        title: as in the table.
        pace: how long a journal it gets; slow ones get a beginning of the same one.
        exactly_once: it promises to lose and double nothing; ``reads_only``: it accounts for nothing.
        module: of a Python peer; "" is the ledger or Java.
        guarantee: in its own words.
        store: of Kafka Streams.
        on_disk: its rows are in RocksDB: it is held to what keeps them there, too.
        workers: processes of the ledger, stream threads of Kafka Streams; the partitions are split over them.
        goal: of the ledger events/s, of a peer how many times as fast the ledger is to be (DESIGN 7); 0: none.
    """

    name: str
    title: str
    pace: str = "fast"
    exactly_once: bool = True
    reads_only: bool = False
    module: str = ""
    guarantee: str = ""
    store: str = ""
    on_disk: bool = False
    workers: int = 1
    goal: float = 0

    @property
    def needs(self) -> str:
        """What it cannot run without: ``java``, ``python`` (the peers' environment) or nothing."""
        return "java" if self.store else "python" if self.module else ""


class Track(NamedTuple):
    """Where one run takes place: the broker, the round's prefix, the journal, a folder of its own."""

    broker: str
    prefix: str
    journal: str
    folder: Path
    warm_up: int
    classes: str


class Entry(NamedTuple):
    """A system on a track: its processes, its group, its topics.

    ``marks`` are the folders in which each process notes that it has begun (``peers/mark.py``).
    """

    commands: list[list[str]]
    marks: list[Path]
    environment: Mapping[str, str]
    group: str
    changelog: str
    output: str


LEDGER: Final = System("ledger", "the ledger stage, exactly once, in memory", goal=60_000)
_LEDGER_ON_DISK: Final = System("ledger-rocksdb", "the ledger stage, exactly once, RocksDB", on_disk=True)
_LEDGER_TWICE: Final = System(
    "ledger-x2", "the ledger stage, exactly once, in memory, 2 processes", workers=_CORES
)
LEDGERS: Final = (LEDGER, _LEDGER_ON_DISK, _LEDGER_TWICE)
PEERS: Final = (
    System(
        "kafka-streams-eos",
        "Kafka Streams 4.3.1, exactly_once_v2, in memory",
        guarantee="exactly_once_v2",
        store="memory",
        goal=1.5,
    ),
    System(
        "kafka-streams-eos-x2",
        "Kafka Streams 4.3.1, exactly_once_v2, in memory, 2 stream threads",
        guarantee="exactly_once_v2",
        store="memory",
        goal=1.5,
        workers=_CORES,
    ),
    System(
        "kafka-streams-eos-rocksdb",
        "Kafka Streams 4.3.1, exactly_once_v2, RocksDB",
        guarantee="exactly_once_v2",
        store="rocksdb",
        on_disk=True,
        goal=1.5,
    ),
    System(
        "kafka-streams-alo",
        "Kafka Streams 4.3.1, at_least_once, in memory",
        guarantee="at_least_once",
        store="memory",
        exactly_once=False,
    ),
    System(
        "quix-eos", "Quix Streams 3.28.1, exactly-once", "middle", module="quix", guarantee="exactly-once"
    ),
    System(
        "quix-alo",
        "Quix Streams 3.28.1, at-least-once",
        "middle",
        module="quix",
        guarantee="at-least-once",
        exactly_once=False,
    ),
    System(
        "faust",
        "Faust 0.15.3, at_least_once",
        "slow",
        module="stock_faust",
        guarantee="at_least_once",
        exactly_once=False,
        goal=12,
    ),
    System(
        "faust-eos",
        "Faust 0.15.3, exactly_once",
        "slow",
        module="stock_faust",
        guarantee="exactly_once",
        goal=12,
    ),
    System(
        "plain-consumer",
        "confluent-kafka, reading only: the limit",
        module="plain",
        guarantee="none",
        exactly_once=False,
        reads_only=True,
    ),
    System(
        "plain-consumer-aiokafka",
        "aiokafka, reading only: the limit of the ledger's client",
        module="plain_aiokafka",
        guarantee="none",
        exactly_once=False,
        reads_only=True,
    ),
)


def entry_of(system: System, *, track: Track) -> Entry:
    """Say how a system runs on a track; nothing is started."""
    if system in LEDGERS:
        options = ("--member", "bench") if system.on_disk else ()
        return _ledger_entry(track, workers=system.workers, options=options)
    group = f"{track.prefix}{system.name}"
    output = f"{group}-out"
    given = [track.broker, track.journal, output, group, system.guarantee]
    given += [str(track.folder), str(track.warm_up)]
    if system.store:
        command = [
            *java_command(track.classes, heap=_HEAP),
            "Accounting",
            *given,
            system.store,
            str(system.workers),
        ]
    else:
        command = [str(PEERS_PYTHON), "-m", f"benchmarks.peers.{system.module}", *given]
    changelogs = {
        "quix": f"changelog__{group}--{track.journal}--default",
        "plain": "",
        "plain_aiokafka": "",
    }
    changelog = changelogs.get(system.module, f"{group}-rows-changelog")
    return Entry([command], [track.folder], os.environ, group, changelog, output)


def _ledger_entry(track: Track, *, workers: int, options: tuple[str, ...]) -> Entry:
    """The product itself, as its users start it, with a mark; a worker with a name keeps its rows on disk.

    Its cache holds all of the run's accounts, as every peer's memory does; the default is for a small machine.
    One of several workers only notes its first record: how far all of them are, nobody of them knows.
    """
    settings = Settings(bootstrap_servers=track.broker, topic_prefix=track.prefix, data_dir=track.folder)
    environment = {
        **os.environ,
        "COBRANZA_BOOTSTRAP_SERVERS": track.broker,
        "COBRANZA_TOPIC_PREFIX": track.prefix,
        "COBRANZA_DATA_DIR": str(track.folder),
        "COBRANZA_STREAM_CACHED_ROWS_MAX": "2000000",
    }
    marks = [track.folder] if workers == 1 else [track.folder / f"worker-{each}" for each in range(workers)]
    warm_up = track.warm_up if workers == 1 else 0
    command = [sys.executable, "-m", "benchmarks.ledger_worker"]
    return Entry(
        [[*command, str(mark), str(warm_up), *options] for mark in marks],
        marks,
        environment,
        settings.group("ledger"),
        settings.topic("ledger.account"),
        settings.topic("ledger.movement"),
    )

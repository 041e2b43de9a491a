"""The comparison: every system folds the same journal on this machine, in turn, several times.

    per round: publish the journal ─► ledger ─► peer ─► peer … (A B C, A B C, …)
    per run:   start ─► warm-up part ─► measured part ─► all committed ─► stop ─► tally its topics

A rate is events/s from the moment that a system is handed the first record after the warm-up
(it says so itself; of several workers it is seen from outside, when all have begun and the warm-up
is committed) to the commit of the last one (seen from outside). Whoever promises exactly once is held to the balances of the
ledger's own core over the same journal, item by item and payment by payment.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from kafka import KafkaAdminClient, TopicPartition
from msgspec import Struct, json

from benchmarks.java_peer import JavaMissing, class_path
from benchmarks.peers.mark import FILE, read_mark
from benchmarks.replay import PARTITIONS, Balances
from benchmarks.running import NotFinished, processor_s, running, watch
from benchmarks.systems import (
    LEDGER,
    LEDGERS,
    PEERS,
    PEERS_PYTHON,
    Entry,
    Sizes,
    System,
    Track,
    entry_of,
)
from benchmarks.workload import encoded
from infra.kafka import consumers, topics
from infra.kafka.broker import LocalBroker
from infra.settings import Settings
from streams.ledger import fact_topics

__all__ = ["Standing", "main"]

_FULL = Sizes(fast=480_000, middle=120_000, slow=24_000)
_QUICK = Sizes(fast=120_000, middle=12_000, slow=4_000)
_WARM_UP_SHARE = 1 / 6


class Standing(Struct, kw_only=True):
    """What one system did.

    Attributes:
        rates: events/s, one per run.
        events: of a run; ``warm_up`` of them not measured.
        records: written per event, by everything but the journal; ``octets`` likewise.
        processor_us: processor time of the process per record, start and warm-up included, one per run.
        written: records by topic, in the last run.
        accounts: what the comparison of balances says.
        left_out: why it did not run.
    """

    name: str
    title: str
    exactly_once: bool
    workers: int = 1
    rates: list[float] = []
    events: int = 0
    warm_up: int = 0
    records: float = 0
    octets: float = 0
    processor_us: list[float] = []
    written: dict[str, int] = {}
    accounts: str = ""
    left_out: str = ""


class _Tallied(Struct):
    topics: dict[str, dict[str, int]]
    items: dict[str, int]
    credits: dict[str, int]
    outputs: int
    doubled: int


class Race:
    """One comparison on one broker."""

    def __init__(self, *, admin: KafkaAdminClient, broker: str, folder: Path, sizes: Sizes) -> None:
        self._admin, self._broker, self._folder, self._sizes = admin, broker, folder, sizes
        self._expected: dict[int, Balances] = {}
        self._missing: dict[str, str] = {}
        self._classes = self._prepare()
        self.standings: dict[str, Standing] = {}

    def run(self, system: System, *, number: int) -> None:
        """Let a system run once, and note how it did."""
        events = self._sizes.of(system)
        standing = self.standings.setdefault(
            system.name,
            Standing(
                name=system.name,
                title=system.title,
                exactly_once=system.exactly_once,
                workers=system.workers,
                events=events,
            ),
        )
        standing.warm_up = round(events * _WARM_UP_SHARE)
        standing.left_out = standing.left_out or self._missing.get(system.needs, "")
        if standing.left_out:
            return
        try:
            said = self._measure(system, standing, number=number)
        except NotFinished as reason:
            standing.left_out = said = str(reason)
        except subprocess.CalledProcessError as reason:
            standing.accounts = said = f"its topics could not be read: {reason}"
        print(f"  run {number} {system.name}: {said}", flush=True)

    def publish(self, number: int) -> None:
        """Write the journal of a round, and the beginnings of it that slower systems get."""
        whole = []
        for system in LEDGERS:  # each has all its topics under a prefix of its own
            topics.apply(Settings(bootstrap_servers=self._broker, topic_prefix=_prefix(system, number)))
            whole.append(self._journal(system, number))
        shorter = {_beginning(number, events): events for events in (self._sizes.middle, self._sizes.slow)}
        self._create(*shorter)
        self._fill(whole, events=self._sizes.fast)
        for name, events in shorter.items():
            self._fill([name], events=events)

    def _fill(self, names: list[str], *, events: int) -> None:
        with consumers.producer(bootstrap_servers=self._broker, linger_ms=50) as producer:
            for partition, key, value in encoded(events=events, partitions=PARTITIONS):
                for name in names:
                    producer.send(name, key=key, value=value, partition=partition)

    def take_over(self, *, figures: Path | None) -> int:
        """Let a worker without local state take over what the ledger of round 1 has left; give its exit code."""
        folder = self._folder / "takeover"
        folder.mkdir()
        command = [sys.executable, "-m", "benchmarks.takeover", self._broker, "run1.", str(folder)]
        done = subprocess.run([*command, *([f"--json={figures}"] if figures else [])], check=False)
        return done.returncode

    def _measure(self, system: System, standing: Standing, *, number: int) -> str:
        folder = self._folder / f"{number}-{system.name}"
        folder.mkdir()
        journal = self._journal(system, number)
        track = Track(self._broker, _prefix(system, number), journal, folder, standing.warm_up, self._classes)
        entry = entry_of(system, track=track)
        if system not in LEDGERS:
            self._create(entry.output)
        log = folder / "log"
        with running(entry, log=log) as processes:
            records = self._length(journal)
            look = partial(watch, processes, admin=self._admin, group=entry.group, records=records, log=log)
            if system.workers == 1:
                done = look()
                begun = read_mark(folder)
            else:
                begun = look(is_enough=partial(_is_warm, entry, standing.warm_up))
                done = look()
            standing.processor_us.append(processor_s(processes) / records * 1e6)
        if begun.records >= records:
            raise NotFinished("all was done before all workers had begun: the journal is too short")
        standing.rates.append((records - begun.records) / (done.at_s - begun.at_s))
        if self._missing.get("python"):
            standing.accounts = "not compared: there is no .venv-peers"
        elif not system.reads_only:
            self._judge(standing, tallied=self._tally(system, entry, track=track))
        used = f"{standing.processor_us[-1]:.1f} µs of processor per event"
        return f"{standing.rates[-1]:,.0f} events/s; {used}; {standing.accounts or 'reads only'}"

    def _judge(self, standing: Standing, *, tallied: _Tallied) -> None:
        """Compare balances with the core's, and count what was written."""
        expected = self._balances(standing.events)
        wrong = sum(tallied.items.get(item) != amount for item, amount in expected.items.items())
        wrong += sum(tallied.credits.get(credit) != amount for credit, amount in expected.credits.items())
        wrong += len(tallied.items.keys() - expected.items.keys())
        wrong += len(tallied.credits.keys() - expected.credits.keys())
        said = [f"{wrong:,} items and payments differ"] if wrong else []
        said += [f"{tallied.doubled:,} outputs doubled"] if tallied.doubled else []
        lost = standing.events - tallied.outputs
        said += [f"{lost:,} outputs lost"] if lost > 0 else []
        verdict = ", ".join(said) or "equal to the core's"
        if standing.accounts in ("", "equal to the core's"):
            standing.accounts = verdict
        standing.written = {
            name.partition(".")[2]: each["records"]
            for name, each in tallied.topics.items()
            if each["records"]
        }
        standing.records = sum(each["records"] for each in tallied.topics.values()) / standing.events
        standing.octets = sum(each["octets"] for each in tallied.topics.values()) / standing.events

    def _balances(self, events: int) -> Balances:
        """Fold the journal without Kafka, once per length, in a process that gives its memory back."""
        if events not in self._expected:
            file = self._folder / f"balances-{events}"
            command = [sys.executable, "-m", "benchmarks.replay", f"--events={events}", f"--balances={file}"]
            subprocess.run(command, check=True)
            self._expected[events] = json.decode(file.read_bytes(), type=Balances)
        return self._expected[events]

    def _tally(self, system: System, entry: Entry, *, track: Track) -> _Tallied:
        file = track.folder / "tally"
        given = ["--changelog", entry.changelog, "--output", entry.output]
        if system in LEDGERS:
            more = {track.prefix + name for name in (*fact_topics(), "ledger.chain")} - {entry.output}
            given += ["--ledger", "--more", *sorted(more)]
        command = [str(PEERS_PYTHON), "-m", "benchmarks.peers.tally", self._broker, str(file)]
        subprocess.run([*command, *given], check=True)
        return json.decode(file.read_bytes(), type=_Tallied)

    def _journal(self, system: System, number: int) -> str:
        events = self._sizes.of(system)
        if events == self._sizes.fast:
            return f"{_prefix(system, number)}ledger.journal"
        return _beginning(number, events)

    def _length(self, topic: str) -> int:
        with consumers.consumer(bootstrap_servers=self._broker, group=None) as reader:
            partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
            return sum(reader.end_offsets(partitions).values())

    def _create(self, *names: str) -> None:
        wanted = {name: {"num_partitions": PARTITIONS, "replication_factor": 1} for name in names}
        self._admin.create_topics(wanted)
        self._admin.wait_for_topics(list(names), timeout_ms=30_000)

    def _prepare(self) -> str:
        """Find out which peers can run here; compile the Java one."""
        if not PEERS_PYTHON.exists():
            self._missing["python"] = "there is no .venv-peers: make bench makes it (network needed)"
        classes = self._folder / "classes"
        classes.mkdir()
        try:
            return class_path(classes)
        except JavaMissing as reason:
            self._missing["java"] = str(reason)
            return ""


def _prefix(system: System, number: int) -> str:
    own = system.name.removeprefix(LEDGER.name) if system in LEDGERS else ""
    return f"run{number}{own}."


def _is_warm(entry: Entry, warm_up: int, committed: int) -> bool:
    """Say whether every worker has been handed something, and all of them together the warm-up."""
    return committed >= warm_up and all((folder / FILE).exists() for folder in entry.marks)


def _beginning(number: int, events: int) -> str:
    return f"run{number}.journal.first-{events}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the comparison; print and save the standings, the ledger's first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--runs", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=[], help="names of peers; default: all")
    parser.add_argument("--json", type=Path, help="where the standings go")
    parser.add_argument("--figures", type=Path, help="where the figure of a takeover goes")
    given = parser.parse_args(arguments)
    peers = [peer for peer in PEERS if not given.only or peer.name in given.only]
    with (
        tempfile.TemporaryDirectory(prefix="cobranza-bench-") as scratch,
        LocalBroker(Path(scratch) / "kafka", heap="1g") as broker,
        consumers.admin(bootstrap_servers=broker.bootstrap_servers) as admin,
    ):
        race = Race(
            admin=admin,
            broker=broker.bootstrap_servers,
            folder=Path(scratch),
            sizes=_QUICK if given.quick else _FULL,
        )
        for number in range(1, (given.runs or (1 if given.quick else 3)) + 1):
            race.publish(number)
            for system in (*LEDGERS, *peers):
                race.run(system, number=number)
                if given.json:
                    given.json.write_bytes(json.encode(list(race.standings.values())))
        return 1 if race.standings[LEDGER.name].left_out else race.take_over(figures=given.figures)


if __name__ == "__main__":
    sys.exit(main())

"""Chaos on the real ledger stage and a real Apache Kafka; the last line printed is the verdict.

    python -m tests.chaos.ledger --seed 1 --events 50000 --kills 10

Two workers fold a journal that a seed has made up, while that seed kills, stops and
freezes them, cuts their connections, takes the answers to their commits off the wire,
kills and freezes brokers. At the end everything that they wrote is compared with the fold
of the journal. Exits with 1 unless all is equal; the folder is then kept.
"""

import argparse
import contextlib
import dataclasses
import datetime
import logging
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from kafka.admin import ConfigResource, ConfigResourceType

from console.installation import environment
from infra.kafka import topics
from infra.kafka.cluster import LocalCluster
from infra.kafka.consumers import admin
from infra.kafka.lag import LagReader
from infra.ports import free_port
from infra.settings import Settings
from schemas.journal import BROADCAST_KEY, TickPassed, decode_entry
from streams.names import CHANGELOG, JOURNAL
from tests.chaos.business import Entry, business, later_tick
from tests.chaos.fleet import Fleet
from tests.chaos.load import Load
from tests.chaos.mischief import Cutter, Mischief, asked
from tests.chaos.profile import WORKERS, Profile, schedule
from tests.chaos.sendings import await_quiet, judge_sendings, supervised
from tests.chaos.verdict import Verdict, judge_ledger, not_done, open_transactions
from tests.chaos.wire import Link, Wire

__all__ = ["run_chaos"]

_PREFIX: Final = "chaos."
_TAKEN_S_MAX: Final = 120.0
_STALLED_S_MAX: Final = 180.0
_FINISHED_S_MAX: Final = 120.0
_POLL_S: Final = 0.2
# Compaction as hard as Kafka does it: the smallest segments, and every one at once.
_HARD_CLEANING: Final = {
    "segment.bytes": str(1024 * 1024),
    "segment.ms": "2000",
    "min.cleanable.dirty.ratio": "0.01",
    "min.compaction.lag.ms": "0",
}
_BROKER: Final = {
    "log.cleaner.backoff.ms": "100",
    "log.initial.task.delay.ms": "500",
    "log.retention.check.interval.ms": "1000",
}
Say = Callable[[str], None]


def run_chaos(profile: Profile, *, folder: Path, say: Say = lambda _: None) -> Verdict:
    """Do one run in `folder`, and judge it.

    Raises:
        FleetFailed, LoadFailed, BrokerError, TimeoutError: the run could not be made, or did not end.
    """
    ports = {name: [free_port() for _ in range(profile.brokers)] for name in WORKERS}
    routes = {_route(name): ports[name] for name in WORKERS} if profile.needs_wire else {}
    with contextlib.ExitStack() as held:
        cluster = held.enter_context(
            LocalCluster(
                folder / "kafka", nodes=profile.brokers, heap="768m", properties=_BROKER, routes=routes
            )
        )
        settings = _prepare(profile, folder=folder, address=cluster.bootstrap_servers)
        say(f"{profile.brokers} broker(s) at {cluster.bootstrap_servers}")
        wires = {}
        if profile.needs_wire:
            for number, name in enumerate(WORKERS):
                targets = [cluster.route_port(_route(name), node=node) for node in range(profile.brokers)]
                links = [Link(*pair) for pair in zip(ports[name], targets, strict=True)]
                chance = random.Random(profile.seed * 1_009 + number)  # noqa: S311 - which connection to cut
                wires[name] = held.enter_context(Wire(links, chance=chance, spared=0.5))
        run = _Run(profile, settings=settings, cluster=cluster, wires=wires, say=say)
        addresses = {
            name: ",".join(f"127.0.0.1:{port}" for port in ports[name]) if wires else settings.brokers()
            for name in WORKERS
        }
        run.make(addresses)
        return run.judge()


def _prepare(profile: Profile, *, folder: Path, address: str) -> Settings:
    """Make the topics, the changelog's among them harder on itself than any installation's."""
    settings = Settings(
        data_dir=folder / "installation",
        bootstrap_servers=address,
        topic_prefix=_PREFIX,
        partitions=profile.partitions,
        replication_factor=min(profile.brokers, 3),
    )
    topics.apply(settings)
    if profile.cleaner:
        with admin(bootstrap_servers=address) as client:
            resource = ConfigResource(
                ConfigResourceType.TOPIC, settings.topic(CHANGELOG), dict(_HARD_CLEANING)
            )
            client.alter_configs([resource])
    return settings


class _Run:
    """One run, from topics that are there to the verdict."""

    def __init__(
        self,
        profile: Profile,
        *,
        settings: Settings,
        cluster: LocalCluster,
        wires: Mapping[str, Wire],
        say: Say,
    ) -> None:
        self._profile, self._settings = profile, settings
        self._cluster, self._wires, self._say = cluster, wires, say
        self._verdict = Verdict()
        self._tick: datetime.datetime | None = None
        made_up = business(
            seed=profile.seed,
            events=profile.events,
            accounts=profile.accounts_made,
            ticks=profile.ticks,
            partitions=profile.partitions,
        )
        self._load = self._loading(
            made_up, rate=None if profile.backlog else profile.events / profile.duration_s
        )

    def _loading(self, entries: Iterator[Entry], *, rate: float | None) -> Load:
        return Load(
            self._noting_ticks(entries),
            topic=self._settings.topic(JOURNAL),
            bootstrap_servers=self._cluster.bootstrap_servers,
            rate=rate,
        )

    def make(self, addresses: Mapping[str, str]) -> None:
        """Run load, workers and faults until everything is read and all have stopped."""
        profile = self._profile
        if profile.backlog:
            self._write_backlog()
        fleet = Fleet(
            self._settings.data_dir / "workers",
            environments={name: self._environment(name, addresses[name]) for name in WORKERS},
            static=profile.static,
            say=self._say,
        )
        with contextlib.ExitStack() as held:
            others = held.enter_context(supervised(self._settings)) if profile.sendings else None
            held.enter_context(fleet)
            cutter = Cutter(list(self._wires.values()), profile=profile)
            held.callback(self._note_fleet, fleet, cutter)
            lags = held.enter_context(LagReader(self._cluster.bootstrap_servers))
            if not profile.backlog:
                fleet.await_taken(profile.partitions, deadline_s=_TAKEN_S_MAX)
                held.enter_context(self._load)
            held.enter_context(cutter)
            mischief = Mischief(
                fleet=fleet,
                cluster=self._cluster,
                kill_sender=lambda: others.kill("notifier") if others else None,
                lose_disk=lambda name: shutil.rmtree(self._disk(name), ignore_errors=True),
                say=self._say,
            )
            self._verdict.done = mischief.done
            progress = _Consumed(lags, settings=self._settings)
            mischief.do(
                schedule(profile), progress=progress.share if profile.backlog else self._written_share
            )
            self._drain(fleet, progress=progress)
            self._finish(cutter, fleet=fleet, progress=progress)
            if profile.sendings and self._tick is not None:
                await_quiet(self._settings, fleet=fleet, tick=self._tick)
            self._say("everything is read")
            self._note_open("while the workers rest")
            fleet.stop_all()
            self._note_open("right after the workers have stopped")
        self._verdict.problems += not_done(asked(profile), done=self._verdict.done)

    def judge(self) -> Verdict:
        """Compare everything with the truth."""
        verdict, profile = self._verdict, self._profile
        started = time.monotonic()
        judge_ledger(self._settings, verdict=verdict, seed=profile.seed)
        if profile.sendings and self._tick is not None:
            expected = {delivery for one in verdict.found for delivery in one.reminders}
            counted, problems = judge_sendings(self._settings, expected=expected, tick=self._tick)
            verdict.sendings = counted
            verdict.problems += problems
        self._say(f"read, folded and compared in {time.monotonic() - started:.0f} s")
        appended, kept = verdict.total("rows_appended"), verdict.total("rows_kept")
        self._say(f"the changelog was compacted from {appended:,} to {kept:,} records")
        return verdict

    def _write_backlog(self) -> None:
        with self._load:
            while self._load.running:
                time.sleep(_POLL_S)
        self._say(f"a backlog of {self._load.sent:,} records is written")

    def _drain(self, fleet: Fleet, *, progress: "_Consumed") -> None:
        while self._load.running:
            fleet.look()
            time.sleep(_POLL_S)
        self._verdict.events = self._load.sent
        self._say(f"{self._load.sent:,} records are written; {progress.lag():,} are still to be read")
        self._await_read(fleet, progress=progress)

    def _finish(self, cutter: Cutter, *, fleet: Fleet, progress: "_Consumed") -> None:
        """Let ticks pass until each cut and each lost answer is done: what met no commit meets one now."""
        deadline = time.monotonic() + _FINISHED_S_MAX
        while not cutter.finish() and self._tick is not None and time.monotonic() < deadline:
            with self._loading(
                later_tick(self._tick, partitions=self._profile.partitions), rate=None
            ) as load:
                while load.running:
                    time.sleep(_POLL_S)
            self._verdict.events += load.sent
            self._await_read(fleet, progress=progress)
            time.sleep(_POLL_S)

    def _await_read(self, fleet: Fleet, *, progress: "_Consumed") -> None:
        moved_at, before = time.monotonic(), -1
        while (lag := progress.lag()) > 0:
            fleet.look()
            if lag != before:
                before, moved_at = lag, time.monotonic()
            elif time.monotonic() - moved_at > _STALLED_S_MAX:
                raise TimeoutError(f"the lag stays at {lag} for {_STALLED_S_MAX:g} s")
            time.sleep(_POLL_S)

    def _note_open(self, when: str) -> None:
        self._verdict.problems += [f"{each}, {when}" for each in open_transactions(self._settings)]

    def _note_fleet(self, fleet: Fleet, cutter: Cutter) -> None:
        verdict = self._verdict
        verdict.done.update(cutter.done)
        verdict.counted = fleet.counted()
        verdict.problems += fleet.broken_chains()
        if fleet.ended_of_themselves:
            verdict.done["restarts of workers that gave up"] = fleet.ended_of_themselves
        self._say("workers counted: " + " ".join(f"{name}={n:,}" for name, n in verdict.counted.items() if n))

    def _written_share(self) -> float:
        # A failed load raises here; one that has ended has come to 1 but for the last answers.
        return self._load.sent / self._profile.events if self._load.running else 1.0

    def _noting_ticks(self, entries: Iterator[Entry]) -> Iterator[Entry]:
        for entry in entries:
            if entry.key == BROADCAST_KEY:
                event = decode_entry(entry.value).event
                self._tick = event.at if isinstance(event, TickPassed) else self._tick
            yield entry

    def _disk(self, name: str) -> Path:
        return self._settings.data_dir / f"worker-{name}"

    def _environment(self, name: str, address: str) -> dict[str, str]:
        settings = self._settings.model_copy(
            update={"bootstrap_servers": address, "data_dir": self._disk(name)}
        )
        profile = self._profile
        # Small enough that a tick takes several transactions, between which a worker can die.
        slice_accounts = max(5, profile.accounts_made // profile.partitions // 4)
        return environment(settings) | {
            "COBRANZA_STREAM_SESSION_TIMEOUT_S": str(profile.session_s),
            "COBRANZA_STREAM_RECORDS_PER_RUN_MAX": str(profile.run_max),
            "COBRANZA_STREAM_SLICE_ACCOUNTS_MAX": str(slice_accounts),
        }


class _Consumed:
    """How much of the journal the ledger's group has committed."""

    def __init__(self, reader: LagReader, *, settings: Settings) -> None:
        self._reader = reader
        self._groups = {settings.group("ledger"): [settings.topic(JOURNAL)]}

    def lag(self) -> int:
        """Give the records that are still to be read, of all partitions."""
        return sum(one.lag for one in self._reader.read(self._groups))

    def share(self) -> float:
        """Give the share that was read, from 0 to 1."""
        lags = self._reader.read(self._groups)
        return 1.0 - sum(one.lag for one in lags) / sum(one.end for one in lags)


def _route(worker: str) -> str:
    return f"WIRE{worker.upper()}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it from the command line; 0 when nothing was lost or doubled."""
    profile, given = _chosen(arguments)
    # The load's and the judge's clients speak of every try to connect; brokers are away on purpose.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    folder = given or Path(tempfile.mkdtemp(prefix="cobranza-chaos-"))
    started = time.monotonic()

    def say(text: str) -> None:
        sys.stdout.write(f"{time.monotonic() - started:7.1f} s  {text}\n")
        sys.stdout.flush()

    say(f"{profile}")
    say(f"folder {folder}; the load lasts {profile.duration_s:.0f} s")
    verdict = run_chaos(profile, folder=folder, say=say)
    for problem in verdict.all_problems():
        say(f"PROBLEM {problem}")
    if verdict.is_good and given is None:
        shutil.rmtree(folder)
    elif not verdict.is_good:
        say(f"kept: {folder}")
    sys.stdout.write(verdict.line() + "\n")
    return 0 if verdict.is_good else 1


def _chosen(arguments: Sequence[str] | None) -> tuple[Profile, Path | None]:
    """Make a profile of the command line: one option per field."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where to work, kept; else a temporary folder")
    for field in dataclasses.fields(Profile):
        option = f"--{field.name.replace('_', '-')}"
        if isinstance(field.default, bool):
            parser.add_argument(option, type=int, choices=(0, 1), default=int(field.default))
        else:
            parser.add_argument(option, type=type(field.default), default=field.default)
    values = vars(parser.parse_args(arguments))
    folder = values.pop("folder")
    for field in dataclasses.fields(Profile):
        if isinstance(field.default, bool):
            values[field.name] = bool(values[field.name])
    return Profile(**values), folder


if __name__ == "__main__":
    sys.exit(main())

"""From an event to what comes of it, through the whole pipeline of real processes.

    publisher ─► broker ─► intake ─► journal ─► ledger ─► reminder on its topic   (seen by a reader)
                                  clock ─┘          └───► projector ─► row in SQLite (seen by polling)

Each event is an invoice of a new customer that was due yesterday, so the next tick decides a
reminder for it. The clock ticks every second here (15 s in production): the wait for the
tick is listed apart, as it is a setting and no work. A latency runs from when the event was
to be published at an even pace, whether or not the publisher was in time, to when it is seen.
Capacity is what the pipeline works off at once; then it is given 1 %, 50 % and 90 % of that.
Publisher, broker, pipeline and observers share the machine's cores.
"""

import argparse
import contextlib
import datetime
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import replace

from benchmarks.figures import Figure, save
from benchmarks.observers import (
    ROWS_POLL_S,
    SeenReminder,
    SeenRow,
    customer_of,
    watch_reminders,
    watch_rows,
)
from benchmarks.workload import COMPANY, PLAN, PROFILE
from infra.database.engine import open_engine
from infra.database.migrate import upgrade
from infra.kafka import consumers, topics
from infra.kafka.broker import LocalBroker
from infra.kafka.lag import LagReader
from infra.settings import Settings
from schemas.codec import TOPIC_OF_TYPE, encode, type_of
from schemas.commands import Command, SetLaw
from schemas.envelope import Envelope, to_headers
from schemas.events import BillingEvent, Contact, InvoiceIssued, PaymentReceived
from schemas.law import LawChoice, LawEdition, LawProfile

__all__ = ["ANY_TIME", "Pipeline", "main", "open_pipeline", "run_command"]

_TICK_EVERY_S = 1.0
_SHARES = (0.01, 0.5, 0.9)
_ROWS_LOOKED_FOR_PER_S = 100
_QUIET_RECORDS_MAX = 200  # of all groups together: the clock goes on, with a tick a partition and second
_READY_S_MAX, _DRAIN_S_MAX = 90.0, 120.0
_PROCESSES = (("worker", "intake"), ("worker", "ledger"), ("clock",), ("projector",))
# A law without hours or limits: the shipped ones would have a figure depend on the hour and weekday of its run.
ANY_TIME = SetLaw(
    company=COMPANY,
    occurred_at="2026-01-01",
    command="law-1",
    profiles=(
        LawProfile(
            id="any_time", editions=(LawEdition(start_on=datetime.date(2000, 1, 1), sources=("none",)),)
        ),
    ),
    choices=(LawChoice(profile="any_time"),),
)


class _Load(NamedTuple):
    """Some events and when each was to be published (epoch seconds)."""

    due_s: dict[int, float]
    looked_for: set[int]


class Pipeline:
    """All processes of an installation, and the eyes on it."""

    def __init__(self, settings: Settings, *, producer: Any, eyes: "Eyes", check: Callable[[], None]) -> None:
        self.settings, self._producer, self._eyes, self._check = settings, producer, eyes, check
        self._next = 0
        self._issued_on = datetime.datetime.now(datetime.UTC).date()

    def configure(self) -> None:
        """Publish company and plan, and wait until a first event has come through."""
        self.send(replace(PROFILE, decision_hour=0), id="profile-1")
        self.send(PLAN, id="plan-1")
        self.send(ANY_TIME, id="law-1")
        self._producer.flush()
        self.see(self.publish(1, rate=1.0), deadline_s=_READY_S_MAX)

    def publish(self, events: int, *, rate: float) -> _Load:
        """Publish events at an even pace (events/s; 0: at once)."""
        numbers = range(self._next, self._next + events)
        self._next += events
        every = max(1, round(rate / _ROWS_LOOKED_FOR_PER_S)) if rate else events - 1
        looked_for = {number for number in numbers if (number - numbers[0]) % every == 0}
        self._eyes.asked.put(sorted(looked_for))
        begun = time.time()
        due_s = {number: begun + (number - numbers[0]) / rate if rate else begun for number in numbers}
        for number in numbers:
            early_s = due_s[number] - time.time()
            if early_s > 0.002:
                time.sleep(early_s)
            self.send(self._invoice(number), id=f"e-{number}")
        self._producer.flush()
        return _Load(due_s, looked_for)

    def rest(self, *, deadline_s: float) -> None:
        """Wait until next to nothing of what was published is still to be read by anyone: a load begins on a quiet system."""
        deadline = time.monotonic() + deadline_s
        with LagReader(self.settings.brokers()) as lags:
            groups = lags.committed_topics(group_prefix=self.settings.group(""))
            while (behind := sum(each.lag for each in lags.read(groups))) > _QUIET_RECORDS_MAX:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{behind} records are still to be read")
                self._check()
                time.sleep(ROWS_POLL_S)

    def see(self, load: _Load, *, deadline_s: float) -> tuple[list[SeenReminder], list[SeenRow]]:
        """Wait until every reminder, and each row that is looked for, has been seen."""
        reminders: dict[int, SeenReminder] = {}
        rows: dict[int, SeenRow] = {}
        deadline = time.monotonic() + deadline_s
        while len(reminders) < len(load.due_s) or len(rows) < len(load.looked_for):
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"{len(reminders)} of {len(load.due_s)} reminders, {len(rows)} of {len(load.looked_for)} rows"
                )
            self._check()
            for reminder in self._eyes.reminders():
                reminders.setdefault(reminder.number, reminder)
            rows.update({row.number: row for row in self._eyes.rows()})
        return list(reminders.values()), list(rows.values())

    def _invoice(self, number: int) -> InvoiceIssued:
        return InvoiceIssued(
            company=COMPANY,
            customer=customer_of(number),
            occurred_at=self._issued_on.isoformat(),
            document=f"INV-{number:08d}",
            currency="USD",
            amount="120.50",
            due_date=self._issued_on - datetime.timedelta(days=1),
            contact=Contact(email="payables@customer.example", address=("High Street 1", "Anytown")),
        )

    def send(self, event: BillingEvent | Command, *, id: str) -> Any:  # noqa: A002 - the envelope's word
        """Publish a fact; the future that is given is done once the broker has it."""
        kind = type_of(event)
        key = event.customer if isinstance(event, InvoiceIssued | PaymentReceived) else COMPANY
        return self._producer.send(
            self.settings.topic(TOPIC_OF_TYPE[kind]),
            key=key.encode(),
            value=encode(event),
            headers=to_headers(Envelope(id=id, source="bench", type=kind)),
        )


class Eyes(NamedTuple):
    """The observers' queues."""

    asked: Any
    seen_reminders: Any
    seen_rows: Any

    def reminders(self) -> list[SeenReminder]:
        """Give what has been seen since the last call, waiting a moment."""
        time.sleep(ROWS_POLL_S)
        return _taken(self.seen_reminders)

    def rows(self) -> list[SeenRow]:
        """Give what has been seen since the last call."""
        return _taken(self.seen_rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print capacity, and latencies at shares of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--burst", type=int, default=40_000, help="events that capacity is measured with")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each load")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args(arguments)
    with open_pipeline() as pipeline:
        load = pipeline.publish(chosen.burst, rate=0)
        begun = min(load.due_s.values())
        reminders, rows = pipeline.see(load, deadline_s=_DRAIN_S_MAX)
        done = max(*(each.at_s for each in reminders), *(each.at_s for each in rows))
        capacity = chosen.burst / (done - begun)
        figures = [
            Figure(
                name="whole pipeline, each event a reminder and rows in SQL",
                unit="events/s",
                values=[capacity],
                note=f"{chosen.burst:,} events at once; publisher and observers on the same cores",
            )
        ]
        for share in _SHARES:
            rate = capacity * share
            # Who has seen all its rows is not done: those of the reminders come after them.
            pipeline.rest(deadline_s=_DRAIN_S_MAX)
            load = pipeline.publish(max(20, round(rate * chosen.seconds)), rate=rate)
            reminders, rows = pipeline.see(load, deadline_s=_DRAIN_S_MAX)
            figures += _latencies(load, reminders, rows, label=f"at {share:.0%} of it ({rate:,.0f} events/s)")
    save(figures, file=chosen.json)


def _latencies(
    load: _Load, reminders: list[SeenReminder], rows: list[SeenRow], *, label: str
) -> list[Figure]:
    due_s = load.due_s
    of_tick = [max(0.0, each.tick_s - due_s[each.number]) for each in reminders]
    to_reminder = [each.at_s - due_s[each.number] for each in reminders]
    beyond = [each.at_s - max(each.tick_s, due_s[each.number]) for each in reminders]
    to_row = [each.at_s - due_s[each.number] for each in rows]
    return [
        *_percentiles(f"event to row in SQL {label}", to_row, budget=1_000 if "1%" in label else 0),
        *_percentiles(f"event to reminder on its topic {label}", to_reminder),
        *_percentiles(f"… of it waiting for the tick {label}", of_tick),
        *_percentiles(f"… of it work, from event or tick to reminder {label}", beyond),
    ]


def _percentiles(name: str, seconds: list[float], *, budget: float = 0) -> list[Figure]:
    cuts = statistics.quantiles(seconds, n=100)
    note = f"{len(seconds):,} events"
    return [
        Figure(name=f"{name}, p50", unit="ms", values=[cuts[49] * 1_000], note=note),
        Figure(
            name=f"{name}, p99", unit="ms", values=[cuts[98] * 1_000], budget=budget, at_most=True, note=note
        ),
    ]


@contextlib.contextmanager
def open_pipeline() -> Iterator[Pipeline]:
    """Start everything, and stop it in order."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cobranza-bench-")))
        broker = stack.enter_context(LocalBroker(folder / "kafka", heap="1g"))
        settings = Settings(bootstrap_servers=broker.bootstrap_servers, data_dir=folder)
        topics.apply(settings)
        engine = open_engine(settings.database)
        upgrade(engine)
        engine.dispose()
        processes = [stack.enter_context(run_command(words, settings)) for words in _PROCESSES]

        def check() -> None:
            ended = [
                words for words, each in zip(_PROCESSES, processes, strict=True) if each.poll() is not None
            ]
            if ended:
                text = (folder / f"{'-'.join(ended[0])}.log").read_text()[-1_500:]
                raise RuntimeError(f"{ended} ended:\n{text}")

        eyes = stack.enter_context(_open_eyes(settings))
        producer = stack.enter_context(consumers.producer(bootstrap_servers=settings.brokers(), linger_ms=1))
        pipeline = Pipeline(settings, producer=producer, eyes=eyes, check=check)
        pipeline.configure()
        yield pipeline


@contextlib.contextmanager
def run_command(words: tuple[str, ...], settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        **os.environ,
        "COBRANZA_BOOTSTRAP_SERVERS": settings.brokers(),
        "COBRANZA_DATA_DIR": str(settings.data_dir),
        "COBRANZA_STREAM_TICK_EVERY_S": str(_TICK_EVERY_S),
    }
    with (settings.data_dir / f"{'-'.join(words)}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "console", *words], env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def _open_eyes(settings: Settings) -> Iterator[Eyes]:
    context = get_context("spawn")
    stop = context.Event()
    eyes = Eyes(context.Queue(), context.Queue(), context.Queue())
    reminders = (settings.brokers(), settings.topic("collections.reminder.v1"), eyes.seen_reminders, stop)
    rows = (settings.database, COMPANY, eyes.asked, eyes.seen_rows, stop)
    watching = [
        context.Process(target=watch_reminders, args=reminders),
        context.Process(target=watch_rows, args=rows),
    ]
    for one in watching:
        one.start()
    try:
        yield eyes
    finally:
        stop.set()
        _taken(eyes.seen_reminders)  # a process does not end before its queue is read
        _taken(eyes.seen_rows)
        for one in watching:
            one.join(10)
            if one.is_alive():
                one.kill()


def _taken(queue: Any) -> list[Any]:
    found: list[Any] = []
    while not queue.empty():
        found += queue.get()
    return found


if __name__ == "__main__":
    main()

"""The sending loop as a process that is killed between any two of its steps, and what may be left of it.

A step is what outlives a process: a commit in SQL, a call of the provider, a record in the log, an
offset. They are counted as the loop does them, so that one which is added to it is one more to die
at; between two of them all lines of the loop are the same moment to those who come after. Time goes by
the loop's rounds, so that every run takes the same steps, on any machine.
"""

import ast
import datetime
import logging
import multiprocessing
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path
from types import FrameType
from typing import Any, Final

import msgspec
import structlog
from kafka import TopicPartition
from sqlalchemy import Connection, event, select

from infra.database import (
    engine as engine_,
)
from infra.database import (
    feedback,
    rates,
    send_conditions,
    send_days,
    send_doubts,
    send_ledger,
    send_moves,
    send_waits,
    suppressions,
)
from infra.database.engine import WRITING, open_engine, reading
from infra.database.presence import is_gone, present
from infra.database.queries import causes, contacts
from infra.database.send_doubts import Doubts, Note, notes_of
from infra.database.send_ledger import SendLedger
from infra.database.send_tables import send_jobs
from infra.database.send_values import Claim, Ending
from notifiers import (
    carrying,
    commits,
    dispatch,
    doubt,
    faults,
    following,
    noting,
    outages,
    outcomes,
    patience,
    worker,
)
from notifiers import reading as reading_
from notifiers.assembly import utc_now
from notifiers.dispatch import Dispatcher, Manner
from notifiers.feedback import publishing
from notifiers.feedback import suppressing as suppressing_
from notifiers.feedback.suppressing import sparing, suppressing
from notifiers.gates import caps, gate, law, rate
from notifiers.gates.gate import all_pass
from notifiers.outcomes import OutcomePublisher
from notifiers.reading import PutAside, aside_tally
from notifiers.worker import Worker
from schemas.facts import ReminderDecided
from tests.notifiers import stand_ins
from tests.notifiers.dying_limited import (
    MERGED,
    STILL,
    STRICT,
    Post,
    gates,
    judge_words,
    prepare_words,
    reminders_limited,
    tomorrow,
)
from tests.notifiers.sending import RENDERER, know, merge, read, reminder
from tests.notifiers.stand_ins import (
    FeedbackWriter,
    Kind,
    PaperGate,
    PaperProvider,
    PaperReader,
    PaperTracer,
    PaperWriter,
)

__all__ = ["LOOP", "Met", "Outlook", "functions_of", "judge", "prepare", "run"]

LOOP: Final = (
    *(
        worker,
        commits,
        patience,
        dispatch,
        carrying,
        noting,
        doubt,
        outcomes,
        outages,
        faults,
        reading_,
        following,
        gate,
        law,
        caps,
        rate,
        suppressing_,
    ),
    *(
        publishing,
        engine_,
        contacts,
        causes,
        send_ledger,
        send_doubts,
        send_conditions,
        send_moves,
        send_waits,
        send_days,
        rates,
        suppressions,
        feedback,
    ),
)
_FILES: Final = {str(module.__file__): Path(str(module.__file__)).name for module in LOOP}
# Where it may die: also within a call of its provider, between the question and the taking.
_MORTAL: Final = {*_FILES, str(stand_ins.__file__)}
_ROUND_S: Final = 0.002  # more than any wait of these runs
_SUCCESSION_S: Final = 2.0  # a successor begins later than its predecessor can have come to
_ROUNDS_MAX: Final = 400
_STILL: Final = 2
_TOPIC: Final = "reminders"
_UNREADABLE_AT: Final = 3  # among the reminders: a record that is none
_MANNER: Final = Manner(doubt="hold", attempts_max=5, retry_s_first=0.001, retry_s_max=0.001)
# What is done in SQL while a message is taken: the account of the next one changes (R32).
_OVERTAKES: Final = "a2"
# What a worker before us has left: waited for days, claimed, being sent, in doubt.
_LEFT: Final = ("old", "left-claimed", "left-sending", "deaf")


class Met(msgspec.Struct, frozen=True, kw_only=True):
    """What a run went through: how many steps, and the lines of each file of the loop."""

    steps: int
    lines: dict[str, list[int]]


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """Where one run happens, and what its provider can do."""

    folder: Path
    database: str
    kind: Kind


def reminders(kind: Kind) -> list[ReminderDecided]:
    """Give the reminders of a run; a name says what will become of it."""
    names = ("a1", "a2", "busy", "refused", "doubt", "never", "gated", "broken", "down", "a3")
    return [
        *(reminder(name) for name in names[:2]),
        reminder("b-overtaken", account="acme:C3"),
        *(reminder(name) for name in names[2:]),
        reminder("paid", account="acme:C2"),
        reminder("unwritable", template="fourth"),
        *(reminders_limited() if kind == "limited" else ()),
    ]


def prepare(outlook: Outlook) -> None:
    """Make the read model, and what a worker before us has left: one job of each kind that is held."""
    engine = open_engine(outlook.database)
    know(engine)
    know(engine, account="acme:C2", version=6)
    know(engine, account="acme:C3")
    ledger = _ledger(engine, owner="predecessor")
    dispatcher = _dispatcher(outlook, engine=engine, ledger=ledger)
    dispatcher.record([read(reminder(name)) for name in _LEFT])
    now = utc_now()
    claims = [
        Claim(
            reminder=name,
            occurred_at="t",
            recipient="zoe@customer.example",
            provider="paper",
            endpoint="a file",
        )
        for name in _LEFT
    ]
    ledger.claim(claims, now=now)
    ledger.put_back(
        "old",
        retry_at=None,
        detail="451 later",
        waits_since=now - datetime.timedelta(days=_MANNER.wait_days_max),
        give_up_at=now,
    )
    ledger.intend(claims[2:], now=now)
    ledger.finish(
        [
            Ending(
                reminder="deaf",
                status="unknown",
                occurred_at=now.isoformat(),
                error_type="interrupted",
                detail="nobody knows",
                recipient="zoe@customer.example",
                ask_at=now if outlook.kind in ("tracing", "repeatable") else None,
            )
        ]
    )
    word = Note(at=now, author="predecessor", what="interrupted", detail="was there")
    Doubts(engine, channel="email").note("deaf", word)
    if outlook.kind == "limited":
        prepare_words(engine, now=now)
        know(engine, account=MERGED)
        know(engine, account=STRICT)
        merge(engine, MERGED, into="C1")
    engine.dispose()


def run(outlook: Outlook, *, dies_after: int | None = None, keeps_lines: bool = False) -> int:
    """Run the loop in a process of its own until nothing is left to do; return its exit code.

    Args:
        outlook: where. Its folder gets what was met (`met`), and where the process died (`died`).
        dies_after: so many steps, from 0; then it is killed at the next line of the loop.
        keeps_lines: those that are met, too; to follow them takes several times as long as the run.
    """
    process = _context().Process(target=_work, args=(outlook, dies_after, keeps_lines))
    process.start()
    process.join(timeout=200)
    assert process.exitcode is not None, f"it does not end: {dies_after}"
    return process.exitcode


def judge(outlook: Outlook) -> Iterator[str]:
    """Say what is wrong after the last run: lost, doubled, stuck, without evidence, or said otherwise than it is."""
    book = Counter((outlook.folder / "provider").read_text().splitlines())
    said = Counter((outlook.folder / "outcomes").read_text().splitlines())
    engine = open_engine(outlook.database)
    with reading(engine) as connection:
        jobs = connection.execute(select(send_jobs)).all()
        notes = {job.reminder: notes_of(connection, reminder=job.reminder, channel="email") for job in jobs}
    words = list(judge_words(engine, folder=outlook.folder)) if outlook.kind == "limited" else []
    engine.dispose()
    yield from words
    if not (outlook.folder / "aside").exists():
        yield "LOST: the record that is no reminder has no dead letter"
    expected = {each.id for each in reminders(outlook.kind)} | {*_LEFT}
    yield from (f"LOST: {name} has no job" for name in expected - {job.reminder for job in jobs})
    for job in jobs:
        taken = book[f"took {job.reminder}"]
        if taken > 1:
            yield f"DOUBLED: {job.reminder} was taken {taken} times"
        if job.state == "accepted" and taken != 1:
            yield f"{job.reminder} is accepted, and was taken {taken} times"
        if job.state in ("failed", "superseded") and taken:
            yield f"{job.reminder} is {job.state}, and was taken"
        if job.state == "unknown":
            lacks = [name for name in ("provider", "recipient", "detail") if not getattr(job, name)]
            if lacks or job.intended_at is None or not notes[job.reminder]:
                yield f"{job.reminder} is unknown without evidence: {lacks}, {notes[job.reminder]}"
        if job.state in ("scheduled", "claimed", "sending") or not job.published:
            yield f"STUCK: {job.reminder} is {job.state}, published {job.published}"
        if not said[f"{job.reminder}/email/{job.state}"]:
            yield f"UNSAID: {job.reminder} is {job.state}; said was {sorted(said)}"
    yield from _said_otherwise(said, jobs=jobs)


def functions_of(path: Path) -> dict[str, range]:
    """Give the functions of a file, each with the lines of its body (its first line left out)."""
    tree = ast.parse(path.read_text())
    return {
        node.name: range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    }


def _said_otherwise(said: Counter[str], *, jobs: Any) -> Iterator[str]:
    """What was said of a job is its end, and before that only that it was unknown."""
    states = {job.reminder: job.state for job in jobs}
    for line in said:
        name, _, status = line.split("/")
        if status not in (states.get(name), "unknown"):
            yield f"{name} was said to be {status}, and is {states.get(name)}"


def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _work(outlook: Outlook, dies_after: int | None, keeps_lines: bool) -> None:
    """Be the worker."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    engine = open_engine(outlook.database)
    tracer = _Tracer(outlook.folder, dies_after=dies_after)
    event.listen(engine, "commit", tracer.committed)
    stand_ins.told_of_steps(tracer.step)
    if keeps_lines or dies_after == 0:
        sys.settrace(tracer.call)
    try:
        _loop(outlook, engine=engine, tracer=tracer)
    finally:
        sys.settrace(None)
    lines = {name: sorted(found) for name, found in tracer.lines.items()}
    met = Met(steps=tracer.steps, lines=lines)
    (outlook.folder / "met").write_bytes(msgspec.json.encode(met))
    engine.dispose()


def _loop(outlook: Outlook, *, engine: Any, tracer: "_Tracer") -> None:
    owner = f"worker-{os.getpid()}"
    ledger = _ledger(engine, owner=owner)
    succeeds = (outlook.folder / "died").exists()
    rounds = _Rounds(utc_now() + datetime.timedelta(seconds=_SUCCESSION_S * succeeds))
    vars(worker)["time"] = rounds
    values = [msgspec.json.encode(each) for each in reminders(outlook.kind)]
    values.insert(_UNREADABLE_AT, b"{")
    reader: Any = PaperReader(values, topic=_TOPIC, offset=outlook.folder / "offset")
    writer: Any = PaperWriter(outlook.folder / "outcomes")
    with present(engine, owner=owner) as still_present:
        working = Worker(
            reader=reader,
            source=_TOPIC,
            outcomes=OutcomePublisher(writer, target="outcomes", ledger=ledger),
            ledger=ledger,
            dispatcher=_dispatcher(outlook, engine=engine, ledger=ledger, clock=rounds),
            aside=PutAside(
                FeedbackWriter(outlook.folder / "aside"),
                channel="email",
                source=_TOPIC,
                target="letters",
                tally=aside_tally(["email"], source=_TOPIC),
            ),
            still_present=still_present,
        )
        working.assigned([TopicPartition(_TOPIC, 0)])
        post = None
        if outlook.kind == "limited":
            post = Post(engine, folder=outlook.folder, passed=lambda: rounds.passed, succeeds=succeeds)
        still, days = 0, 0
        for _ in range(_ROUNDS_MAX):
            before = tracer.steps
            rounds.passed += 1
            working.step()
            if post is not None:
                post.step()
            still = still + 1 if tracer.steps == before else 0
            if still <= (STILL if days else _STILL):
                continue
            if post is not None and not days:
                still, days = 0, 1
                post.lose_patience()
                tomorrow(engine)
            elif not ledger.backlog(partitions=[0]).scheduled:
                return


def _ledger(engine: Any, *, owner: str) -> SendLedger:
    return SendLedger(engine, channel="email", owner=owner, reader_age_s_max=60.0)


def _dispatcher(
    outlook: Outlook, *, engine: Any, ledger: SendLedger, clock: Callable[[], datetime.datetime] = utc_now
) -> Dispatcher:
    book = outlook.folder / "provider"
    when_taking = {_OVERTAKES: lambda: know(engine, account="acme:C3", version=6)}
    if outlook.kind in ("mute", "limited"):
        channel = PaperProvider(book, when_taking=when_taking)
    else:
        channel = PaperTracer(book, when_taking=when_taking, repeatable=outlook.kind == "repeatable")
    return Dispatcher(
        ledger=ledger,
        channel=channel,
        render=sparing(RENDERER.message, engine=engine) if outlook.kind == "limited" else RENDERER.message,
        manner=_MANNER,
        clock=clock,
        jitter=lambda: 0.0,
        is_gone=lambda job: is_gone(engine, owner=job.owner, since=job.intended_at or job.held_since),
        gates=[PaperGate(), *(gates(engine) if outlook.kind == "limited" else ())],
        screen=suppressing(engine) if outlook.kind == "limited" else all_pass,
    )


class _Rounds:
    """A clock that stands still within a round of the loop, for instants and for waits."""

    def __init__(self, began_at: datetime.datetime) -> None:
        self.passed = 0
        self._began_at = began_at

    def __call__(self) -> datetime.datetime:
        """Read the wall clock."""
        return self._began_at + datetime.timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Read the clock of waits."""
        return self.passed * _ROUND_S


class _Tracer:
    """Counts steps and keeps the lines of the loop's files; after the ordered step it dies at the next line."""

    def __init__(self, folder: Path, *, dies_after: int | None) -> None:
        self.steps = 0
        self.lines: dict[str, set[int]] = {name: set() for name in _FILES.values()}
        self._folder = folder
        self._dies_after = dies_after

    def committed(self, connection: Connection) -> None:
        """Note the commit of what was written; reading ends with a commit as well."""
        if WRITING in connection.get_execution_options():
            self.step()

    def step(self) -> None:
        """Note that something was done that outlives the process."""
        self.steps += 1
        if self.steps == self._dies_after:
            self._follow()

    def _follow(self) -> None:
        """Follow the loop from here on, in the frames that are there already as well."""
        sys.settrace(self.call)
        frame: FrameType | None = sys._getframe()
        while frame is not None:
            if frame.f_code.co_filename in _MORTAL:
                frame.f_trace = self.line
            frame = frame.f_back

    def call(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        """Follow calls into the loop's and the stand-ins' files only."""
        return self.line if frame.f_code.co_filename in _MORTAL else None

    def line(self, frame: FrameType, what: str, _argument: Any) -> Any:
        """Keep a line, or die at it."""
        if what == "line":
            name = Path(frame.f_code.co_filename).name
            self.lines.setdefault(name, set()).add(frame.f_lineno)
            if self.steps == self._dies_after:
                (self._folder / "died").write_text(f"{name}:{frame.f_lineno}")
                os.kill(os.getpid(), signal.SIGKILL)
        return self.line

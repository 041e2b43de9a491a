"""Notifiers under fire: killed at random moments and at every point of their loop, frozen and woken.

    python -m tests.chaos.senders --reminders 10000 --kills 200 [--seed 1] [--zombies 4] [--email smtp|ses]

Real Kafka, real processes, providers on this machine that count what they take. The last line is
the verdict; it exits with 1 unless each reminder was taken once, or is unknown with its evidence.
"""

import argparse
import contextlib
import datetime
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Final, Self, get_args

import msgspec
from sqlalchemy import ColumnElement, Engine, func, select

from infra.database.engine import open_engine, reading
from infra.database.migrate import upgrade
from infra.database.send_tables import send_jobs
from infra.kafka.broker import LocalBroker
from infra.kafka.consumers import admin, producer
from infra.settings import Settings
from schemas.events import Contact
from schemas.facts import ReminderDecided
from schemas.fields import Channel as ChannelName
from tests.brokers import WATCHFUL
from tests.chaos.sender import ORDER_NONE, POINTS, Control, reason_file, sender
from tests.chaos.sendings_judged import Delivery, evidence_of, judge
from tests.chaos.stand_ins import StandIns
from tests.chaos.verdict import not_done
from tests.notifiers.sending import know, reminder

__all__ = ["Plan", "Verdict", "run_senders"]

_TOPICS: Final = ("collections.reminder.v1", "notify.outcome.v1")
_PARTITIONS: Final = 4
_ACCOUNTS: Final = 200
_MEMBERS: Final = ("a", "b")
# Of a hundred reminders so many go by each channel; letters are written by a press, which takes long.
_SHARES: Final[dict[ChannelName, int]] = {"email": 50, "sms": 30, "letter": 10, "task": 10}
_FROZEN_S: Final = 9.0
_POINT_S_MAX: Final = 6.0
_BACK_S_MAX: Final = 8.0
_QUIET_S_MAX: Final = 600.0
_POLL_S: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is done: ``paid`` accounts change while their reminders are on the way (R32)."""

    seed: int = 1
    reminders: int = 10_000
    kills: int = 200
    zombies: int = 4
    paid: int = 10
    email: str = "smtp"
    database: str = ""


@dataclass(slots=True, kw_only=True)
class Verdict:
    """What became of it; good when there are no problems."""

    done: Counter[str] = field(default_factory=Counter)
    deliveries: Counter[str] = field(default_factory=Counter)
    met: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    calls: int = 0
    duration_s: float = 0.0

    def line(self) -> str:
        """Say it all in one line."""
        states: Counter[str] = Counter()
        for name, count in self.deliveries.items():
            states[name.partition(" ")[2]] += count
        done = "".join(f", {count:,} {what}" for what, count in sorted(self.done.items()))
        ends = ", ".join(f"{count:,} {state}" for state, count in sorted(states.items()))
        lost = sum(each.startswith("LOST") for each in self.problems)
        doubled = sum(each.startswith("DOUBLED") for each in self.problems)
        return (
            f"verdict: {'BAD' if self.problems else 'ok'}, {sum(states.values()):,} reminders{done}: {ends}; "
            f"{self.calls:,} taken by providers, {lost} lost, {doubled} taken twice, {len(self.problems)} problems"
        )


def run_senders(plan: Plan, *, folder: Path, say: Callable[[str], None] = lambda _: None) -> Verdict:
    """Do it, in a folder of its own."""
    verdict = Verdict()
    started_s = time.monotonic()
    with LocalBroker(folder / "kafka", properties=WATCHFUL) as broker, StandIns(seed=plan.seed) as stand_ins:
        settings = Settings(
            bootstrap_servers=broker.start(),
            topic_prefix="chaos.",
            partitions=_PARTITIONS,
            data_dir=folder,
            database_url=plan.database,
        )
        engine = _prepared(settings)
        decided = list(_decided(plan))
        environment = stand_ins.environment(email_by=plan.email) | {
            f"COBRANZA_{name.upper()}": str(value) for name, value in settings if value is not None
        }
        with _Fleet(environment, folder=folder) as fleet, _Source(settings, decided, plan=plan) as source:
            mischief = _Mischief(plan, fleet=fleet, source=source, engine=engine, verdict=verdict, say=say)
            mischief.do()
            verdict.problems += _await_quiet(
                engine, expected=len(decided), say=say, meanwhile=mischief.revive
            )
            verdict.met = fleet.met()
        expected: set[Delivery] = {(each.deliveries[0].channel, each.id) for each in decided}
        verdict.deliveries, problems = judge(
            settings, engine=engine, expected=expected, taken=stand_ins.taken
        )
        verdict.problems += problems
        verdict.calls = sum(stand_ins.taken.values())
        engine.dispose()
    verdict.duration_s = time.monotonic() - started_s
    return verdict


def _prepared(settings: Settings) -> Engine:
    with admin(bootstrap_servers=settings.brokers()) as client:
        wanted = {"num_partitions": _PARTITIONS, "replication_factor": 1}
        client.create_topics({settings.topic(name): wanted for name in _TOPICS}, wait_for_metadata=True)
    engine = open_engine(settings.database)
    upgrade(engine)
    for number in range(_ACCOUNTS):
        know(engine, account=f"acme:C{number}", partition=number % _PARTITIONS)
    return engine


def _decided(plan: Plan) -> Iterator[ReminderDecided]:
    """Make the reminders: each by one channel, to a number and a street of its own."""
    channels = [name for name, share in _SHARES.items() for _ in range(share)]
    random.Random(plan.seed).shuffle(channels)  # noqa: S311
    for number in range(plan.reminders):
        contact = Contact(
            name="Zoë Ñandú",
            email=f"c{number}@customer.example",
            phone=f"+346{number:08}",
            address=(f"Calle {number}", "28001 Madrid"),
        )
        yield reminder(
            f"r{number}",
            account=f"acme:C{number % _ACCOUNTS}",
            channels=(channels[number % len(channels)],),
            contact=contact,
        )


class _Source:
    """Publishes the reminders slice by slice, so that there is work at each kill; one in twenty comes twice. A context."""

    def __init__(self, settings: Settings, decided: Sequence[ReminderDecided], *, plan: Plan) -> None:
        self._topic = settings.topic(_TOPICS[0])
        self._writer = producer(bootstrap_servers=settings.brokers(), linger_ms=5)
        self._decided = decided
        self._kills = plan.kills
        self._chance = random.Random(plan.seed)  # noqa: S311 - what comes twice, no secret
        self._at = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def publish(self, number: int) -> None:
        """Publish what is due at a kill, counted from 0; with the last one, all that is left."""
        end = len(self._decided) * (number + 1) // self._kills
        new = self._decided[self._at : end]
        again = self._chance.sample(self._decided[:end], k=len(new) // 20)
        self._at = end
        for each in (*new, *again):
            self._writer.send(
                self._topic,
                msgspec.json.encode(each),
                key=each.account.encode(),
                partition=int(each.account.rpartition("C")[2]) % _PARTITIONS,
            )
        self._writer.flush()


class _Fleet:
    """Two notifiers of all channels, each a process that is started again under its name; a context."""

    def __init__(self, environment: dict[str, str], *, folder: Path) -> None:
        self._environment, self._folder = environment, folder
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.chaos.sender"])
        self.controls: dict[str, Control] = {
            name: self._context.Array("q", [0] * len(POINTS) + [ORDER_NONE]) for name in _MEMBERS
        }
        self._running: dict[str, ForkServerProcess] = {}

    def __enter__(self) -> Self:
        for name in _MEMBERS:
            self.start(name)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running.values():
            process.kill()
            process.join()

    def start(self, name: str) -> None:
        """Start one, also in place of one that has ended."""
        self.controls[name].get_obj()[len(POINTS)] = ORDER_NONE
        self._running[name] = self._context.Process(
            target=sender,
            args=(self._environment,),
            kwargs={"member": name, "channels": get_args(ChannelName), "control": self.controls[name]},
            daemon=True,
        )
        self._running[name].start()

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        pid = self._running[name].pid
        if pid is not None and self._running[name].exitcode is None:
            os.kill(pid, number)

    def order(self, name: str, point: int) -> None:
        """Have it die at its next passage of a point."""
        self.controls[name].get_obj()[len(POINTS)] = point

    def ended(self, name: str) -> int | None:
        """Give its exit code, once it has ended."""
        return self._running[name].exitcode

    def reason(self, name: str) -> str:
        """Take what it said when it gave up."""
        file = reason_file(self._folder, member=name)
        if not file.exists():
            return "without a word"
        said = file.read_text()
        file.unlink()
        return said

    def passed(self, name: str) -> int:
        """Count the calls of providers that it has come back from."""
        return int(self.controls[name].get_obj()[POINTS.index("after Channel.send")])

    def met(self) -> set[str]:
        """Give the points that were passed by any."""
        return {
            point
            for number, point in enumerate(POINTS)
            if any(control.get_obj()[number] for control in self.controls.values())
        }


class _Mischief:
    """Kills and freezes, spread over the work."""

    def __init__(
        self,
        plan: Plan,
        *,
        fleet: _Fleet,
        source: _Source,
        engine: Engine,
        verdict: Verdict,
        say: Callable[[str], None],
    ) -> None:
        self._plan = plan
        self._fleet = fleet
        self._source = source
        self._engine = engine
        self._verdict = verdict
        self._say = say
        self._chance = random.Random(plan.seed * 7 + 1)  # noqa: S311 - moments, no secret
        self._died_at: Counter[int] = Counter()

    def do(self) -> None:
        """Do all of it."""
        zombies = set(self._chance.sample(range(self._plan.kills), k=self._plan.zombies))
        paid = iter(range(self._plan.paid))
        every = max(1, self._plan.kills // max(1, self._plan.paid))
        for number in range(self._plan.kills):
            name = self._chance.choice(_MEMBERS)
            self.revive()
            if number % every == 0 and (account := next(paid, None)) is not None:
                know(self._engine, account=f"acme:C{account}", partition=account % _PARTITIONS, version=6)
                self._verdict.done["accounts paid"] += 1
            freezing = number in zombies
            at_a_point = number % 2 == 0 and not freezing
            killed = self._kill(name, number, at_a_point=at_a_point, freezing=freezing)
            if not killed:  # it had ended of itself: whoever is started in its place is killed
                self.revive()
                self._kill(name, number, at_a_point=False, freezing=False)
            self._fleet.start(name)
            if number % 20 == 0:
                self._say(f"{number + 1} kills, {_ended(self._engine)} reminders ended")
        done = self._verdict.done
        kills = done["kill -9 at a point"] + done["kill -9 at a moment"]
        asked = {"kills": self._plan.kills, "zombies": self._plan.zombies, "accounts paid": self._plan.paid}
        self._verdict.problems += not_done(asked, done={**done, "kills": kills})

    def _kill(self, name: str, number: int, *, at_a_point: bool, freezing: bool) -> bool:
        before = self._fleet.passed(name)
        if at_a_point:
            self._fleet.order(name, self._point_for(name))
        self._source.publish(number)
        if freezing:
            self._await_call(name, before=before)
            self._freeze(name)
        if at_a_point and _until(lambda: self._fleet.ended(name) is not None, s_max=_POINT_S_MAX):
            return self._note_kill(name, "kill -9 at a point")
        self._await_call(name, before=before)
        time.sleep(self._chance.random() * 0.4)
        self._fleet.signal(name, signal.SIGKILL)
        _until(lambda: self._fleet.ended(name) is not None, s_max=60.0)
        return self._note_kill(name, "kill -9 at a moment")

    def _note_kill(self, name: str, what: str) -> bool:
        """Count it, if it died of it."""
        died = self._fleet.ended(name) == -signal.SIGKILL
        self._verdict.done[what] += died
        return died

    def _await_call(self, name: str, *, before: int) -> None:
        """Wait until a provider has answered it, which shows that it is at work; not for ever."""
        _until(
            lambda: self._fleet.passed(name) > before or self._fleet.ended(name) is not None,
            s_max=_BACK_S_MAX,
        )

    def _point_for(self, name: str) -> int:
        """Choose, of the points that it has passed, one where fewest have died."""
        passed = self._fleet.controls[name].get_obj()
        met = [number for number in range(len(POINTS)) if passed[number]] or [0]
        self._chance.shuffle(met)
        point = min(met, key=lambda number: self._died_at[number])
        self._died_at[point] += 1
        return point

    def _freeze(self, name: str) -> None:
        self._fleet.signal(name, signal.SIGSTOP)
        time.sleep(_FROZEN_S)
        self._fleet.signal(name, signal.SIGCONT)
        self._verdict.done["zombies"] += 1
        time.sleep(1.0)

    def revive(self) -> None:
        """Start what ended of itself again, as its supervisor would."""
        for name in _MEMBERS:
            code = self._fleet.ended(name)
            if code is not None:
                why = self._fleet.reason(name)
                self._verdict.done[f"gave up ({why.partition(':')[0]}) and started again"] += 1
                self._say(f"{name} ended of itself, exit code {code}: {why}")
                self._fleet.start(name)


def _await_quiet(
    engine: Engine, *, expected: int, say: Callable[[str], None], meanwhile: Callable[[], None]
) -> list[str]:
    """Wait until every delivery has ended and been said, and no provider is asked about any more.

    Providers here answer when they are asked, and their answer ends each doubt: what is asked about without an
    end is wrong, and is given with its evidence.
    """
    is_doubt = (send_jobs.c.state == "unknown") & send_jobs.c.ask_at.is_not(None)
    is_open = send_jobs.c.state.in_(("scheduled", "claimed", "sending")) | send_jobs.c.published.is_(False)
    began_s = told_s = time.monotonic()
    while time.monotonic() - began_s < _QUIET_S_MAX:
        meanwhile()
        left, ended = _count(engine, is_open | is_doubt), _ended(engine)
        if not left and ended >= expected:
            return []
        if time.monotonic() - told_s > 20.0:
            told_s = time.monotonic()
            say(f"{ended} of {expected} ended, {left} still open or asked about")
        time.sleep(0.2)
    return ["it does not come to rest", *evidence_of(engine, is_open | is_doubt)]


def _count(engine: Engine, condition: ColumnElement[bool]) -> int:
    with reading(engine) as connection:
        return int(
            connection.execute(select(func.count()).select_from(send_jobs).where(condition)).scalar_one()
        )


def _ended(engine: Engine) -> int:
    return _count(engine, send_jobs.c.state.in_(("accepted", "failed", "superseded", "unknown")))


def _until(condition: Callable[[], bool], *, s_max: float) -> bool:
    deadline_s = time.monotonic() + s_max
    while time.monotonic() < deadline_s:
        if condition():
            return True
        time.sleep(_POLL_S)
    return False


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name, value in (("seed", 1), ("reminders", 10_000), ("kills", 200), ("zombies", 4), ("paid", 10)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--email", choices=["smtp", "ses"], default="smtp")
    parser.add_argument("--database", default="", help="a URL; by default SQLite in the run's folder")
    plan = Plan(**vars(parser.parse_args(arguments)))
    since = datetime.datetime.now(datetime.UTC)
    with tempfile.TemporaryDirectory(prefix="cobranza-senders-", ignore_cleanup_errors=True) as directory:
        verdict = run_senders(plan, folder=Path(directory), say=_say)
    write = sys.stdout.write
    write("".join(f"  {count:>6}  {what}\n" for what, count in sorted(verdict.deliveries.items())))
    write(
        f"{len(verdict.met)} of {len(POINTS)} points were passed; {verdict.duration_s:.0f} s from {since:%H:%M}\n"
    )
    write("".join(f"PROBLEM {each}\n" for each in verdict.problems[:50]))
    write(verdict.line() + "\n")
    return 1 if verdict.problems else 0


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())

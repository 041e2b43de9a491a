"""Kills workers, notifier and projector (-9) at random moments of a play, then asks whether anything was lost or doubled.

    python -m tests.chaos.kill_during_play --days 365 --kills 10 [--seed 1]

The facts are the demo's year. At the end the rows and facts in the topics must
equal a replay of the journal, every due step must be accounted for, and every
delivery must have been carried once.
"""

import argparse
import datetime
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from sqlalchemy import func, select

from console.demo.companies import COMPANIES
from console.demo.year import FIRST_DAY, profiles, year
from console.installation import await_ready, prepare, running
from console.logs import journal, read_log, replayed_ledger, written_ledger
from console.player import open_play
from console.playing import Day, play, schedule
from console.quiet import groups_of
from console.replaying import differences
from console.supervisor import Supervisor
from infra.database.engine import open_engine, reading
from infra.database.send_tables import send_jobs
from infra.settings import Settings
from processors.audit import audit_journal
from processors.calendar import zone_of
from schemas.codec import decode_source
from schemas.envelope import from_headers
from schemas.outcomes import OutcomeReported

__all__ = ["Verdict", "kill_during_play"]

VICTIMS = ("ledger", "notifier", "projector", "intake")
# Within this time of a day's beginning its facts, tick, deliveries and outcomes are under way.
_MOMENT_S_MAX = 0.4


@dataclass(slots=True, kw_only=True)
class Verdict:
    """What became of it: ``problems`` is empty when nothing was lost or doubled."""

    kills: list[str] = field(default_factory=list)
    journal_records: int = 0
    reminders: int = 0
    deliveries: Counter[str] = field(default_factory=Counter)
    duration_s: float = 0.0
    problems: list[str] = field(default_factory=list)


def kill_during_play(settings: Settings, *, days: int, kills: int, chance: random.Random) -> Verdict:
    """Play ``days`` days of the demo's year, killing ``kills`` times, and judge the result."""
    verdict = Verdict()
    started_s = time.monotonic()
    last = FIRST_DAY + datetime.timedelta(days=days - 1)
    planned = schedule(
        year(seed=1),
        first=FIRST_DAY,
        last=last,
        every=datetime.timedelta(days=1),
        zone=zone_of(COMPANIES[0].profile.time_zone),
    )
    with prepare(settings) as ready, running(ready, clock=False) as supervisor:
        await_ready(ready, groups=groups_of(ready), check=supervisor.check)
        with open_play(ready, check=supervisor.check) as on:
            killer = _Killer(supervisor, days=days, kills=kills, chance=chance)
            play(planned, profiles=profiles(), on=on, watch=killer.watch)
        verdict.kills = killer.done
        _judge(ready, verdict=verdict)
    verdict.duration_s = time.monotonic() - started_s
    return verdict


class _Killer:
    """Kills a process at a random moment of each of some random days."""

    def __init__(self, supervisor: Supervisor, *, days: int, kills: int, chance: random.Random) -> None:
        self._supervisor = supervisor
        # Not among the last days: what was killed must come back and go on.
        chosen = sorted(chance.sample(range(1, max(days - 5, kills + 1)), k=kills))
        self._victims = {day: VICTIMS[index % len(VICTIMS)] for index, day in enumerate(chosen)}
        self._chance = chance
        self.done: list[str] = []

    def watch(self, days: Sequence[Day]) -> Iterator[Day]:
        for index, day in enumerate(days):
            victim = self._victims.get(index)
            timer = None
            if victim is not None:
                delay_s = self._chance.random() * _MOMENT_S_MAX
                timer = threading.Timer(delay_s, self._kill, args=(victim, day.tick_at))
                timer.start()
            yield day
            if timer is not None:
                timer.join()

    def _kill(self, victim: str, tick_at: datetime.datetime) -> None:
        pid = self._supervisor.kill(victim)
        if pid is not None:
            self.done.append(f"{victim} ({pid}) on {tick_at.date()}")


def _judge(settings: Settings, *, verdict: Verdict) -> None:
    replayed, written = replayed_ledger(settings), written_ledger(settings)
    verdict.journal_records = replayed.records
    verdict.reminders = replayed.count("collections.reminder.v1")
    verdict.problems += [str(each) for each in differences(replayed=replayed, written=written)]
    report = audit_journal(journal(settings))
    verdict.problems += [*report.problems, *report.known_late]
    expected = _deliveries(written.facts.get("collections.reminder.v1", {}))
    verdict.problems += _judge_jobs(settings, expected=expected, verdict=verdict)
    verdict.problems += _judge_outcomes(settings, expected=expected)
    verdict.problems += _judge_files(settings)


def _deliveries(reminders: dict[str, list[bytes]]) -> set[tuple[str, str]]:
    decoded = [msgspec.json.decode(value) for values in reminders.values() for value in values]
    return {(each["id"], delivery["channel"]) for each in decoded for delivery in each["deliveries"]}


def _judge_jobs(settings: Settings, *, expected: set[tuple[str, str]], verdict: Verdict) -> Iterable[str]:
    """Each delivery of each reminder is one job, and each job has ended in a way that is known."""
    engine = open_engine(settings.database)
    with reading(engine) as connection:
        found = connection.execute(
            select(send_jobs.c.reminder, send_jobs.c.channel, send_jobs.c.state, func.count()).group_by(
                send_jobs.c.reminder, send_jobs.c.channel, send_jobs.c.state
            )
        ).all()
    engine.dispose()
    verdict.deliveries = Counter(f"{channel} {state}" for _, channel, state, _ in found)
    jobs = {(reminder, channel) for reminder, channel, _, _ in found}
    yield from (f"no job for delivery {each}" for each in sorted(expected - jobs))
    yield from (f"a job for what no reminder asks: {each}" for each in sorted(jobs - expected))
    yield from (
        f"delivery {reminder} by {channel} is {state}"
        for reminder, channel, state, _ in found
        if state not in ("accepted", "failed", "superseded")
    )


def _judge_outcomes(settings: Settings, *, expected: set[tuple[str, str]]) -> Iterable[str]:
    """Each delivery has one outcome; one that was published twice says the same twice."""
    outcomes: dict[tuple[str, str], set[OutcomeReported]] = {}
    for record in read_log(settings, topic="notify.outcome.v1"):
        envelope, data = from_headers(record.headers, record.value)
        event = decode_source(envelope.type, data)
        if isinstance(event, OutcomeReported):
            outcomes.setdefault((event.reminder, event.channel), set()).add(event)
    yield from (f"no outcome for delivery {each}" for each in sorted(expected - outcomes.keys()))
    yield from (
        f"delivery {key} has {len(said)} different outcomes: {said}"
        for key, said in outcomes.items()
        if len(said) > 1
    )


def _judge_files(settings: Settings) -> Iterable[str]:
    """Each accepted mail and letter is one file, and there is no other."""
    engine = open_engine(settings.database)
    with reading(engine) as connection:
        accepted = Counter(
            connection.execute(select(send_jobs.c.channel).where(send_jobs.c.state == "accepted")).scalars()
        )
    engine.dispose()
    for channel, folder, suffix in (("email", "outbox", ".eml"), ("letter", "letters", ".pdf")):
        files = len(list((settings.data_dir / folder).rglob(f"*{suffix}")))
        if files != accepted[channel]:
            yield f"{accepted[channel]} of {channel} were accepted, and {files} files are there"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it from the command line; exit with 1 when anything was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    chance = random.Random(chosen.seed)  # noqa: S311 - moments to kill at, no secret
    with tempfile.TemporaryDirectory(prefix="cobranza-chaos-") as directory:
        verdict = kill_during_play(
            Settings(data_dir=Path(directory)), days=chosen.days, kills=chosen.kills, chance=chance
        )
    write = sys.stdout.write
    write(f"{chosen.days} days in {verdict.duration_s:.0f} s; killed -9:\n")
    write("".join(f"  {each}\n" for each in verdict.kills))
    write(f"{verdict.journal_records} journal records, {verdict.reminders} reminders\n")
    write("".join(f"  {count:>6}  {what}\n" for what, count in sorted(verdict.deliveries.items())))
    write("".join(f"PROBLEM {each}\n" for each in verdict.problems[:50]))
    write("Something was lost or doubled.\n" if verdict.problems else "Nothing was lost, nothing doubled.\n")
    return 1 if verdict.problems else 0


if __name__ == "__main__":
    sys.exit(main())

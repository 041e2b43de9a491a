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
from itertools import chain
from pathlib import Path

import msgspec
from sqlalchemy import select

from console.demo.companies import COMPANIES
from console.demo.year import FIRST_DAY, profiles, year
from console.installation import await_ready, prepare, running
from console.logs import journal, replayed_ledger, written_ledger
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
from schemas.outcomes import OutcomeReported
from tests.chaos.carried import (
    Delivery,
    Said,
    file_problems,
    files_of,
    order_problems,
    outcomes_in_journal,
    outcomes_said,
)
from tests.chaos.verdict import not_done

__all__ = ["Verdict", "kill_during_play"]

VICTIMS = ("ledger", "notifier", "projector", "intake")
# Within this time of a day's beginning its facts, tick, deliveries and outcomes are under way.
_MOMENT_S_MAX = 0.4
_BACK_S_MAX = 60.0
_POLL_S = 0.02


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
        verdict.problems += not_done({"kills": kills}, done={"kills": len(killer.done)})
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
        """Kill it, or its successor if it is just being started again."""
        deadline_s = time.monotonic() + _BACK_S_MAX
        while (pid := self._supervisor.kill(victim)) is None:
            if time.monotonic() > deadline_s:
                return
            time.sleep(_POLL_S)
        self.done.append(f"{victim} ({pid}) on {tick_at.date()}")


def _judge(settings: Settings, *, verdict: Verdict) -> None:
    replayed, written = replayed_ledger(settings), written_ledger(settings)
    verdict.journal_records = replayed.records
    verdict.reminders = replayed.count("collections.reminder.v1")
    verdict.problems += [str(each) for each in differences(replayed=replayed, written=written)]
    report = audit_journal(journal(settings))
    verdict.problems += [*report.problems, *report.known_late]
    expected = _deliveries(written.facts.get("collections.reminder.v1", {}))
    jobs = _jobs(settings)
    verdict.deliveries = Counter(f"{channel} {state}" for (_, channel), state in jobs)
    verdict.problems += _judge_jobs(jobs, expected=expected)
    said = outcomes_said(settings)
    verdict.problems += _judge_outcomes(said, expected=expected)
    verdict.problems += order_problems(said, journal=outcomes_in_journal(settings))
    accepted = [delivery for delivery, state in jobs if state == "accepted"]
    verdict.problems += file_problems(files_of(settings.data_dir), accepted=accepted)


def _deliveries(reminders: dict[str, list[bytes]]) -> set[Delivery]:
    decoded = [msgspec.json.decode(value) for values in reminders.values() for value in values]
    return {(each["id"], delivery["channel"]) for each in decoded for delivery in each["deliveries"]}


def _jobs(settings: Settings) -> list[tuple[Delivery, str]]:
    engine = open_engine(settings.database)
    with reading(engine) as connection:
        columns = send_jobs.c
        found = connection.execute(select(columns.reminder, columns.channel, columns.state)).all()
    engine.dispose()
    return [((reminder, channel), state) for reminder, channel, state in found]


def _judge_jobs(jobs: Sequence[tuple[Delivery, str]], *, expected: set[Delivery]) -> Iterable[str]:
    """Each delivery of each reminder is one job, and each job has ended in a way that is known."""
    found = Counter(delivery for delivery, _ in jobs)
    yield from (f"no job for delivery {each}" for each in sorted(expected - found.keys()))
    yield from (f"a job for what no reminder asks: {each}" for each in sorted(found.keys() - expected))
    yield from (f"{count} jobs for delivery {each}" for each, count in found.items() if count > 1)
    yield from (
        f"delivery {reminder} by {channel} is {state}"
        for (reminder, channel), state in jobs
        if state not in ("accepted", "failed", "superseded")
    )


def _judge_outcomes(said: Said, *, expected: set[Delivery]) -> Iterable[str]:
    """Each delivery has one outcome, and no other has; one that was published twice says the same twice."""
    outcomes: dict[Delivery, set[OutcomeReported]] = {}
    for event in chain.from_iterable(said.values()):
        outcomes.setdefault((event.reminder, event.channel), set()).add(event)
    yield from (f"no outcome for delivery {each}" for each in sorted(expected - outcomes.keys()))
    yield from (f"an outcome of what no reminder asks: {each}" for each in sorted(outcomes.keys() - expected))
    yield from (
        f"delivery {key} has {len(events)} different outcomes: {events}"
        for key, events in outcomes.items()
        if len(events) > 1
    )


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

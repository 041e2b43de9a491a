"""Intake, projector and notifiers beside the ledger's workers, and the judgement of what was sent.

Deliveries of the reminders that the journal comes to, against jobs, outcomes and files:
each delivery is one job, each job ended once, each message that was accepted is one file; as exact sets.
Their outcomes stand in the journal as they were said, in each account's order. Nothing more is promised of order.
"""

import datetime
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import Any

from sqlalchemy import select

from console.installation import STOP_ORDER, environment, services
from console.quiet import Quiet, groups_of
from console.supervisor import Supervisor
from infra.database.engine import open_engine, reading
from infra.database.migrate import upgrade
from infra.database.send_tables import send_jobs
from infra.kafka.lag import LagReader
from infra.settings import Settings
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
from tests.chaos.fleet import Fleet

__all__ = ["await_quiet", "judge_sendings", "supervised"]

_ENDED = ("accepted", "failed", "superseded")


def supervised(settings: Settings) -> Supervisor:
    """Make the tables, and give a supervisor of all processes but the ledger's; a context."""
    engine = open_engine(settings.database)
    try:
        upgrade(engine)
    finally:
        engine.dispose()
    others = [one for one in services(clock=False) if one.name != "ledger"]
    return Supervisor(
        settings.data_dir, services=others, stop_order=STOP_ORDER, environment=environment(settings)
    )


def await_quiet(settings: Settings, *, fleet: Fleet, tick: datetime.datetime) -> None:
    """Wait until every group has read everything and each delivery has its outcome; ``NotQuietError``."""
    engine = open_engine(settings.database)
    try:
        with LagReader(settings.brokers()) as reader:
            Quiet(reader=reader, groups=groups_of(settings), engine=engine, check=fleet.look).wait(at=tick)
    finally:
        engine.dispose()


def judge_sendings(
    settings: Settings, *, expected: set[Delivery], tick: datetime.datetime
) -> tuple[Counter[str], list[str]]:
    """Give what became of the deliveries, counted, and what is wrong with them."""
    engine = open_engine(settings.database)
    with reading(engine) as connection:
        jobs = connection.execute(select(send_jobs)).all()
    engine.dispose()
    counted = Counter(f"{job.channel} {job.state}" for job in jobs)
    accepted = {(job.reminder, job.channel) for job in jobs if job.state == "accepted"}
    said = outcomes_said(settings)
    problems = [
        *_job_problems(jobs, expected=expected, tick=tick),
        *_outcome_problems(said, jobs=jobs),
        *order_problems(said, journal=outcomes_in_journal(settings)),
        *file_problems(files_of(settings.data_dir), accepted=accepted),
    ]
    return counted, problems


def _job_problems(jobs: Any, *, expected: set[Delivery], tick: datetime.datetime) -> Iterator[str]:
    found = {(job.reminder, job.channel) for job in jobs}
    yield from (f"LOST: no job for delivery {each}" for each in sorted(expected - found))
    yield from (f"a job for what no reminder asks: {each}" for each in sorted(found - expected))
    yield from (
        f"delivery {job.reminder} by {job.channel} is {job.state}"
        for job in jobs
        if job.state not in _ENDED and job.not_before <= tick
    )


def _outcome_problems(said: Said, *, jobs: Any) -> Iterator[str]:
    """Each ended delivery has one outcome, and no other has one; one that was published twice says the same twice."""
    by_delivery: dict[Delivery, set[OutcomeReported]] = {}
    for event in chain.from_iterable(said.values()):
        by_delivery.setdefault((event.reminder, event.channel), set()).add(event)
    ended = {(job.reminder, job.channel) for job in jobs if job.state in _ENDED}
    yield from (f"LOST: no outcome for delivery {each}" for each in sorted(ended - by_delivery.keys()))
    yield from (f"an outcome of what did not end: {each}" for each in sorted(by_delivery.keys() - ended))
    yield from (
        f"delivery {key} has {len(events)} different outcomes: {events}"
        for key, events in by_delivery.items()
        if len(events) > 1
    )

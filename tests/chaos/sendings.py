"""Intake, projector and notifiers beside the ledger's workers, and the judgement of what was sent.

Deliveries of the reminders that the journal comes to, against jobs, outcomes and files:
each delivery is one job, each job ended once, each message that was accepted is one file.
"""

import datetime
from collections import Counter
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from console.installation import STOP_ORDER, environment, services
from console.logs import read_log
from console.quiet import Quiet, groups_of
from console.supervisor import Supervisor
from infra.database.engine import open_engine, reading
from infra.database.migrate import upgrade
from infra.database.send_tables import send_jobs
from infra.kafka.lag import LagReader
from infra.settings import Settings
from schemas.codec import decode_source
from schemas.envelope import from_headers
from schemas.outcomes import OutcomeReported
from tests.chaos.fleet import Fleet

__all__ = ["await_quiet", "judge_sendings", "supervised"]

_ENDED = ("accepted", "failed", "superseded")
_FILES = (("email", "outbox", ".eml"), ("letter", "letters", ".pdf"))

Delivery = tuple[str, str]


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
    problems = [
        *_job_problems(jobs, expected=expected, tick=tick),
        *_outcome_problems(settings, jobs=jobs),
        *_file_problems(settings, counted=counted),
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


def _outcome_problems(settings: Settings, *, jobs: Any) -> Iterator[str]:
    """Each ended delivery has one outcome; one that was published twice says the same twice."""
    said: dict[Delivery, set[OutcomeReported]] = {}
    for record in read_log(settings, topic="notify.outcome.v1"):
        envelope, data = from_headers(record.headers, record.value)
        event = decode_source(envelope.type, data)
        if isinstance(event, OutcomeReported):
            said.setdefault((event.reminder, event.channel), set()).add(event)
    ended = {(job.reminder, job.channel) for job in jobs if job.state in _ENDED}
    yield from (f"LOST: no outcome for delivery {each}" for each in sorted(ended - said.keys()))
    yield from (f"delivery {key} has different outcomes" for key, all_ in said.items() if len(all_) > 1)


def _file_problems(settings: Settings, *, counted: Counter[str]) -> Iterator[str]:
    for channel, folder, suffix in _FILES:
        accepted = counted[f"{channel} accepted"]
        files = len(list((settings.data_dir / folder).rglob(f"*{suffix}")))
        if files != accepted:
            yield f"{accepted} of {channel} were accepted, and {files} files are there"

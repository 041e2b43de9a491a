"""The judgement of sendings against what the providers took: once, or unknown with its evidence; none lost; said as they are."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Engine, select

from console.logs import read_log
from infra.database.engine import reading
from infra.database.send_doubts import notes_of
from infra.database.send_tables import send_jobs, send_notes, tasks
from infra.settings import Settings
from schemas.codec import decode_source
from schemas.envelope import from_headers
from schemas.outcomes import OutcomeReported

__all__ = ["Delivery", "evidence_of", "judge"]

Delivery = tuple[str, str]  # (channel, reminder)
_EVIDENCE = ("recipient", "provider", "endpoint", "owner", "detail")


def judge(
    settings: Settings, *, engine: Engine, expected: set[Delivery], taken: Mapping[Delivery, int]
) -> tuple[Counter[str], list[str]]:
    """Give what became of the deliveries, counted by channel and state, and what is wrong.

    Args:
        settings, engine: of the installation.
        expected: every delivery that was decided.
        taken: how often its provider has taken each; tasks are counted here.
    """
    with reading(engine) as connection:
        jobs = {(row.channel, row.reminder): row for row in connection.execute(select(send_jobs))}
        noted = {(row.channel, row.reminder) for row in connection.execute(select(send_notes))}
        listed = Counter(("task", name) for name in connection.execute(select(tasks.c.reminder)).scalars())
    said: dict[Delivery, set[str]] = {}
    for record in read_log(settings, topic="notify.outcome.v1"):
        envelope, data = from_headers(record.headers, record.value)
        event = decode_source(envelope.type, data)
        if isinstance(event, OutcomeReported):
            said.setdefault((event.channel, event.reminder), set()).add(event.status)
    problems = [f"LOST: {each} has no job" for each in sorted(expected - jobs.keys())]
    problems += [f"{each} is a job that nobody asked for" for each in sorted(jobs.keys() - expected)]
    calls = {**taken, **listed}
    for key, job in jobs.items():
        problems += _of_one(job, taken=calls.get(key, 0), said=said.get(key, set()), noted=key in noted)
    return Counter(f"{job.channel} {job.state}" for job in jobs.values()), problems


def evidence_of(engine: Engine, condition: ColumnElement[bool]) -> Iterator[str]:
    """Say of each delivery that has not come to its end all that is known of it."""
    with reading(engine) as connection:
        for job in connection.execute(select(send_jobs).where(condition)).all():
            words = [
                f"{note.at:%H:%M:%S} {note.author}: {note.what}: {note.detail}"
                for note in notes_of(connection, reminder=job.reminder, channel=job.channel)
            ]
            yield (
                f"OPEN: {job.reminder} by {job.channel} is {job.state}, published {job.published}, attempts {job.attempts}, "
                f"owner {job.owner}, held since {job.held_since}, intended at {job.intended_at}, "
                f"asked at {job.ask_at}: {job.detail}; " + "; ".join(words)
            )


def _of_one(job: Any, *, taken: int, said: set[str], noted: bool) -> Iterator[str]:
    name = f"{job.reminder} by {job.channel}"
    if taken > 1:
        yield f"DOUBLED: {name} was taken {taken} times, and is {job.state}"
    if job.state == "accepted" and taken == 0:
        yield f"LOST: {name} is accepted, and was never taken"
    if job.state in ("failed", "superseded") and taken:
        yield f"{name} is {job.state}, and was taken"
    if job.state in ("scheduled", "claimed", "sending"):
        yield f"LOST: {name} is still {job.state}: {job.detail}"
        return
    if job.state == "unknown":
        lacks = [each for each in _EVIDENCE if not getattr(job, each)]
        if lacks or job.intended_at is None or not noted:
            yield f"{name} is unknown without its evidence: {lacks}"
    if not job.published or job.state not in said:
        yield f"LOST: {name} is {job.state}; what was said of it: {sorted(said)}"
    if said - {job.state, "unknown"}:
        yield f"{name} is {job.state}, and was also said to be {sorted(said - {job.state})}"

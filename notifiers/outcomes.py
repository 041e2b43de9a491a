"""Outcomes as they are said: from a job's row, so that saying it again says the same."""

import datetime
from typing import Final

from infra.database.send_values import Job
from schemas.codec import type_of
from schemas.envelope import Envelope
from schemas.fields import split_account_id
from schemas.outcomes import DeliveryStatus, OutcomeReported

__all__ = ["occurred_at", "outcome_of"]

_SOURCE: Final = "/cobranza/notifier"


def occurred_at(job: Job, *, now: datetime.datetime) -> str:
    """Give the instant of an outcome: the wall clock's with a live journal, the newest tick's with a played one."""
    if job.mode == "live":
        return now.isoformat(timespec="milliseconds")
    return max(job.tick, job.clock_at or job.tick).isoformat()


def outcome_of(job: Job) -> tuple[Envelope, OutcomeReported]:
    """Say what became of a job; the same job in the same state says the same.

    Raises:
        ValueError: nothing has become of it yet.
    """
    if job.state == "scheduled" or job.state == "claimed" or job.state == "sending":  # noqa: PLR1714 - mypy narrows this form
        raise ValueError(f"reminder {job.reminder} over {job.channel} is {job.state}: it has no outcome")
    status: DeliveryStatus = job.state
    company, customer = split_account_id(job.account)
    outcome = OutcomeReported(
        company=company,
        customer=customer,
        occurred_at=job.occurred_at,
        reminder=job.reminder,
        channel=job.channel,
        status=status,
        provider_id=job.provider_id,
        error_type=job.error_type,
        detail=job.detail if status != "accepted" else "",
    )
    envelope = Envelope(
        id=f"{job.reminder}/{job.channel}/{status}",
        source=_SOURCE,
        type=type_of(outcome),
        time=job.occurred_at,
        subject=job.account,
    )
    return envelope, outcome

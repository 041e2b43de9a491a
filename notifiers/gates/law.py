"""The law, asked once more at the moment of sending: quiet hours, and the register of the person (section 5, R24, R32).

The core has planned each delivery for an allowed instant; a worker that was
away, a provider that was down, or a second company that wrote to the same
person make the plan untrue. It decides when a delivery may go, and drops none.
"""

import datetime
from collections.abc import Iterable

from sqlalchemy import Engine

from infra.database.engine import reading
from infra.database.queries.contacts import PastContact, accounts_of_person, contacts_of
from infra.database.send_values import Job
from notifiers.outcomes import occurred_at
from processors.calendar import business_day
from processors.law.permits import Made, Permits
from schemas.law import LawTerms

__all__ = ["allowed_at"]

_LOOK_BACK = datetime.timedelta(days=400)  # no window of a law is longer than a year


def allowed_at(engine: Engine, job: Job, *, law: LawTerms, now: datetime.datetime) -> datetime.datetime:
    """Give the first instant at which a claimed job may go: the job's own now when it may go at once."""
    at = datetime.datetime.fromisoformat(occurred_at(job, now=now))
    rules = law.contacting
    if not (rules.limits or rules.cool_off_days or rules.one_channel_days):
        return Permits(law).next_allowed(job.channel, at=at)  # hours only: nobody need be asked
    with reading(engine) as connection:
        past = contacts_of(
            connection,
            accounts_of_person(connection, job.account),
            since=at - _LOOK_BACK,
            before=(job.reminder, job.channel),
        )
    permits = Permits(law)
    for each in _made(past, permits=permits, at=at):
        permits.add(each)
    return permits.next_allowed(job.channel, at=at)


def _made(past: Iterable[PastContact], *, permits: Permits, at: datetime.datetime) -> Iterable[Made]:
    for each in past:
        when = each.occurred_at or at.isoformat()
        yield Made(business_day(when, permits.zone), each.channel, each.is_conversation)

"""What the send ledger is told and what it tells: jobs, claims, endings; values only."""

import datetime
from typing import Literal

from msgspec import Struct

from schemas.fields import Channel
from schemas.outcomes import DeliveryStatus, ErrorType

__all__ = ["Backlog", "Claim", "Ending", "Intended", "Job", "JobState", "NewJob", "Postponement"]

JobState = Literal["scheduled", "claimed", "sending", "accepted", "failed", "superseded", "unknown"]


class NewJob(Struct, frozen=True, kw_only=True):
    """A delivery to be recorded; ``partition`` is its account's, ``reminder_json`` the fact itself."""

    reminder: str
    account: str
    company: str
    partition: int
    mode: str
    tick: datetime.datetime
    not_before: datetime.datetime
    decision_version: int
    reminder_json: str


class Job(Struct, frozen=True, kw_only=True):
    """A job as it stands; ``clock_at`` is its partition's newest tick in the read model.

    ``held_since``, ``intended_at``, ``ask_at``, ``waits_since``: see `send_tables`. ``is_overtaken``: the account
    has changed since (R32), so that it will not be sent.
    """

    reminder: str
    channel: Channel
    account: str
    company: str
    partition: int
    mode: str
    tick: datetime.datetime
    state: JobState
    owner: str
    attempts: int
    reminder_json: str
    recipient: str
    subject: str
    provider_id: str
    error_type: ErrorType
    detail: str
    occurred_at: str
    provider: str
    endpoint: str
    held_since: datetime.datetime | None
    intended_at: datetime.datetime | None
    ask_at: datetime.datetime | None
    waits_since: datetime.datetime | None = None
    clock_at: datetime.datetime | None = None
    is_overtaken: bool = False


class Claim(Struct, frozen=True, kw_only=True):
    """A job that a worker wants, with what will be known of the attempt should the worker not come back.

    ``occurred_at`` is its business time, should it be superseded; ``cost_micros`` are millionths.
    ``mark``: what its provider could tell the message by.
    """

    reminder: str
    occurred_at: str
    recipient: str = ""
    subject: str = ""
    provider: str = ""
    endpoint: str = ""
    mark: str = ""
    cost_currency: str = ""
    cost_micros: int = 0
    cost_parts: int = 0


class Intended(Struct, frozen=True, kw_only=True):
    """What may be handed over now, what must not be any more, and which endings came too late (all by reminder)."""

    going: frozenset[str]
    superseded: frozenset[str]
    lost: tuple[str, ...]


class Ending(Struct, frozen=True, kw_only=True):
    """How a job ends: the columns of its outcome. ``ask_at``: when to ask the provider about an unknown one.

    ``may_go_on``: the worker that held it was taken for gone and has said nothing; its call may still be made.
    ``cost_micros`` are millionths: what the provider charges, where it says so, else what was known before.
    """

    reminder: str
    status: DeliveryStatus
    occurred_at: str
    provider_id: str = ""
    error_type: ErrorType = ""
    detail: str = ""
    recipient: str = ""
    subject: str = ""
    ask_at: datetime.datetime | None = None
    may_go_on: bool = False
    cost_currency: str = ""
    cost_micros: int = 0
    cost_parts: int = 0


class Postponement(Struct, frozen=True, kw_only=True):
    """A job that may not go before ``until``: in the journal's time, or in the wall clock's; see ``gates.gate.Wait``.

    ``capped_on``: it waits because the caps of this company day are reached. ``waits_since``, ``give_up_at``: since
    when it waits, and until when it may; None: as it was.
    """

    reminder: str
    until: datetime.datetime
    detail: str
    by: Literal["business", "wall"] = "business"
    capped_on: datetime.date | None = None
    waits_since: datetime.datetime | None = None
    give_up_at: datetime.datetime | None = None


class Backlog(Struct, frozen=True, kw_only=True):
    """What is still to do: jobs that wait for anything, and the next instant of a retry."""

    scheduled: int
    next_retry_at: datetime.datetime | None

"""The seam for what may put a delivery off before it is claimed: rates, caps, hours, suppressions of a moment.

A gate is asked with messages that are written, so that it knows whom they go to and what they
cost. It says until when one must wait, and why; it refuses to send, to drop and to end anything.
What it puts off is no attempt, and comes back by itself.
"""

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from infra.database.send_values import Job
from notifiers.channel import Message, PermanentError
from notifiers.faults import FaultError, Faults
from schemas.facts import ReminderDecided
from schemas.fields import Channel

__all__ = ["Candidate", "Gate", "Screen", "Wait", "all_pass", "asked"]


class Candidate(Struct, frozen=True, kw_only=True):
    """A delivery that could go now, and its message as it would go."""

    job: Job
    message: Message


class Wait(Struct, frozen=True, kw_only=True):
    """A delivery may not go before ``until``.

    Attributes:
        until: the instant, in the time that ``by`` names.
        why: one word for the logs and the tally ('rate', 'daily_cap', 'hours').
        detail: for a person, with the figures it was judged by.
        by: ``business``: the journal's time, as the law's hours are (the newest tick's with a
            played journal); ``wall``: the clock on the wall, as a provider's rate is.
        holds: ``delivery``: this one, whose row says it; ``channel``: everything of the channel
            waits as well, and no row is written: for a bucket that is empty.
        capped_on: the company day whose caps are reached; a place that becomes free on it ends the wait.
    """

    until: datetime.datetime
    why: str
    detail: str
    by: Literal["business", "wall"] = "business"
    holds: Literal["delivery", "channel"] = "delivery"
    capped_on: datetime.date | None = None


class Gate(Protocol):
    """Asked before each claim, in order; what one gate puts off, later ones are not asked about."""

    def waits(self, candidates: Sequence[Candidate], *, now: datetime.datetime) -> Mapping[str, Wait]:
        """Say which of these must wait, by reminder; those not named may go, and are counted as going.

        Args:
            candidates: of one channel, the longest due first, 50 at most; a gate that has room
                for some of them lets the first ones go.
            now: the wall clock, UTC; business time is ``notifiers.outcomes.occurred_at``.
        """
        ...


def asked(
    gate: Gate, candidates: Sequence[Candidate], *, now: datetime.datetime, faults: Faults
) -> tuple[Mapping[str, Wait], Mapping[str, FaultError]]:
    """Ask a gate; where it breaks, about each delivery alone: give the waits, and over which ones it breaks."""
    try:
        return gate.waits(candidates, now=now), {}
    except Exception as error:  # noqa: BLE001 - one delivery must not hold up all others of its channel
        if len(candidates) == 1:
            name = candidates[0].job.reminder
            return {}, {name: FaultError(faults.told(error, within="gate", reminder=name))}
    waits: dict[str, Wait] = {}
    broken: dict[str, FaultError] = {}
    for each in candidates:
        alone, fault = asked(gate, [each], now=now, faults=faults)
        waits |= alone
        broken |= fault
    return waits, broken


# Says of a round's reminders, for one channel, which must not be written to where they go, and why; by reminder.
Screen = Callable[[Sequence[ReminderDecided], Channel], Mapping[str, PermanentError]]


def all_pass(_reminders: Sequence[ReminderDecided], _channel: Channel) -> Mapping[str, PermanentError]:
    """Be the screen of who has no list."""
    return {}

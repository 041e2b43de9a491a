"""Claimed jobs go through the channel, wave by wave; the intent is written as late as it can be.

::

    claimed ──► intend: still ours? still fresh (R32)? ──► call, unless that was too long ago ──► answer
                one transaction, with the endings of                │
                the wave before                                     └ frozen, or a slow wave: asked again

A wave is what one intent covers: what the channel takes at once, since of each a crash leaves a
doubt; many at a time where there can be none. It refuses to judge an answer.
"""

import datetime
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Literal

from msgspec import Struct

from infra.database.send_values import Claim, Job
from notifiers.channel import (
    Channel,
    Message,
    PermanentError,
    Receipt,
    TemporaryError,
    UncertainError,
    traits_of,
)
from notifiers.faults import Faults

__all__ = ["INTENT_S_MAX", "Answer", "Carrier", "Parcel"]

Answer = Receipt | PermanentError | TemporaryError | UncertainError | Literal["not called"]
# So old may the last look at claim and account be when the provider is called. It is far below any
# session timeout: a worker that was frozen long enough to be replaced looks again first.
INTENT_S_MAX: Final = 1.0
_WAVE_OF_REPEATABLE: Final = 50


class Parcel(Struct, frozen=True, kw_only=True):
    """A claimed job with its message."""

    job: Job
    claim: Claim
    message: Message


class Carrier:
    """Hands messages to one channel; with ``at_once`` of its traits above 1, from as many threads.

    Args:
        channel: who carries them.
        clock: the wall clock, UTC. It goes on while a process is frozen.
        faults: told of what the channel should not raise.
    """

    def __init__(self, channel: Channel, *, clock: Callable[[], datetime.datetime], faults: Faults) -> None:
        self._channel = channel
        self._faults = faults
        self._clock = clock
        self._traits = traits_of(channel)
        self._threads = ThreadPoolExecutor(self._traits.at_once) if self._traits.at_once > 1 else None

    @property
    def wave_max(self) -> int:
        """How many parcels one intent may cover."""
        return _WAVE_OF_REPEATABLE if self._traits.is_repeatable else self._traits.at_once

    def carry(self, parcels: Sequence[Parcel]) -> Iterator[tuple[Parcel, Answer]]:
        """Hand over parcels whose intent was written just now, and give each one's answer.

        One whose turn comes too late, or after the provider has gone down, is not handed over:
        'not called'.
        """
        intended_at = self._clock()
        if self._threads is not None and len(parcels) > 1:
            answers = self._threads.map(lambda one: self._call(one.message, intended_at=intended_at), parcels)
            yield from zip(parcels, answers, strict=True)
            return
        is_down = False
        for parcel in parcels:
            answer = "not called" if is_down else self._call(parcel.message, intended_at=intended_at)
            is_down = is_down or (isinstance(answer, TemporaryError) and answer.provider_down)
            yield parcel, answer

    def _call(self, message: Message, *, intended_at: datetime.datetime) -> Answer:
        # Also a clock that was set back proves nothing.
        if not 0.0 <= (self._clock() - intended_at).total_seconds() <= INTENT_S_MAX:
            return "not called"
        try:
            return self._channel.send(message)
        except (PermanentError, TemporaryError, UncertainError) as error:
            return error
        except Exception as error:  # noqa: BLE001 - no one fault may end the channel, nor lose the wave's receipts
            # A fault of the channel's, ours or its client's: how far it came nobody knows. Others go on.
            return UncertainError(self._faults.told(error, within="send", reminder=message.reminder))

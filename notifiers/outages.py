"""While a provider takes nothing: until when a partition's jobs, or a company's, wait; longer with each try in a row.

It keeps no word of it: a new process begins with the shortest wait. Which answer means that
everything waits is said by the channel (``TemporaryError.provider_down``, ``sender_refused``), not here.
"""

import datetime
from collections.abc import Callable
from typing import Generic, Literal, TypeVar

from msgspec import Struct

__all__ = ["Outages", "Pause"]


_Of = TypeVar("_Of", int, str)


class Pause(Struct, frozen=True, kw_only=True):
    """Until when nothing goes, and why: the provider is down, it has asked for it once (no fault), or our own pace wants it (none either)."""

    until: datetime.datetime
    why: Literal["down", "asked", "pace"]


class Outages(Generic[_Of]):
    """What waits for the provider of a channel: partitions of a worker, or companies.

    Args:
        clock: the wall clock, UTC.
        retry_at: gives the instant of the next try after so many in a row.
    """

    def __init__(
        self, *, clock: Callable[[], datetime.datetime], retry_at: Callable[[int], datetime.datetime]
    ) -> None:
        self._clock = clock
        self._retry_at = retry_at
        self._spans: dict[_Of, tuple[datetime.datetime, datetime.datetime]] = {}
        self._in_a_row: dict[_Of, int] = {}
        self._told: dict[_Of, datetime.datetime] = {}  # until when the provider itself has asked them to wait
        self._resting: set[_Of] = (
            set()
        )  # these have not tried themselves since the provider last judged one of theirs

    @property
    def closed(self) -> set[_Of]:
        """Those whose jobs wait at present. A clock that was set back ends a wait: it would last as much longer."""
        now = self._clock()
        return {one for one, (since, until) in self._spans.items() if since <= now < until}

    @property
    def pause(self) -> Pause | None:
        """Until when the last of those waits, and why; None: none does.

        They wait as they were asked to only while all do: one that is refused again after it has waited so long, or
        that waits longer by itself, is up against a provider that takes nothing.
        """
        closed, now = self.closed, self._clock()
        if not closed:
            return None
        as_asked = all(
            one in self._resting or (now < self._told.get(one, now) and self._in_a_row.get(one, 0) <= 1)
            for one in closed
        )
        until = max(self._spans[one][1] for one in closed)
        return Pause(until=until, why="asked" if as_asked else "down")

    def down(self, one: _Of, *, least: datetime.datetime | None = None) -> datetime.datetime:
        """Note that the provider took nothing, and give the instant until which these jobs wait.

        Answers that come side by side are one try. ``least`` is until when the provider itself asks to wait, if it does.
        """
        is_closed, is_resting = one in self.closed, one in self._resting
        if not is_closed or is_resting:
            # It was told by another's try until when to wait, which holds on; this one is its own.
            told_until = self._spans[one][1] if is_closed else None
            self._resting.discard(one)
            self._in_a_row[one] = self._in_a_row.get(one, 0) + 1
            self._spans[one] = (self._clock(), self._retry_at(self._in_a_row[one]))
            self._no_sooner(one, told_until)
        if least is not None:
            self._told[one] = max(least, self._told.get(one, least))
        return self._no_sooner(one, least)

    def rest(self, one: _Of, *, least: datetime.datetime) -> datetime.datetime:
        """Have these wait until then because of what another's try was answered: it is no try of theirs, and counts as none."""
        if one not in self.closed:
            self._resting.add(one)
            self._spans[one] = (self._clock(), least)
        return self._no_sooner(one, least)

    def answered(self, one: _Of) -> bool:
        """Note that the provider has judged a message; True: that ends an outage. The next one begins with the shortest wait."""
        was_resting = one in self._resting
        self._resting.discard(one)
        return self._in_a_row.pop(one, None) is not None or was_resting

    def forget(self) -> None:
        """Let all try at once: which partitions are ours has changed."""
        self._spans.clear()
        self._in_a_row.clear()
        self._told.clear()
        self._resting.clear()

    def _no_sooner(self, one: _Of, least: datetime.datetime | None) -> datetime.datetime:
        since, until = self._spans[one]
        if least is not None and least > until:
            until = least
            self._spans[one] = (since, until)
        return until

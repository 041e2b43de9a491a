"""Whether a process makes progress and takes work: what ``/healthz`` and ``/readyz`` say.

*Unhealthy* means that ending it would be right: a loop has stood still for too long.
*Not ready* means that it does no work now, with the reason; that may pass by itself.
*At rest* means ready, and that somebody else has asked for a pause, or a pace does: nothing is wrong, and it says until when.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

__all__ = ["Probe", "Pulses", "RestingProbe"]


class Probe(Protocol):
    """What is wrong with a process; an empty list: nothing. Asked from any thread."""

    def stalled(self) -> list[str]:
        """Say which parts have made no progress for too long."""

    def unready(self) -> list[str]:
        """Say why no work is taken."""


@runtime_checkable
class RestingProbe(Probe, Protocol):
    """Of a process that may pause as it should."""

    def resting(self) -> list[str]:
        """Say what pauses so, why, and until when; it is ready all the same."""


class Pulses:
    """The signs of life of loops that run by themselves, each in a thread of its own.

    Args:
        names: of the loops.
        stalled_s: a loop that gave no sign for so long is stalled.
        now_s: a clock that never goes back.
    """

    def __init__(
        self, names: Sequence[str], *, stalled_s: float, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._stalled_s, self._now_s = stalled_s, now_s
        self._beaten_s = dict.fromkeys(names, now_s())
        self._waiting = dict.fromkeys(names, "has not begun")
        self._resting = dict.fromkeys(names, "")
        self._guard = threading.Lock()

    def beat(self, name: str, *, waiting_for: str = "", resting: str = "") -> None:
        """Note that a loop has come round.

        Args:
            name: of the loop.
            waiting_for: why it takes no work, "" when it does.
            resting: why it pauses as it should, and until when; "": it does not.
        """
        with self._guard:
            self._beaten_s[name] = self._now_s()
            self._waiting[name] = waiting_for
            self._resting[name] = resting

    def stalled(self) -> list[str]:
        """Name the loops without a sign of life, and since when."""
        with self._guard:
            silent_s = {name: self._now_s() - at_s for name, at_s in self._beaten_s.items()}
        return [
            f"{name}: no progress for {for_s:.0f} s"
            for name, for_s in silent_s.items()
            if for_s > self._stalled_s
        ]

    def unready(self) -> list[str]:
        """Name the loops that take no work, and why."""
        with self._guard:
            return [f"{name}: {reason}" for name, reason in self._waiting.items() if reason]

    def resting(self) -> list[str]:
        """Name the loops that pause as they should, why, and until when."""
        with self._guard:
            return [f"{name}: {reason}" for name, reason in self._resting.items() if reason]

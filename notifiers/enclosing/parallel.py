"""Documents are fetched beside the loop: several hosts at a time, few at a time from each.

::

    begin ──► the host's queue ──► a thread, as soon as the host has a place ──► result
                    └── its host has failed three times in a row: failed as well, without asking

A host that hangs keeps its own documents waiting, and no more. It knows nothing of documents: what is done
for each, and what a failure is, it is told.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

__all__ = ["Fetches", "Work"]

_Result = TypeVar("_Result")
Work = Callable[[str], _Result]
_FAILED_MAX: Final = 3
_GIVEN_UP_S: Final = 5.0
_GIVEN_UP: Final = "{host} does not answer at present"
_GOOD_S: Final = 600.0
_UNCOLLECTED_MAX: Final = 64


@dataclass(slots=True, kw_only=True)
class _Flight(Generic[_Result]):
    name: str
    host: str
    work: Work[_Result]
    given_up: str = ""
    result: _Result | None = None
    error: Exception | None = None
    done_at_s: float | None = None


@dataclass(slots=True)
class _Host(Generic[_Result]):
    queue: "deque[_Flight[_Result]]" = field(default_factory=deque)
    active: int = 0
    failed: int = 0
    failed_at_s: float = 0.0


class Fetches(Generic[_Result]):
    """Work under way, by name; its threads end with the process.

    Args:
        at_once: so many threads.
        per_host: so many of them at most are busy with one host.
        has_failed: says of a result that its host did not answer.
        monotonic: seconds that only grow.
    """

    def __init__(
        self,
        *,
        at_once: int,
        per_host: int,
        has_failed: Callable[[_Result], bool],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._at_once = at_once
        self._per_host = per_host
        self._has_failed = has_failed
        self._flights: dict[str, _Flight[_Result]] = {}
        self._hosts: dict[str, _Host[_Result]] = {}
        self._changed = threading.Condition()
        self._threads = 0

    def begin(self, name: str, *, host: str, work: Work[_Result]) -> bool:
        """Have work done, unless that of this name is under way or done; False: it is.

        Args:
            name: of the work.
            host: whom it asks.
            work: does it; given a text, it is to fail by that, and to ask nobody.
        """
        with self._changed:
            if name in self._flights:
                return False
            self._forget_uncollected()
            flight = _Flight(name=name, host=host, work=work)
            self._flights[name] = flight
            waiting = self._hosts.setdefault(host, _Host())
            waiting.queue.append(flight)
            if self._is_given_up(waiting):
                flight.given_up = _GIVEN_UP.format(host=host)
            if self._threads < min(self._at_once, len(self._flights)):
                self._threads += 1
                threading.Thread(target=self._run, name=f"documents-{self._threads}", daemon=True).start()
            self._changed.notify_all()
        return True

    def result(self, name: str) -> _Result | None:
        """Give what came of work that is done, and forget it; None: it is under way, never begun, or was long ago.

        Raises:
            Exception: what the work raised.
        """
        with self._changed:
            flight = self._flights.get(name)
            if flight is None or flight.done_at_s is None:
                return None
            del self._flights[name]
        if self._monotonic() - flight.done_at_s > _GOOD_S:
            return None
        if flight.error is not None:
            raise flight.error
        return flight.result

    def wait(self, names: Iterable[str], *, wait_s: float) -> bool:
        """Wait until all of this work is done; False: that takes longer."""
        chosen = tuple(names)
        with self._changed:
            return self._changed.wait_for(lambda: all(self._is_over(each) for each in chosen), timeout=wait_s)

    def _forget_uncollected(self) -> None:
        """Let go of results that nobody asks for: their mails have ended otherwise."""
        if len(self._flights) > _UNCOLLECTED_MAX:
            done = [name for name, flight in self._flights.items() if flight.done_at_s is not None]
            for name in done[:-_UNCOLLECTED_MAX]:
                del self._flights[name]

    def _is_over(self, name: str) -> bool:
        flight = self._flights.get(name)
        return flight is None or flight.done_at_s is not None

    # -- in the threads ------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(self._has_next)
                flight = self._next()
            try:
                flight.result = flight.work(flight.given_up)
            except Exception as error:  # noqa: BLE001 - raised again by ``result``, in the thread that asks
                flight.error = error
            with self._changed:
                self._landed(flight)
                self._changed.notify_all()

    def _is_given_up(self, host: _Host[_Result]) -> bool:
        return host.failed >= _FAILED_MAX and self._monotonic() - host.failed_at_s < _GIVEN_UP_S

    def _has_next(self) -> bool:
        return any(self._may_begin(host) for host in self._hosts.values())

    def _may_begin(self, host: _Host[_Result]) -> bool:
        return bool(host.queue) and host.active < self._per_host

    def _next(self) -> _Flight[_Result]:
        """Take the next one of the host that has had its turn the longest ago."""
        name = next(name for name, host in self._hosts.items() if self._may_begin(host))
        self._hosts[name] = host = self._hosts.pop(name)
        host.active += 1
        return host.queue.popleft()

    def _landed(self, flight: _Flight[_Result]) -> None:
        host = self._hosts[flight.host]
        host.active -= 1
        flight.done_at_s = self._monotonic()
        if flight.result is None or not self._has_failed(flight.result):
            host.failed = 0
        elif not flight.given_up:
            host.failed += 1
            host.failed_at_s = self._monotonic()
        if self._is_given_up(host):
            for each in host.queue:
                each.given_up = _GIVEN_UP.format(host=flight.host)
        if not (host.queue or host.active or host.failed):
            del self._hosts[flight.host]

"""Virtual time: a queue of events, tasks that wait for them, and a trace that is hashed.

A task is a generator that yields a ``Sleep`` or a ``Call`` and is sent what came of it. It
runs on a host (a worker's process), which may be frozen or dead: frozen, everything that
reaches it waits; dead, nothing does.
"""

import hashlib
import heapq
from collections.abc import Callable, Generator
from random import Random
from typing import Any, NamedTuple, TypeVar

__all__ = ["Call", "Host", "Lost", "Sleep", "Steps", "Task", "World"]

_T = TypeVar("_T")


class Sleep(NamedTuple):
    """Go on after so many seconds."""

    seconds: float


class Call(NamedTuple):
    """Ask the broker; ``once``: the network must not deliver it twice."""

    handler: Callable[..., Any]
    args: tuple[Any, ...]
    once: bool = False


Steps = Generator[Sleep | Call, Any, _T]


class Lost(Exception):  # noqa: N818 - what happened to a question
    """No answer: the connection broke, or it took too long. The question may have arrived."""


class World:
    """The clock, the only source of chance, and the trace."""

    def __init__(self, seed: int, *, verbose: bool = False) -> None:
        self.now = 0.0
        self.chance = Random(seed)  # noqa: S311 - it must be repeatable
        self.lines: list[str] | None = [] if verbose else None
        self.events = 0
        self._digest = hashlib.blake2b(digest_size=8)
        self._queue: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._number = 0

    def after(self, seconds: float, do: Callable[..., None], *args: Any) -> None:
        """Let something happen later."""
        self._number += 1
        heapq.heappush(self._queue, (self.now + seconds, self._number, do, args))

    def run(self, until: float) -> None:
        """Let time pass."""
        queue = self._queue
        while queue and queue[0][0] <= until:
            self.now, _, do, args = heapq.heappop(queue)
            self.events += 1
            do(*args)
        self.now = until

    def trace(self, *words: object) -> None:
        """Note what happened, as part of the seed's fingerprint."""
        line = f"{self.now:.4f} {' '.join(map(str, words))}"
        self._digest.update(line.encode())
        if self.lines is not None:
            self.lines.append(line)

    @property
    def fingerprint(self) -> str:
        """Give the hash of all that was traced."""
        return self._digest.hexdigest()


class Host:
    """A process on a machine of its own: it can be frozen, cut off and killed."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        self.alive = True
        self.cut_off_until = 0.0
        self._frozen_until = 0.0
        self._waiting: list[tuple[Callable[..., None], tuple[Any, ...]]] = []

    def freeze(self, seconds: float) -> None:
        """Stop as SIGSTOP does; what arrives meanwhile is handled afterwards, in order."""
        if self._frozen_until <= self.world.now:
            self.world.after(seconds, self._thaw)
            self._frozen_until = self.world.now + seconds

    def reach(self, do: Callable[..., None], *args: Any) -> None:
        """Let something happen in this process, when it runs."""
        if not self.alive:
            return
        if self._frozen_until > self.world.now or self._waiting:
            self._waiting.append((do, args))
        else:
            do(*args)

    def _thaw(self) -> None:
        while self._waiting and self.alive:
            waiting, self._waiting = self._waiting, []
            for do, args in waiting:
                if self.alive:
                    do(*args)


class Task:
    """A generator on its way; `end` gets its result or the exception that ended it."""

    def __init__(
        self,
        host: Host,
        steps: Steps[Any],
        *,
        send: Callable[["Task", Call, int], None],
        end: Callable[[Any, Exception | None], None] | None = None,
    ) -> None:
        self.host, self._steps, self._send, self._end = host, steps, send, end
        self._ticket = 0
        self._over = False

    def begin(self) -> None:
        """Run to where it waits first."""
        self._resume(None, None)

    def cancel(self) -> None:
        """End it where it stands; nothing is told."""
        self._over = True
        self._ticket += 1
        self._steps.close()

    def answer(self, ticket: int, value: Any, fault: Exception | None) -> None:
        """Take what came of question `ticket`; late and second answers fall by the wayside."""
        self.host.reach(self._answered, ticket, value, fault)

    def _answered(self, ticket: int, value: Any, fault: Exception | None) -> None:
        if ticket == self._ticket and not self._over:
            self._resume(value, fault)

    def _resume(self, value: Any, fault: Exception | None) -> None:
        self._ticket += 1
        try:
            wish = self._steps.send(value) if fault is None else self._steps.throw(fault)
        except StopIteration as end:
            self._finish(end.value, None)
        except Exception as error:  # noqa: BLE001 - handed on
            self._finish(None, error)
        else:
            if type(wish) is Sleep:
                self.host.world.after(wish.seconds, self.answer, self._ticket, None, None)
            else:
                assert isinstance(wish, Call)
                self._send(self, wish, self._ticket)

    def _finish(self, value: Any, fault: Exception | None) -> None:
        self._over = True
        if self._end is not None:
            self._end(value, fault)
        elif fault is not None:
            raise fault

"""The way to the broker and back: delays, losses, duplicates, reordering, and outages.

A question that is lost may still arrive, seconds after its connection broke; an answer that
is lost leaves what was asked done. TCP itself repeats nothing: duplicates are what clients
send again by themselves, so a question that is marked ``once`` has none.
"""

from typing import Any

from tests.simulation.clock import Call, Lost, Task, World
from tests.simulation.log import Refused

__all__ = ["REQUEST_TIMEOUT_S", "Network"]

REQUEST_TIMEOUT_S = 12.0
_LINGER_S = 6.0


class Network:
    """Between all hosts and the one broker."""

    def __init__(self, world: World, *, loss: float) -> None:
        self._world = world
        self.loss = loss
        self.duplicates = loss / 2
        self.down_until = 0.0

    def heal(self) -> None:
        """Lose and repeat nothing from now on."""
        self.loss = self.duplicates = 0.0
        self.down_until = 0.0

    def send(self, task: Task, call: Call, ticket: int) -> None:
        """Carry a question to the broker, and its answer back to the task."""
        world, chance = self._world, self._world.chance
        world.after(REQUEST_TIMEOUT_S, task.answer, ticket, None, Lost("no answer in time"))
        if self._is_lost(task):
            if chance.random() < 0.4:
                world.after(chance.random() * _LINGER_S, self._arrive, None, call, 0)
            self._break(task, ticket)
            return
        world.after(self._delay(), self._arrive, task, call, ticket)
        if not call.once and chance.random() < self.duplicates:
            world.after(chance.random() * _LINGER_S, self._arrive, None, call, 0)

    def _arrive(self, task: Task | None, call: Call, ticket: int) -> None:
        value: Any = None
        fault: Exception | None = None
        try:
            value = call.handler(*call.args)
        except Refused as error:
            fault = error
        if task is None:
            return
        if self._is_lost(task):
            self._break(task, ticket)
        else:
            self._world.after(self._delay(), task.answer, ticket, value, fault)

    def _is_lost(self, task: Task) -> bool:
        now = self._world.now
        if now < self.down_until or now < task.host.cut_off_until:
            return True
        return self.loss > 0 and self._world.chance.random() < self.loss

    def _break(self, task: Task, ticket: int) -> None:
        """Mostly the loss is noticed as a broken connection; else only as silence."""
        if self._world.chance.random() < 0.85:
            self._world.after(2 * self._delay(), task.answer, ticket, None, Lost("connection broken"))

    def _delay(self) -> float:
        chance = self._world.chance
        delay = 0.0005 + 0.002 * chance.random()
        if self.loss and chance.random() < 0.05:
            delay += chance.random() * 2.0
        return delay

"""A mail loop that dies by its own hand at a given point, as if by ``kill -9``: run as a process.

python -m tests.notifiers.crashing <point>       settings by COBRANZA_* variables
"""

import os
import sys
from typing import Any

from infra.database.engine import open_engine
from infra.settings import Settings
from notifiers import assembly, worker
from notifiers.channel import Channel, Message, Receipt
from notifiers.settings import SendSettings

POINTS = ("before the provider", "after the provider", "before the outcome", "after the outcome")
STATUS = 77


class Mortal:
    """A channel around another one that ends the process at its point."""

    def __init__(self, inner: Channel, *, point: str) -> None:
        self._inner = inner
        self._point = point

    def send(self, message: Message) -> Receipt:
        """Send, or die before or after it."""
        if self._point == "before the provider":
            os._exit(STATUS)
        receipt = self._inner.send(message)
        if self._point == "after the provider":
            os._exit(STATUS)
        return receipt


def main(point: str) -> None:
    """Work until the point is reached."""
    opened = assembly.open_channel

    def open_mortal(*arguments: Any, **named: Any) -> Channel:
        return Mortal(opened(*arguments, **named), point=point)

    def send(self: Any, job: Any) -> Any:
        if point == "before the outcome":
            os._exit(STATUS)
        future = publish(self, job)
        future.get(timeout=30)
        os._exit(STATUS)

    assembly.open_channel = open_mortal
    publish = worker.Worker._send
    if point.endswith("the outcome"):
        worker.Worker._send = send  # type: ignore[method-assign]  # the point of this process
    settings = Settings()
    engine = open_engine(settings.database)
    with assembly.open_worker(
        "email", settings=settings, send=SendSettings(), engine=engine, member="m"
    ) as running:
        running.run(stopping=lambda: False)


if __name__ == "__main__":
    main(sys.argv[1])

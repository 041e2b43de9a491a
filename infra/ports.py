"""Ports on 127.0.0.1: whether one is free, one that is, one kept for a process that has not started, whether somebody answers."""

import random
import socket
from collections.abc import Iterable
from contextlib import ExitStack
from types import TracebackType
from typing import Final, Self

from infra.errors import OperatorError

__all__ = ("NoFreePortError", "PortClaims", "answers", "free_port", "is_free")

# Below the ports that systems hand out to outgoing connections: those could take the port
# of a server that restarts, and it would move away from its clients.
_PORTS: Final = range(20_000, 32_000)
_TRIES: Final = 200


class NoFreePortError(OperatorError):
    """None of many ports tried on 127.0.0.1 is free."""


def is_free(port: int) -> bool:
    """Say whether a server could listen on 127.0.0.1:`port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(*, besides: int | None = None) -> int:
    """Return a port that is free now, other than `besides`; raise `NoFreePortError`."""
    for port in random.SystemRandom().sample(_PORTS, k=_TRIES):
        if port != besides and is_free(port):
            return port
    raise NoFreePortError(f"No free port found on 127.0.0.1 between {_PORTS.start} and {_PORTS.stop}.")


class PortClaims:
    """Ports that are somebody's from when they are chosen, seconds before a process binds them, until the context is left.

    The sign of a claim is the UDP port of the same number, which nothing here listens on: the system lets one process have
    it, whoever's processes they are, and takes it back when that one ends, however it ends.
    """

    def __init__(self) -> None:
        self._held = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._held.close()

    def first_of(self, ports: Iterable[int]) -> int:
        """Claim the first of these that is free and nobody else's.

        Raises:
            NoFreePortError: none is.
        """
        for port in ports:
            if is_free(port) and self._claim(port):
                return port
        raise NoFreePortError("None of the wanted ports is free on 127.0.0.1.")

    def _claim(self, port: int) -> bool:
        sign = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sign.bind(("127.0.0.1", port))
        except OSError:
            sign.close()
            return False
        self._held.enter_context(sign)
        return True


def answers(port: int) -> bool:
    """Say whether something on 127.0.0.1:`port` accepts connections."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False

"""Ports on 127.0.0.1: whether one is free, one that is, whether somebody answers."""

import random
import socket
from typing import Final

from infra.errors import OperatorError

__all__ = ("NoFreePortError", "answers", "free_port", "is_free")

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


def answers(port: int) -> bool:
    """Say whether something on 127.0.0.1:`port` accepts connections."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False

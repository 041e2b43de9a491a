"""Names are looked up by the system, which may take as long as it likes: here few at a time, and for so long only.

What it finds is checked by ``addresses``, and what was checked is connected to: nothing is kept here for later.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import Future

from notifiers.enclosing.addresses import Resolver, resolved

__all__ = ["BoundedResolver"]


class BoundedResolver:
    """Looks names up in threads of its own, which end with the process; a name that is asked for twice at a time is asked once.

    Args:
        at_once: so many names at a time.
        timeout_s: so long one may take, with its wait for a place.
        resolve: asks the system.
    """

    def __init__(self, *, at_once: int, timeout_s: float, resolve: Resolver = resolved) -> None:
        self._places = threading.BoundedSemaphore(at_once)
        self._timeout_s = timeout_s
        self._resolve = resolve
        self._guard = threading.Lock()
        self._asked: dict[tuple[str, int], Future[Sequence[str]]] = {}

    def __call__(self, host: str, port: int) -> Sequence[str]:
        """Give a host's addresses.

        Raises:
            OSError: it has none at present, or was not found in time.
        """
        try:
            return self._future(host, port).result(timeout=self._timeout_s)
        except TimeoutError as error:
            raise OSError(f"{host} was not found within {self._timeout_s:g} s") from error

    def _future(self, host: str, port: int) -> "Future[Sequence[str]]":
        with self._guard:
            known = self._asked.get((host, port))
            if known is not None:
                return known
            asked: Future[Sequence[str]] = Future()
            self._asked[host, port] = asked
        threading.Thread(target=self._ask, args=(host, port, asked), name="look-up", daemon=True).start()
        return asked

    def _ask(self, host: str, port: int, asked: "Future[Sequence[str]]") -> None:
        try:
            found = self._found(host, port)
        except Exception as error:  # noqa: BLE001 - raised in the threads that wait for it
            self._forget(host, port)
            asked.set_exception(error)
            return
        self._forget(host, port)
        asked.set_result(found)

    def _found(self, host: str, port: int) -> Sequence[str]:
        if not self._places.acquire(timeout=self._timeout_s):
            raise OSError(f"too many names are being looked up: {host} has to wait")
        try:
            return self._resolve(host, port)
        finally:
            self._places.release()

    def _forget(self, host: str, port: int) -> None:
        """Let who asks from now on ask anew: an address is good for the moment only."""
        with self._guard:
            del self._asked[host, port]

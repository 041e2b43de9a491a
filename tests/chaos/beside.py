"""What runs in a thread beside a run of the chaos, for as long as a ``with`` lasts."""

import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

__all__ = ["Beside"]


class Beside(ABC):
    """A context: ``_run`` begins on entering, in a thread of its own; leaving sets ``_stop`` and waits for its end."""

    def __init__(self, *, name: str) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    @abstractmethod
    def _run(self) -> None:
        """Work until it is done or ``_stop`` is set."""

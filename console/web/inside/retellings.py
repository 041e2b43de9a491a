"""Days that are being told from the journal while pages wait: one at a time, each for so long as is reasonable, the last ones kept.

The journal is read from its beginning, which takes seconds to minutes; a request never waits for it.
"""

import datetime
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, Literal

from infra.errors import OperatorError
from processors.retelling import DayTold

__all__ = ["BusyError", "Retelling", "Retellings", "Tell"]

Tell = Callable[[str, datetime.date | None, Callable[[int, int], None]], DayTold]
_WAITING_MAX: Final = 8
_KEPT_MAX: Final = 24
_FRESH_S: Final = 60.0  # what was told is told again after so long: the journal has grown


class BusyError(Exception):
    """Too many wait already."""


@dataclass(slots=True)
class Retelling:
    """One day of one account; ``done`` of ``total`` records are read."""

    account: str
    day: datetime.date | None
    state: Literal["waiting", "reading", "told", "failed"] = "waiting"
    done: int = 0
    total: int = 0
    told: DayTold | None = None
    fault: str = ""
    ended_s: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def is_over(self) -> bool:
        """Say whether nothing more will come."""
        return self.state in ("told", "failed")

    def wait(self, seconds: float) -> None:
        """Wait until it is over, for so long at most."""
        self.over.wait(seconds)


class Retellings:
    """Tells days, one after the other; several threads may ask."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._guard = threading.Lock()
        self._known: OrderedDict[tuple[str, datetime.date | None], Retelling] = OrderedDict()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="retelling")

    def ask(self, account: str, day: datetime.date | None) -> Retelling:
        """Give what is known of a day, and begin to tell it where nothing is, or nothing new.

        Raises:
            BusyError: too many wait.
        """
        key = (account, day)
        with self._guard:
            known = self._known.get(key)
            if known is not None and not (known.is_over and time.monotonic() - known.ended_s > _FRESH_S):
                self._known.move_to_end(key)
                return known
            if sum(not each.is_over for each in self._known.values()) >= _WAITING_MAX:
                raise BusyError
            begun = self._known[key] = Retelling(account=account, day=day)
            over = [name for name, each in self._known.items() if each.is_over]
            for name in over[: max(0, len(self._known) - _KEPT_MAX)]:
                del self._known[name]
        self._worker.submit(self._run, begun)
        return begun

    def _run(self, each: Retelling) -> None:
        def progress(done: int, total: int) -> None:
            each.done, each.total = done, total

        each.state = "reading"
        try:
            each.told = self._tell(each.account, each.day, progress)
            each.state = "told"
        except OperatorError as error:
            each.fault, each.state = str(error), "failed"
        except Exception as error:  # the page that waits says so; the thread serves the next one
            each.fault, each.state = repr(error), "failed"
            raise
        finally:
            each.ended_s = time.monotonic()
            each.over.set()

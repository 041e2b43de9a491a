"""Whether a process that only answers can answer: it has no loop of its own, and is of no use without its database."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from infra.database.engine import open_asking_engine, reading
from infra.database.tables import clocks

__all__ = ["DatabaseProbe"]

_ASK_EVERY_S: Final = 5.0
# An ask is given up after a few seconds; an answer that is older than this says that one hangs all the same.
_ANSWER_AGE_S_MAX: Final = 20.0
_LEAVE_S: Final = 1.0


class DatabaseProbe:
    """A ``infra.metrics.pulse.Probe``: ready while the database can be asked.

    While its context is open a thread asks every few seconds, by connections of its own: pages that hold
    all of theirs do not make a console unready. Who wants to know reads the answer, and never waits.

    Args:
        database: its URL; raises ``DatabaseError`` when it is none.
        now_s: a clock that never goes back.
    """

    def __init__(self, database: str, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self._engine, self._now_s = open_asking_engine(database), now_s
        # When it was given, and what is wrong: one value, so that a thread that reads sees both of one moment.
        self._answer = (now_s(), ["the database has not been asked yet"])
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep_asking, name="database-probe", daemon=True)

    def __enter__(self) -> Self:
        self.ask()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        # A database that does not answer must not keep the process from ending.
        self._thread.join(_LEAVE_S)

    def ask(self) -> None:
        """Ask the database, a few seconds at most, and remember what it says."""
        troubles = []
        try:
            with reading(self._engine) as connection:
                connection.execute(select(clocks.c["partition"]).limit(1))
        except SQLAlchemyError as error:
            troubles.append(f"the database cannot be read: {type(error).__name__}")
        self._answer = (self._now_s(), troubles)

    def stalled(self) -> list[str]:
        """Say nothing: there is no loop that could stand still."""
        return []

    def unready(self) -> list[str]:
        """Say that the database could not be read when it was last asked, or that it has not answered for long."""
        answered_s, troubles = self._answer
        age_s = self._now_s() - answered_s
        if age_s > _ANSWER_AGE_S_MAX:
            return [f"the database has not answered for {age_s:.0f} s"]
        return troubles

    def _keep_asking(self) -> None:
        while not self._stop.wait(_ASK_EVERY_S):
            self.ask()

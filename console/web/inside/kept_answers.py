"""Answers over all documents there are, which take longer than a page may: made beside the pages, kept, and told with their age.

Each is made by one thread at a time and by no one twice; a page waits a moment for it and goes on with the
one before, or without. What is kept is in this process alone: another one, or a restart, makes its own.
Refuses to keep what failed: whoever asks next has it made again.
"""

import datetime
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from typing import Final, Generic, TypeVar

from msgspec import Struct

__all__ = ["KeptAnswer", "KeptAnswers"]

_ANSWERS_MAX: Final = 500
Answer = TypeVar("Answer")


class KeptAnswer(Struct, Generic[Answer], frozen=True, kw_only=True):
    """An answer, and the instant at which its making began: it has all that the read model had then."""

    value: Answer
    made_at: datetime.datetime


class KeptAnswers(Generic[Answer]):
    """Used by all requests; several threads may ask."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime.datetime],
        fresh_s: float,
        wait_s: float,
        answers_max: int = _ANSWERS_MAX,
    ) -> None:
        """Begin with none.

        Args:
            clock: the wall clock, UTC.
            fresh_s: an answer of this age or younger is as good as new.
            wait_s: so long a page waits for a new one.
            answers_max: the one that nobody asked for longest goes first.
        """
        self._clock = clock
        self._fresh = datetime.timedelta(seconds=fresh_s)
        self._wait_s = wait_s
        self._answers_max = answers_max
        self._kept: OrderedDict[Hashable, KeptAnswer[Answer]] = OrderedDict()
        self._making: dict[Hashable, Future[KeptAnswer[Answer]]] = {}
        self._lock = threading.Lock()
        # One at a time: two of them would each take twice as long, and pages suffer.
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kept-answers")

    def ask(self, key: Hashable, make: Callable[[], Answer]) -> KeptAnswer[Answer] | None:
        """Give the answer to a question, however old, while a newer one is made; None: it is being made for the first time.

        Raises:
            Exception: what `make` raised, while this page waited for it.
        """
        with self._lock:
            known = self._kept.get(key)
            if known is not None:
                self._kept.move_to_end(key)
                if self._clock() - known.made_at < self._fresh:
                    return known
            making = self._making.get(key)
            if making is None:
                making = self._making[key] = self._threads.submit(self._make, key, make)
        try:
            return making.result(timeout=self._wait_s)
        except NotYet:
            return known

    def _make(self, key: Hashable, make: Callable[[], Answer]) -> KeptAnswer[Answer]:
        made_at = self._clock()
        try:
            answer = KeptAnswer(value=make(), made_at=made_at)
            with self._lock:
                self._kept[key] = answer
                self._kept.move_to_end(key)
                while len(self._kept) > self._answers_max:
                    self._kept.popitem(last=False)
            return answer
        finally:
            with self._lock:
                del self._making[key]

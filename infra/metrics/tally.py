"""A count by labels that several threads may raise; it never goes down."""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator

from infra.metrics.register import Sample, sample

__all__ = ["Tally"]


class Tally:
    """The counts of one registered counter since start.

    ``known`` are labels that may come: they are told as 0 from the beginning, or the first
    of their kind would be no increase.
    """

    def __init__(self, name: str, *, known: Iterable[tuple[str, ...]] = ()) -> None:
        self._name = name
        self._counts: Counter[tuple[str, ...]] = Counter(dict.fromkeys(known, 0))
        self._guard = threading.Lock()

    def add(self, *labels: str, count: int = 1) -> None:
        """Raise the count of these labels."""
        with self._guard:
            self._counts[labels] += count

    def count(self, *labels: str) -> int:
        """Give the count of these labels."""
        with self._guard:
            return self._counts[labels]

    def samples(self) -> Iterator[Sample]:
        """Give the counts as they are now."""
        with self._guard:
            counts = dict(self._counts)
        return (sample(self._name, count, *labels) for labels, count in counts.items())

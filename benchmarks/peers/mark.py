"""The moment from which a run is measured: when a system is handed the first record after the warm-up."""

import time
from pathlib import Path
from typing import NamedTuple

__all__ = ["FILE", "Begun", "Mark", "read_mark"]

FILE = "begun"


class Begun(NamedTuple):
    """So many records had been handed over before this moment (epoch seconds)."""

    records: int
    at_s: float


class Mark:
    """Counts records, and writes a file in ``folder`` once ``warm_up`` of them are behind."""

    def __init__(self, folder: Path, *, warm_up: int) -> None:
        self._file = folder / FILE
        self._warm_up = warm_up
        self._records = 0
        self._written = False

    def count(self, records: int = 1) -> None:
        """Note that so many records are handed over now; called before they are folded."""
        if not self._written and self._records >= self._warm_up:
            self._file.write_text(f"{self._records} {time.time()}")
            self._written = True
        self._records += records


def read_mark(folder: Path) -> Begun:
    """Read what was written."""
    records, at_s = (folder / FILE).read_text().split()
    return Begun(int(records), float(at_s))

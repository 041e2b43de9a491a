"""How many rows a database gave: what is read whole before it is cut gives itself away."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy.engine.cursor import BufferedRowCursorFetchStrategy, CursorFetchStrategy

__all__ = ["RowsRead", "counting_rows"]


@dataclass
class RowsRead:
    """Rows that were fetched so far, by all connections."""

    count: int = 0


@contextmanager
def counting_rows() -> Iterator[RowsRead]:
    """Count what is fetched inside: each row once, as it comes from the driver or from what SQLAlchemy has buffered."""
    read = RowsRead()

    def counted(kept: Any, *, is_one: bool) -> Any:
        def fetch(*given: Any, **named: Any) -> Any:
            found = kept(*given, **named)
            read.count += (found is not None) if is_one else len(found)
            return found

        return fetch

    with pytest.MonkeyPatch.context() as patched:
        for kind in (CursorFetchStrategy, BufferedRowCursorFetchStrategy):
            for name in ("fetchone", "fetchmany", "fetchall"):
                kept = kind.__dict__[name]
                patched.setattr(kind, name, counted(kept, is_one=name == "fetchone"))
        yield read

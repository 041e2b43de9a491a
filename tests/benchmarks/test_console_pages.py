"""What the console's benchmark asks: every page there is, of a read model that the projection itself has written."""

import structlog
from sqlalchemy import Engine

from benchmarks.console import NAMES, measured, opened_parts
from benchmarks.console_filling import fill
from benchmarks.console_pages import addresses, get_routes
from benchmarks.console_records import Size
from console.web.inside.app import make_routes


def _pages(engine: Engine) -> set[str]:
    with opened_parts(engine) as parts:
        return {each.path for each in get_routes(make_routes(parts))}


def test_every_page_is_asked_for(sqlite_engine: Engine) -> None:
    """A route that is added is measured: what it needs has a value in the benchmark, or this says that it has none."""
    left_out: list[str] = []
    with opened_parts(sqlite_engine) as parts:
        app = make_routes(parts)
        asked = {route for route, _ in addresses(app, names=NAMES, left_out=left_out)}
    assert {"/", "/customers/{account:path}", "/reports/{report}", "/batches/{batch}"} <= asked
    assert [] == left_out
    assert _pages(sqlite_engine) == asked


def test_a_page_without_its_names_is_told(sqlite_engine: Engine) -> None:
    """The one above would notice."""
    left_out: list[str] = []
    with opened_parts(sqlite_engine) as parts:
        names = {name: values for name, values in NAMES.items() if name != "batch"}
        list(addresses(make_routes(parts), names=names, left_out=left_out))
    assert ["/batches/{batch}", "/batches/{batch}/progress"] == sorted(left_out)


def test_every_page_answers_on_a_filled_read_model(sqlite_engine: Engine) -> None:
    """The smallest of sizes; figures are of pages that answer 200, and each page has one that does."""
    assert 1_000 < fill(sqlite_engine, size=Size(40, 400))
    found = measured(sqlite_engine, times=1)
    assert all(len(each.times) == 1 for each in found)
    assert _pages(sqlite_engine) == {each.route for each in found}


def test_a_process_that_has_set_up_its_logs_is_measured_too(sqlite_engine: Engine) -> None:
    """Where a command ran before, its loggers took the lines that are written here for their own; afterwards they are as they were."""
    before = structlog.get_config()
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    try:
        theirs = structlog.get_config()
        # Nobody is logged in here: no page answers, but each request has its line.
        assert [] == measured(sqlite_engine, times=1, only="/me")
        assert theirs == structlog.get_config()
    finally:
        structlog.configure(**before)

"""What the console's benchmark asks: every page there is, of a read model that the projection itself has written."""

from sqlalchemy import Engine

from benchmarks.console import NAMES, measured, opened_parts
from benchmarks.console_filling import fill
from benchmarks.console_pages import addresses, get_routes
from benchmarks.console_records import Size
from console.web.inside.app import make_routes


def test_pages_are_asked_for_by_their_routes(sqlite_engine: Engine) -> None:
    """A route that is added is measured, or told where a name that it needs is not known."""
    left_out: list[str] = []
    with opened_parts(sqlite_engine) as parts:
        app = make_routes(parts)
        asked = {route for route, _ in addresses(app, names=NAMES, left_out=left_out)}
        assert {"/", "/customers/{account:path}", "/reports/{report}"} <= asked
        assert {each.path for each in get_routes(app)} == asked | {*left_out}


def test_every_page_answers_on_a_filled_read_model(sqlite_engine: Engine) -> None:
    """The smallest of sizes; figures are of pages that answer 200."""
    assert 1_000 < fill(sqlite_engine, size=Size(40, 400))
    assert all(len(each.times) == 1 for each in measured(sqlite_engine, times=1))

"""Which addresses of the console a benchmark and the test of query plans ask for: each GET route, usual and worst.

A route that needs a name without a value is left out and told: a test fails then, so that every page is measured.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import quote, urlencode

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

__all__ = ["LEFT_OUT", "addresses", "get_routes"]

# Pages without a query to the read model, and those that end a session.
LEFT_OUT: Final = ("/static/", "/login")
# What is asked beside the plain page; of each route, by its path.
_MORE: Final[Mapping[str, tuple[str, ...]]] = {
    "/": (
        "?why=next_action",
        "?why=broken_promise",
        "?days=60&responsible=ana&trust=bad",
        "?company=gamma&not_called=true",
        "?level=first",
        "?skip=5000",
    ),
    "/process": (
        "?accounts=acme%3AC00000&accounts=acme%3AC00008",
        "?whole=true",
        "?whole=true&days=10&company=gamma",
    ),
    "/review": ("?company=gamma",),
    "/reminders": (
        "?outcome=failed",
        "?outcome=pending",
        "?company=gamma&channel=email",
        "?level=first&first_on=2026-01-01&last_on=2026-01-31",
        "?document=F00000-000000",
        "?skip=20000",
    ),
    "/customers/{account:path}/older": ("?part=credits", "?part=sent&page=2"),
    "/customers/{account:path}/statement": ("?page=2", "?group=true"),
    "/customers": ("?q=Panader", "?company=gamma", "?page=100"),
    "/reports/{report}": ("?company=gamma", "?on=2026-01-31"),
    "/audit": ("?company=gamma", "?user=ana&skip=5000"),
    "/batches/{batch}": ("?skip=300",),
}


def get_routes(app: FastAPI) -> list[APIRoute]:
    """List all GET routes that a page of the read model is behind."""
    every = (each for each in app.routes if isinstance(each, APIRoute))
    routes = [each for each in every if "GET" in (each.methods or ())]
    return [each for each in routes if not each.path.startswith(LEFT_OUT)]


def addresses(
    app: FastAPI, *, names: Mapping[str, Iterable[str]], left_out: list[str]
) -> Iterator[tuple[str, str]]:
    """Give (route, address) of everything that is asked.

    Args:
        app: whose routes are walked.
        names: values of the names in paths and of queries that a route cannot do without; each is asked for.
        left_out: gets the routes that need a name without a value.
    """
    for route in get_routes(app):
        needed = list(_needed(route.dependant))
        try:
            query = urlencode({name: next(iter(names[name])) for name in needed})
            filled = _filled(route.path, names)
        except KeyError:
            left_out.append(route.path)
            continue
        for each in filled:
            yield route.path, f"{each}?{query}" if query else each
            for more in _MORE.get(route.path, ()):
                yield route.path, each + more


def _needed(of: Dependant) -> Iterator[str]:
    """Name what a query must have."""
    yield from (each.alias for each in of.query_params if each.field_info.is_required())
    for each in of.dependencies:
        yield from _needed(each)


def _filled(path: str, names: Mapping[str, Iterable[str]]) -> list[str]:
    before, brace, rest = path.partition("{")
    if not brace:
        return [path]
    name, _, after = rest.partition("}")
    return [
        f"{before}{quote(value, safe='')}{end}"
        for value in names[name.partition(":")[0]]
        for end in _filled(after, names)
    ]

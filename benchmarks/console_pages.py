"""Which addresses of the console a benchmark and the test of query plans ask for: each GET route, usual and worst.

A route with a name in its path that has no value here is refused by name, so that a new page is measured too.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import quote

from fastapi import FastAPI
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
    ),
    "/review": ("?company=gamma",),
    "/reminders": ("?status=failed", "?company=gamma&channel=email", "?status=withheld"),
    "/reports/{report}": ("?company=gamma", "?on=2026-01-31"),
}


def get_routes(app: FastAPI) -> list[str]:
    """List the paths of all GET routes that a page of the read model is behind."""
    paths = [route.path for route in _routes(app.routes) if "GET" in (route.methods or ())]
    return [path for path in paths if not path.startswith(LEFT_OUT)]


def addresses(app: FastAPI, *, names: Mapping[str, Iterable[str]]) -> Iterator[tuple[str, str]]:
    """Give (route, address) of everything that is asked.

    Args:
        app: whose routes are walked.
        names: values of the names in paths; each of them is asked for.

    Raises:
        KeyError: a name in a path has no value.
    """
    for path in get_routes(app):
        for filled in _filled(path, names):
            for query in ("", *_MORE.get(path, ())):
                yield path, filled + query


def _routes(routes: Iterable[object]) -> Iterator[APIRoute]:
    for each in routes:
        if isinstance(each, APIRoute):
            yield each
        else:
            # Routers that are included as a whole keep their routes.
            yield from _routes(getattr(getattr(each, "original_router", None), "routes", ()))


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

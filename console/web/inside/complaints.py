"""What browsers report of our policy (``report-uri``): each is counted, the first are logged; a page that causes one is wrong.

Anybody may send anything here: nothing is answered, and nothing of it is kept but two short words in the log.
"""

import itertools
from collections.abc import Callable
from typing import Annotated, Final

import structlog
from fastapi import Body
from fastapi.responses import Response
from msgspec import DecodeError, Struct, field, json

from console.web.routing import Routes

__all__ = ["router"]

_log = structlog.get_logger(__name__)
_LOGGED_MAX: Final = 100  # a browser in a loop does not fill the disk
_SAID_MAX: Final = 100


class _Report(Struct, rename="kebab"):
    """What is read of a report: the rule, and what was not let in; not the page, which may name a customer."""

    violated_directive: str = ""
    effective_directive: str = ""
    blocked_uri: str = ""


class _Body(Struct, rename="kebab"):
    csp_report: _Report = field(default_factory=_Report)


def router(reported: Callable[[], None]) -> Routes:
    """Make the route; ``reported`` is called for each report."""
    routes = Routes()
    numbers = itertools.count()

    @routes.post("/csp-reports", response_model=None)
    def take(body: Annotated[bytes, Body(media_type="application/csp-report")]) -> Response:
        try:
            said = json.decode(body, type=_Body).csp_report
        except DecodeError:
            return Response(status_code=400)
        reported()
        if next(numbers) < _LOGGED_MAX:
            rule = said.effective_directive or said.violated_directive
            _log.error(
                "csp_report", rule=rule[:_SAID_MAX], blocked=said.blocked_uri.partition("?")[0][:_SAID_MAX]
            )
        return Response(status_code=204)

    return routes

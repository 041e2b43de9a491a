"""What is missing before a company's reminders go out by themselves, each point with the way to where it is mended (S4-24)."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from fastapi.responses import HTMLResponse

from console.getting_ready import points_of
from console.readiness import Point
from console.web.inside.carrier_faults import carrier_fault_text
from console.web.inside.company_asking import require_company, settings_path
from console.web.inside.given import Collector
from console.web.inside.parts import InsideParts
from console.web.inside.showing import Words, page, words_of
from console.web.inside.text_faults import text_fault_text
from console.web.routing import Routes
from infra.database.engine import reading

__all__ = ["MENDED_AT", "router"]

# Point -> (page, field): what is not here is mended outside the console, as its sentence says.
MENDED_AT: Final[Mapping[str, tuple[str, str]]] = {
    "profile": ("profile", ""),
    "automatic": ("profile", "automatic"),
    "enrolment": ("enrolment", ""),
    "first run": ("enrolment", ""),
    "sender": ("profile", "sender_email"),
    "payment": ("profile", "payment_instructions"),
    "answers": ("profile", "answers_to"),
    "logo": ("profile", "logo"),
    "plan": ("plans", ""),
    "templates": ("texts", ""),
    "texts": ("texts", ""),
    "text places": ("texts", ""),
    "interest": ("profile", "late_charges"),
    "bank gate": ("banks", ""),
}

# What of a point others have said, in English: of a text or a logo, of a carrier, of links.
_SAID_ELSEWHERE: Final[Mapping[str, Callable[..., str]]] = {
    "error": text_fault_text,
    "carrier": carrier_fault_text,
    "missing": carrier_fault_text,
}


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes()

    @routes.get("/settings/{company}/ready", response_model=None)
    def ready(*, person: Collector, company: str, check: bool = False) -> HTMLResponse:
        with reading(parts.engine) as connection:
            require_company(connection, person, company)
            points = (
                points_of(connection, company, settings=parts.settings, now=parts.clock()) if check else []
            )
        order = {"missing": 0, "look": 1, "ok": 2}
        return page(
            "settings/ready.html",
            person=person,
            company=company,
            points=sorted(points, key=lambda each: order[each.verdict]),
            is_checked=check,
            missing=sum(each.verdict == "missing" for each in points),
            told=partial(_told, words=words_of(person.language)),
            ways={each.point: _way(company, each.point) for each in points},
        )

    return routes


def _told(point: Point, *, words: Words) -> str:
    """Say what was found, what carriers and checks say of it included."""
    values = dict(point.values)
    for name, text_of in _SAID_ELSEWHERE.items():
        if name in values:
            values[name] = text_of(values[name], words=words)
    return str(words["ready_said"][point.said]).format(**values)


def _way(company: str, point: str) -> str:
    if point not in MENDED_AT:
        return ""
    name, field = MENDED_AT[point]
    return settings_path(company, name) + (f"#field-{field}" if field else "")

"""How the pages behind links are written: templates with escaped values, in the reader's language."""

from collections.abc import Callable
from functools import cache
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from msgspec import Struct

from console.web.outside.words import Words
from notifiers.writing.figures import amount_text, short_day_text
from schemas.facts import ReminderItem

__all__ = ["DocumentView", "document_views", "page"]


class DocumentView(Struct, frozen=True, kw_only=True):
    """A document as a page shows it; figures are those of the message."""

    id: str
    name: str
    reference: str
    due_on: str
    open: str
    link: str = ""


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("console.web.outside"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(
    name: str, *, words: Words, root: str, company: str = "", status: int = 200, **values: Any
) -> HTMLResponse:
    """Write a page."""
    template = _environment().get_template(name)
    text = template.render(words=words, company=company, root=root, **values)
    return HTMLResponse(text, status_code=status, headers={"Content-Language": words.language})


def document_views(
    items: list[ReminderItem], *, language: str, link: Callable[[ReminderItem], str] = lambda _: ""
) -> list[DocumentView]:
    """Write the documents of a message; ``link`` gives where one can be had, "" where it cannot."""
    return [
        DocumentView(
            id=each.item,
            name=each.item,
            reference=each.reference,
            due_on=short_day_text(each.due_on, language=language),
            open=amount_text(each.open_minor - each.held_minor, currency=each.currency, language=language),
            link=link(each),
        )
        for each in items
    ]

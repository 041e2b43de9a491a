"""How the console's pages are written: templates with escaped values, words and figures in the user's language."""

import datetime
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final
from zoneinfo import ZoneInfo

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from console.web.inside.access import Person
from console.web.inside.asking import nonce
from console.web.inside.masking import masked_text
from console.web.inside.navigation import navigation
from console.web.inside.refusals import refusal_text
from console.web.inside.text_faults import text_fault_text
from notifiers.writing.figures import amount_text, short_day_text

__all__ = ["LANGUAGES", "Words", "moments", "page", "said", "words_of"]

# Each by its own name: who has the wrong one must find his.
LANGUAGES: Final[Mapping[str, str]] = {"en": "English", "es": "Español", "pt": "Português"}
Words = Mapping[str, Any]


@cache
def words_of(language: str) -> Words:
    """Give the words of a language; others are told in English.

    Raises:
        ValueError: two files of a language have the same table.
    """
    stem = language.partition("-")[0]
    name = stem if stem in LANGUAGES else "en"
    words: dict[str, Any] = {}
    folder = resources.files("console.web.inside").joinpath("words", name)
    for file in sorted(
        folder.iterdir(), key=lambda each: each.name
    ):  # a file per area, tables of its own in each
        found = tomllib.loads(file.read_text(encoding="utf-8"))
        twice = words.keys() & found.keys()
        if twice:
            raise ValueError(f"{file.name} has words again that another file has: {', '.join(sorted(twice))}")
        words |= found
    return words


def page(
    name: str, *, person: Person | None = None, language: str = "en", status: int = 200, **values: Any
) -> HTMLResponse:
    """Write a page for a person (None: nobody is logged in, ``language`` is the browser's)."""
    words = words_of(language if person is None else person.language)
    tongue = words["language"]

    def money(minor: int, currency: str) -> str:
        return amount_text(minor, currency=currency, language=tongue)

    def day(on: datetime.date | None) -> str:
        return "" if on is None else short_day_text(on, language=tongue)

    def instant(at: datetime.datetime | None) -> str:
        return "" if at is None else f"{day(at.date())} {at:%H:%M} UTC"

    def say(table: str, name: str) -> str:
        return said(words, table, name)

    def prose(text: str, names: Iterable[str] = ()) -> str:
        return text if person is None or person.may("collector") else masked_text(text, names=names)

    known = {
        "w": words,
        "person": person,
        "money": money,
        "day": day,
        "instant": instant,
        "say": say,
        "prose": prose,
        "refusal": lambda detail: refusal_text(detail, words=words),
        "text_fault": lambda detail: text_fault_text(detail, words=words),
        "nonce": nonce,
        "navigation": navigation,
        "languages": LANGUAGES,
    }
    text = _environment().get_template(name).render(known | values)
    return HTMLResponse(text, status_code=status, headers={"Content-Language": tongue})


def said(words: Words, table: str, name: str) -> str:
    """Give the word for a name; what people have named themselves, such as a level, stays as they wrote it."""
    return str(words.get(table, {}).get(name, name.replace("_", " ")))


def moments(zone: ZoneInfo, *, language: str) -> dict[str, Any]:
    """Give what writes instants for a template, in a company's zone: ``moment`` with its time, ``moment_day`` without.

    A business time that is a day only stays one.
    """
    tongue = words_of(language)["language"]

    def local(when: str | datetime.datetime) -> datetime.datetime | datetime.date:
        if isinstance(when, str) and len(when) == len("2026-03-02"):
            return datetime.date.fromisoformat(when)
        at = datetime.datetime.fromisoformat(when) if isinstance(when, str) else when
        return (at if at.tzinfo else at.replace(tzinfo=datetime.UTC)).astimezone(zone)

    def moment_day(when: str | datetime.datetime) -> str:
        if not when:
            return ""
        at = local(when)
        return short_day_text(at.date() if isinstance(at, datetime.datetime) else at, language=tongue)

    def moment(when: str | datetime.datetime) -> str:
        at = local(when) if when else None
        return moment_day(when) + (f" {at:%H:%M}" if isinstance(at, datetime.datetime) else "")

    return {"moment": moment, "moment_day": moment_day}


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("console.web.inside"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

"""The words of the pages behind links, one TOML file per language, read once and checked as a whole."""

import tomllib
from functools import cache
from importlib import resources
from typing import Final, Literal

import msgspec
from msgspec import Struct

from schemas.answers import AnswerKind
from schemas.events import Means

__all__ = ["LANGUAGES", "DisputeReason", "Words", "accepted_language", "words_of"]

LANGUAGES: Final = ("en", "es", "pt")
DisputeReason = Literal["not_received", "faulty", "wrong_amount", "already_paid", "not_ordered", "other"]
_Channel = Literal["email", "sms", "letter"]


class Words(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Texts with ``{braces}``; ``said``, ``errors`` and ``faults`` are by what happened, ``labels`` by field."""

    language: str
    answer_title: str
    answer_intro: str
    documents: str
    letter: str
    choose: str
    choices: dict[AnswerKind, str]
    hints: dict[AnswerKind, str]
    which: dict[AnswerKind, str]
    labels: dict[str, str]
    notes: dict[str, str]
    means: dict[Means, str]
    reasons: dict[DisputeReason, str]
    send: str
    back: str
    optional: str
    required: str
    errors_title: str
    errors: dict[str, str]
    said_title: str
    said: dict[AnswerKind, str]
    said_again: str
    unsubscribe_title: str
    unsubscribe_text: str
    unsubscribe_button: str
    unsubscribed_title: str
    unsubscribed_text: str
    channels: dict[_Channel, str]
    due: str
    faults: dict[str, str]
    fault_title: str


@cache
def words_of(language: str) -> Words:
    """Give the words of a language; its region does not matter. Others are told in English."""
    stem = language.partition("-")[0]
    name = stem if stem in LANGUAGES else "en"
    text = resources.files("console.web.outside").joinpath(f"words.{name}.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Words)


def accepted_language(header: str) -> str:
    """Give the first language of an Accept-Language header that there are words in; else English."""
    ranked = sorted(
        (-_weight(part), position, part.partition(";")[0].strip().partition("-")[0].lower())
        for position, part in enumerate(header[:500].split(","))
    )
    return next((name for _, _, name in ranked if name in LANGUAGES), "en")


def _weight(part: str) -> float:
    text = part.partition("q=")[2].strip()[:5]
    return float(text) if text.replace(".", "", 1).isascii() and text.replace(".", "", 1).isdecimal() else 1.0

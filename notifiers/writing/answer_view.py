"""What the company's desk reads of a customer's answer (S4-17): finished texts, like all that templates see.

The words are the company's; what the customer wrote stands as it was written.
"""

from collections.abc import Iterator
from functools import cache
from importlib import resources

import msgspec
from msgspec import Struct

from notifiers.writing.figures import amount_text, day_text
from processors.money import to_minor
from schemas.answers import AnswerKind, AnswerSaid
from schemas.events import Means

__all__ = ["AnswerView", "answer_view"]


class AnswerView(Struct, frozen=True, kw_only=True):
    """Who answered, what in a word, and the rest as labelled lines."""

    who: str
    what: str
    lines: tuple[tuple[str, str], ...]


class _Words(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    documents: str
    amount: str
    paid_on: str
    pay_on: str
    means: str
    reference: str
    reason: str
    text: str
    by: str
    reach: str
    files: str
    kinds: dict[AnswerKind, str]
    means_of: dict[Means, str]


def answer_view(said: AnswerSaid, *, who: str, language: str) -> AnswerView:
    """Write an answer in a language.

    Raises:
        ValueError: there are no words in it.
    """
    words = _words_of(language.partition("-")[0])
    return AnswerView(
        who=who, what=words.kinds[said.kind], lines=tuple(_lines(said, words=words, language=language))
    )


def _lines(said: AnswerSaid, *, words: _Words, language: str) -> Iterator[tuple[str, str]]:
    amount = ""
    if said.amount is not None and said.currency is not None:
        minor = to_minor(said.amount, currency=said.currency)
        amount = amount_text(minor, currency=said.currency, language=language)
    on = "" if said.on is None else day_text(said.on, language=language)
    written = (
        (words.documents, ", ".join(said.documents)),
        (words.paid_on if said.kind == "paid" else words.pay_on, on),
        (words.amount, amount),
        (words.means, "" if said.means is None else words.means_of[said.means]),
        (words.reference, said.reference),
        (words.reason, said.reason),
        (words.text, " ".join(said.text.split())),
        (words.by, said.by),
        (words.reach, said.reach),
        (words.files, ", ".join(each.name for each in said.files)),
    )
    yield from ((label, text) for label, text in written if text)


@cache
def _words_of(language: str) -> _Words:
    folder = resources.files("notifiers") / "templates" / "layout"
    file = folder / f"answer.{language}.toml"
    if not file.is_file():
        raise ValueError(f"there are no words for answers in {language!r}")
    return msgspec.toml.decode(file.read_bytes(), type=_Words)

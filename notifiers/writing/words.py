"""The fixed words of a message, one TOML file per language, read once and checked as a whole.

A company's own words stand before the shipped ones, word by word; what is
filled into them is what the shipped ones have filled in, and nothing else.
"""

import re
import string
from functools import cache
from pathlib import Path
from typing import Final, get_args

import msgspec
from msgspec import Struct, structs

from notifiers.writing.shelf import TEMPLATE_BYTES_MAX
from schemas.fields import TextLanguage

__all__ = ["LANGUAGES", "Words", "WordsError", "own_words", "words_of"]

LANGUAGES: Final = tuple(sorted(get_args(TextLanguage)))
_WORD_MAX: Final = 500
# All that a file of words needs of TOML. The rest can hurt who reads it: ten thousand dots in a name take minutes,
# ten thousand brackets all of the stack.
_LINE: Final = re.compile(
    r"""[ \t]*(?:[a-z0-9_]{1,40}[ \t]*=[ \t]*(?:"(?:[^"\\]|\\.)*"|'[^']*')[ \t]*)?(?:\#.*)?\r?"""
)


class WordsError(ValueError):
    """A company's own words cannot be used."""


class Words(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"and_": "and"}):
    """Labels and short phrases; ``{braces}`` are filled by the view."""

    greeting: str
    farewell: str
    what_one: str
    what_other: str
    and_: str
    document: str
    issued: str
    due: str
    status: str
    open: str
    total: str
    other_total: str
    overdue_one: str
    overdue_other: str
    due_today: str
    due_one: str
    due_other: str
    nothing_open: str
    part_of: str
    unlisted_one: str
    unlisted_other: str
    others: str
    charges: str
    charge_interest: str
    charge_fixed_sum: str
    charge_fee: str
    charge_returned_payment: str
    charge_further: str
    charge_total: str
    credits: str
    credit_note: str
    credit_payment: str
    credit_total: str
    payment: str
    phone: str
    email: str
    tax_id: str
    customer: str
    date: str
    page: str
    aging: str
    age_not_due: str
    age_1: str
    age_2: str
    age_3: str
    age_4: str
    pay_now: str
    pay_amount: str
    pay_document: str
    report: str
    report_lead: str
    report_lead_other: str
    attached: str
    enclosed: str
    scan: str
    rebuilt_file: str
    unsubscribe: str


@cache
def words_of(language: str) -> Words:
    """Give the words of a language; its region does not matter ('es-CL' is 'es').

    Raises:
        ValueError: there are none in this language.
    """
    stem = language.partition("-")[0]
    if stem not in LANGUAGES:
        raise ValueError(f"there are no texts in {language!r}; there are: {', '.join(LANGUAGES)}")
    file = Path(__file__).parents[1] / "templates" / "layout" / f"labels.{stem}.toml"
    return msgspec.toml.decode(file.read_bytes(), type=Words)


def own_words(words: Words, *, file: Path) -> Words:
    """Give ``words`` with those of a company's file in their place.

    Raises:
        WordsError: it is not a word and its text a line, there is no such word, or one has a
            place to fill in that the shipped one has not.
    """
    with file.open("rb") as opened:
        content = opened.read(TEMPLATE_BYTES_MAX + 1)
    if len(content) > TEMPLATE_BYTES_MAX:
        raise WordsError(f"{file.name} is larger than {TEMPLATE_BYTES_MAX:,} bytes")
    try:
        text = content.decode()
        for number, line in enumerate(text.split("\n"), start=1):
            if not _LINE.fullmatch(line):
                raise WordsError(
                    f'{file.name}, line {number}: a line is a word and its text: document = "Factura"'
                )
        said = msgspec.toml.decode(text, type=dict[str, str])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise WordsError(f"{file.name}: {error}") from error
    known = {field.encode_name: field.name for field in structs.fields(words)}
    for name, text in said.items():
        if name not in known:
            raise WordsError(f"{file.name}: there is no word {name!r}")
        if problem := _problem(text, shipped=getattr(words, known[name])):
            raise WordsError(f"{file.name}: {name} {problem}")
    return structs.replace(words, **{known[name]: text for name, text in said.items()})


def _problem(text: str, *, shipped: str) -> str:
    """Say why a text cannot be filled in as the shipped one is; a format such as ``{name:>999999}`` is no place."""
    if len(text) > _WORD_MAX:
        return f"is longer than {_WORD_MAX} characters"
    places = {name for _, name, _, _ in string.Formatter().parse(shipped) if name is not None}
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError as error:
        return f"has braces that do not fit: {error}"
    for _, name, form, conversion in parsed:
        if name is None:
            continue
        if name not in places or form or conversion:
            there = ", ".join(f"{{{each}}}" for each in sorted(places)) or "none"
            return f"has the place {{{name}}}, and there are: {there}"
    return ""

"""The fixed words of a message, one TOML file per language, read once and checked as a whole."""

from functools import cache
from importlib import resources

import msgspec
from msgspec import Struct

__all__ = ["LANGUAGES", "Words", "words_of"]

LANGUAGES = ("en", "es")


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


@cache
def words_of(language: str) -> Words:
    """Give the words of a language; its region does not matter ('es-CL' is 'es').

    Raises:
        ValueError: there are none in this language.
    """
    stem = language.partition("-")[0]
    if stem not in LANGUAGES:
        raise ValueError(f"there are no texts in {language!r}; there are: {', '.join(LANGUAGES)}")
    file = resources.files("notifiers") / "templates" / "layout" / f"labels.{stem}.toml"
    return msgspec.toml.decode(file.read_bytes(), type=Words)

"""What is wrong with a form, in the user's language and by field: of what the routes refuse, and of what intake would.

Both say it in English, for those who write programs. What has no word here stays as it was said.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi.exceptions import RequestValidationError

from console.web.amounts import AmountError
from console.web.inside.refilling import FormFault
from console.web.plain import CONTROL_CHARACTER

__all__ = ["FORM_WORDS", "amount_fault", "refused_fields", "said_problems"]

# What a form brings beside its fields: where one of these is missing, it is not one of ours.
FORM_WORDS: Final = ("csrf", "nonce")
# From the kind of a refusal to the word of [form_faults] that says it.
_KINDS: Final = (
    ("empty", re.compile(r"missing|string_too_short")),
    ("too_long", re.compile(r"string_too_long|too_long")),
    ("no_date", re.compile(r"date|time")),
    ("unprintable", re.compile(CONTROL_CHARACTER)),
    ("no_choice", re.compile(r"literal_error|enum|bool|string_pattern_mismatch")),
    ("no_number", re.compile(r"int|float|decimal")),
    ("too_small", re.compile(r"greater_than")),
    ("too_large", re.compile(r"less_than")),
)
_SAID: Final = (
    ("too_long", re.compile(r"of length <= (?P<most>\d+)")),
    ("empty", re.compile(r"of length >= 1\b")),
    ("years", re.compile(r"is outside the years (?P<first>\d+) to (?P<last>\d+)")),
    (
        "no_amount",
        re.compile(r"is no plain decimal|is not above zero|is no amount|is not a decimal|decimals?\b"),
    ),
    ("no_amount", re.compile(r"^amount ")),
    ("no_currency", re.compile(r"currency")),
    ("unprintable", re.compile(r"cannot be printed, or space around it")),
    ("no_id", re.compile(r"may hold letters, digits")),
)
_PATH: Final = re.compile(r" - at `\$\.(?P<path>[^`]+)`$")
# A form's name of what a command calls otherwise.
_CALLED: Final = {
    "document": ("item",),
    "next_on": ("on",),
    "occurred_at": ("on",),
    "payment": ("number",),
    "amount": ("total",),
    "bank_account": ("account",),
}


def amount_fault(error: AmountError, *, words: Mapping[str, Any]) -> str:
    """Say what is wrong with an amount; ``words`` are those of [form_faults]."""
    return str(words[error.word]).format(**error.values)


def refused_fields(error: RequestValidationError, *, words: Mapping[str, Any]) -> list[FormFault]:
    """Say what a route refuses of a form; empty: it is not the form's fields that are wrong, or it is none of ours."""
    found: dict[str, FormFault] = {}
    for each in error.errors():
        place = [str(part) for part in each["loc"]]
        if place[0] != "body" or len(place) < 2 or place[1] in FORM_WORDS:
            return []
        text = _kind_text(each["type"], limits=each.get("ctx", {}), words=words)
        found.setdefault(place[1], FormFault(field=place[1], text=text))
    return list(found.values())


def _kind_text(kind: str, *, limits: Mapping[str, Any], words: Mapping[str, Any]) -> str:
    told: Mapping[str, str] = words["form_faults"]
    name = next((name for name, pattern in _KINDS if pattern.match(kind)), "wrong")
    most = next((limits[each] for each in ("max_length", "le", "lt") if each in limits), "")
    least = next((limits[each] for each in ("ge", "gt") if each in limits), "")
    return told[name].format(most=most, least=least)


def said_problems(
    problems: Sequence[str], *, names: Sequence[str], words: Mapping[str, Any]
) -> list[FormFault]:
    """Say what intake would refuse of a command, by the field that it is about.

    Args:
        problems: as ``processors.validation`` tells them, or as a page says them to people.
        names: the fields of the form.
        words: the user's.
    """
    return [_problem(each, names=names, words=words) for each in problems]


def _problem(said: str, *, names: Sequence[str], words: Mapping[str, Any]) -> FormFault:
    place = _PATH.search(said)
    if place is None:
        return FormFault(field="", text=said)
    told: Mapping[str, str] = words["form_faults"]
    path = place["path"].partition(".")[0].partition("[")[0]
    field = next((each for each in (path, *_CALLED.get(path, ())) if each in names), "")
    for name, pattern in _SAID:
        if found := pattern.search(said):
            limits = {each: value or "" for each, value in found.groupdict().items()}
            return FormFault(field=field, text=told[name].format(**limits))
    return FormFault(field=field, text=said.removesuffix(place[0]))

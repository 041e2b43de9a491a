"""A company's profile as a form: its fields by section, as text, and read back with what is wrong with each.

What a field may hold follows from the contract (``ConfigureCompany``); what the contract cannot say is asked of
``processors.validation``, as intake does. A field that a form does not bring stays as it is.
"""

import datetime
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct, inspect
from msgspec.structs import replace

from console.web.amounts import AmountError, read_amount, typed_text
from processors.validation import problems
from schemas.commands import ConfigureCompany

__all__ = ["SECTIONS", "Field", "FieldFault", "Reading", "as_text", "changed_fields", "field", "read_profile"]

SECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "who": ("name", "tax_id", "address", "phone", "country", "currency", "language", "time_zone", "logo"),
    "switches": (
        "automatic",
        "courtesies",
        "invoice_messages",
        "payment_messages",
        "correction_messages",
        "statements",
        "statement_day",
        "statement_pdf",
    ),
    "start": ("enrolment", "past_from", "new_from", "decision_hour"),
    "texts": (
        "sender_email",
        "payment_instructions",
        "payment_link",
        "footer",
        "letter_layout",
        "letter_documents",
    ),
    "answers": ("answers_to", "answer_rest_days", "answer_promise_days", "answer_disputes"),
    "plan": ("plan", "group_plans", "min_days_between_contacts", "raise_all_to_max", "currencies_apart"),
    "money": ("minimums", "tolerances", "credit_policy", "auto_apply", "payment_terms_days"),
    "banks": ("bank_accounts", "bank_alert_hour"),
    "charges": ("late_charges", "money_pays", "returned_payment_fees", "unit_values"),
    "people": ("next_action_days", "promise_tolerance_days", "promises_per_episode", "retention_days"),
}
_LONG: Final = frozenset({"payment_instructions", "footer"})
# Amounts by currency; those of units are the company's currency's.
_AMOUNTS: Final = frozenset({"minimums", "tolerances", "returned_payment_fees", "unit_values"})
_NEEDED: Final = frozenset({"name", "time_zone", "currency"})
Kind = Literal["text", "long", "lines", "number", "flag", "choice", "day", "pairs"]


class Field(Struct, frozen=True, kw_only=True):
    """What a field may hold; ``pairs`` are a name and a value a line."""

    name: str
    kind: Kind
    least: int | None = None
    most: int | None = None
    characters_max: int | None = None
    choices: tuple[str, ...] = ()
    is_needed: bool = False


class FieldFault(Struct, frozen=True, kw_only=True):
    """What is wrong with a field: ``said`` is a key of the words, ``detail`` what nobody translates (a value).

    Of an amount (``said`` is 'amount'): ``word`` is a key of [form_faults], ``values`` fill it in.
    """

    field: str
    said: str
    detail: str = ""
    word: str = ""
    values: tuple[tuple[str, str], ...] = ()


class Reading(Struct, frozen=True, kw_only=True):
    """A form that was read: a profile, or what is wrong; ``given`` is what stands in the fields in any case."""

    profile: ConfigureCompany | None
    faults: tuple[FieldFault, ...]
    given: Mapping[str, str]


@cache
def field(name: str) -> Field:
    """Give what a field of the profile may hold."""
    kinds = [each for each in _types(name) if not isinstance(each, inspect.NoneType)]
    if len(kinds) > 1:
        return Field(name=name, kind="choice", choices=tuple(_literals(kinds)))
    kind = kinds[0]
    made = Field(name=name, kind="text", is_needed=name in _NEEDED)
    match kind:
        case inspect.BoolType():
            made = replace(made, kind="flag", choices=("true", "false"))
        case inspect.LiteralType():
            made = replace(made, kind="choice", choices=tuple(map(str, kind.values)))
        case inspect.IntType():
            made = replace(made, kind="number", least=kind.ge, most=kind.le)
        case inspect.DateType():
            made = replace(made, kind="day")
        case inspect.DictType():
            made = replace(made, kind="pairs")
        case inspect.VarTupleType():
            made = replace(made, kind="lines", most=kind.max_length)
        case inspect.StrType():
            made = replace(made, kind="long" if name in _LONG else "text", characters_max=kind.max_length)
        case _:
            raise TypeError(f"a form has no field for {name}: {kind}")
    return made


def _types(name: str) -> list[inspect.Type]:
    info = inspect.type_info(ConfigureCompany)
    fields = info.fields if isinstance(info, inspect.StructType) else ()
    kind = next(each.type for each in fields if each.name == name)
    kind = kind.type if isinstance(kind, inspect.Metadata) else kind
    return list(kind.types) if isinstance(kind, inspect.UnionType) else [kind]


def _literals(parts: list[inspect.Type]) -> Iterator[str]:
    for each in parts:
        if isinstance(each, inspect.LiteralType):
            yield from map(str, each.values)


def every_field() -> Iterator[Field]:
    """Walk the fields in the order of the form."""
    for names in SECTIONS.values():
        yield from (field(name) for name in names)


def as_text(profile: ConfigureCompany, *, language: str) -> dict[str, str]:
    """Write each field as it stands in the form, amounts as people of this language type them."""
    said = {each.name: _written(getattr(profile, each.name)) for each in every_field()}
    for name in _AMOUNTS:
        amounts = getattr(profile, name).items()
        said[name] = _written({one: typed_text(each, language=language) for one, each in amounts})
    return said


def _written(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case tuple():
            return "\n".join(value)
        case dict():
            return "\n".join(f"{name} {each}" for name, each in value.items())
        case datetime.date():
            return value.isoformat()
        case _:
            return str(value)


def changed_fields(one: ConfigureCompany, other: ConfigureCompany) -> list[str]:
    """List the fields in which two profiles differ, in the order of the form."""
    return [each.name for each in every_field() if getattr(one, each.name) != getattr(other, each.name)]


def read_profile(
    given: Mapping[str, str], *, known: ConfigureCompany, common: Mapping[str, Any], language: str
) -> Reading:
    """Read a form over the profile that stands; all that is wrong is said, field by field.

    Args:
        given: what the form brought, by field; others stay as they are.
        known: the profile that it changes.
        common: what each command of a company has.
        language: of the form: amounts are read as it writes them.
    """
    said = as_text(known, language=language) | {
        each.name: given[each.name] for each in every_field() if each.name in given
    }
    values: dict[str, Any] = {}
    faults: list[FieldFault] = []
    for each in every_field():
        try:
            values[each.name] = _value(each, said[each.name].replace("\r\n", "\n"))
            if each.name in _AMOUNTS:
                of = said["currency"].strip() if each.name == "unit_values" else ""
                values[each.name] = dict(_amounts(values[each.name], currency=of, language=language))
        except _WrongError as error:
            told = FieldFault(field=each.name, said=error.said, detail=error.detail)
            why = error.__cause__
            if isinstance(why, AmountError):
                told = replace(told, word=why.word, values=tuple(why.values.items()))
            faults.append(told)
    if faults:
        return Reading(profile=None, faults=tuple(faults), given=said)
    try:
        profile = msgspec.convert({**common, **values}, ConfigureCompany)
    except msgspec.ValidationError as error:
        return Reading(profile=None, faults=(_of_contract(str(error)),), given=said)
    found = tuple(dict.fromkeys(map(_of_contract, problems(profile))))
    return Reading(profile=None if found else profile, faults=found, given=said)


class _WrongError(ValueError):
    """A text is no value of its field."""

    def __init__(self, said: str, detail: str = "") -> None:
        super().__init__(said)
        self.said, self.detail = said, detail


def _value(what: Field, text: str) -> Any:
    """Read one field.

    Raises:
        _WrongError: it is none.
    """
    text = text.strip()
    match what.kind:
        case "flag" | "choice":
            if text not in what.choices:
                raise _WrongError("choice")
            return text == "true" if what.kind == "flag" else text
        case "number":
            return _number(what, text)
        case "day":
            return _day(text)
        case "lines":
            return tuple(line.strip() for line in text.split("\n") if line.strip())
        case "pairs":
            return dict(_pairs(text))
        case "text" | "long":
            if not text and what.is_needed:
                raise _WrongError("needed")
            if len(text) > (what.characters_max or len(text)):
                raise _WrongError("too_long", str(what.characters_max))
            return text


def _number(what: Field, text: str) -> int:
    is_number = text.isascii() and text.isdecimal() and len(text) < 12
    if not is_number or not (what.least or 0) <= int(text) <= (what.most or int(text)):
        raise _WrongError("number", f"{what.least}–{what.most}")
    return int(text)


def _day(text: str) -> str | None:
    try:
        return datetime.date.fromisoformat(text).isoformat() if text else None
    except ValueError as error:
        raise _WrongError("day") from error


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for line in text.split("\n"):
        name, _, value = line.strip().partition(" ")
        if name and not value.strip():
            raise _WrongError("pairs", line.strip())
        if name:
            yield name, value.strip()


def _amounts(pairs: Mapping[str, str], *, currency: str, language: str) -> Iterator[tuple[str, str]]:
    for name, value in pairs.items():
        try:
            yield name, read_amount(value, currency=currency or name, language=language, may_be_zero=True)
        except AmountError as error:
            raise _WrongError("amount", f"{name} {value}") from error


def _of_contract(problem: str) -> FieldFault:
    """Find whose field a problem of intake's is; each field has words of its own for what it refuses."""
    detail, _, path = problem.rpartition(" - at `")
    name = path.rstrip("`").removeprefix("$.").partition(".")[0].partition("[")[0]
    return FieldFault(field=name, said="refused", detail=detail)

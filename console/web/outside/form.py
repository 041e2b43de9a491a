"""A reader's form, read: fields as they were typed become an answer, or what is wrong with them, by field.

Pure: no request, no database, no clock. It refuses documents that the message does not show.
"""

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, get_args

from msgspec import Struct

from console.web.amounts import AmountError, read_amount
from console.web.outside.words import DisputeReason, Words
from processors.money import to_minor, to_text
from schemas.answers import AnswerFile, AnswerKind, AnswerSaid
from schemas.events import Means

__all__ = ["KINDS", "Given", "Shown", "amount_of", "day_of", "read_form"]

KINDS: Final[tuple[AnswerKind, ...]] = get_args(AnswerKind)
_TEXT_MAX: Final = 2_000
_SHORT_MAX: Final = 200
_REACH_MAX: Final = 254
_AHEAD_DAYS_MAX: Final = 366
_DAY: Final = re.compile(r"\s*(?:(\d{4})-(\d{1,2})-(\d{1,2})|(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}))\s*")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class Shown(Struct, frozen=True, kw_only=True):
    """What the form was about: documents and currencies of the message, and the company's day."""

    documents: tuple[str, ...]
    currencies: tuple[str, ...]
    today: datetime.date
    language: str


class Given(Struct, frozen=True, kw_only=True):
    """The fields as they were typed, to be shown again."""

    kind: AnswerKind
    documents: tuple[str, ...] = ()
    on: str = ""
    amount: str = ""
    currency: str = ""
    means: str = ""
    reference: str = ""
    reason: str = ""
    text: str = ""
    by: str = ""
    reach: str = ""


def read_form(
    given: Given, *, shown: Shown, words: Words, files: Sequence[AnswerFile]
) -> tuple[AnswerSaid, dict[str, str]]:
    """Read the fields; the answer is good where nothing is wrong by field name."""
    errors: dict[str, str] = {}
    documents = tuple(name for name in shown.documents if name in given.documents)
    on = _on(given, shown=shown, errors=errors)
    amount, currency = _amount(given, shown=shown, errors=errors)
    has_amount = given.kind in ("paid", "will_pay", "dispute")
    if given.kind in ("paid", "will_pay", "dispute") and not documents and shown.documents:
        errors["documents"] = "documents"
    if given.kind == "dispute" and given.reason not in get_args(DisputeReason):
        errors["reason"] = "reason"
    if given.means and given.means not in get_args(Means):
        errors["means"] = "means"
    if given.kind == "other" and not given.text.strip():
        errors["text"] = "text"
    errors |= dict.fromkeys(_too_long(given), "long")
    said = AnswerSaid(
        kind=given.kind,
        documents=() if given.kind == "wrong_person" else documents,
        amount=amount if has_amount else None,
        currency=currency if has_amount and amount is not None else None,
        on=on,
        means=_means(given),
        reference=_line(given.reference) if given.kind == "paid" else "",
        reason=_reason(given, words=words),
        text=_CONTROL.sub(" ", given.text).strip()[:_TEXT_MAX],
        by=_line(given.by),
        reach=_line(given.reach, most=_REACH_MAX),
        files=tuple(files),
    )
    return said, {name: words.errors[key] for name, key in errors.items()}


def day_of(text: str) -> datetime.date | None:
    """Read a day as browsers send it (YYYY-MM-DD), or as people write it (DD/MM/YYYY); None: it is none."""
    found = _DAY.fullmatch(text)
    if found is None:
        return None
    year, month, day, day_first, month_then, year_last = found.groups()
    try:
        return datetime.date(int(year or year_last), int(month or month_then), int(day or day_first))
    except ValueError:
        return None


def amount_of(text: str, *, currency: str, language: str) -> str | None:
    """Read an amount above zero as people write it (``console.web.amounts``), in full decimals; None: it is none."""
    try:
        plain = read_amount(text, currency=currency, language=language)
    except AmountError:
        return None
    return to_text(to_minor(plain, currency=currency), currency=currency)


def _on(given: Given, *, shown: Shown, errors: dict[str, str]) -> datetime.date | None:
    if given.kind not in ("paid", "will_pay"):
        return None
    on = day_of(given.on)
    if on is None:
        errors["on"] = "on"
    elif given.kind == "paid" and on > shown.today:
        errors["on"] = "on_future"
    elif given.kind == "will_pay" and on < shown.today:
        errors["on"] = "on_past"
    elif abs((on - shown.today).days) > _AHEAD_DAYS_MAX:
        errors["on"] = "on_far" if on > shown.today else "on"
    return on


def _amount(given: Given, *, shown: Shown, errors: dict[str, str]) -> tuple[str | None, str | None]:
    if not given.amount.strip() or given.kind not in ("paid", "will_pay", "dispute"):
        return None, None
    currency = given.currency or (shown.currencies[0] if len(shown.currencies) == 1 else "")
    if currency not in shown.currencies:
        errors["currency" if len(shown.currencies) > 1 else "amount"] = "currency"
        return None, None
    amount = amount_of(given.amount, currency=currency, language=shown.language)
    if amount is None:
        errors["amount"] = "amount"
    return amount, currency


def _means(given: Given) -> Means | None:
    known: dict[str, Means] = {each: each for each in get_args(Means)}
    return known.get(given.means) if given.kind == "paid" else None


def _reason(given: Given, *, words: Words) -> str:
    known: Mapping[str, str] = words.reasons  # type: ignore[assignment]  # its keys are texts
    return known.get(given.reason, "") if given.kind == "dispute" else ""


def _too_long(given: Given) -> Iterable[str]:
    limits = {"reference": _SHORT_MAX, "text": _TEXT_MAX, "by": _SHORT_MAX, "reach": _REACH_MAX}
    # Browsers count a line break as one character and send two.
    return [name for name, most in limits.items() if len(getattr(given, name).replace("\r\n", "\n")) > most]


def _line(text: str, *, most: int = _SHORT_MAX) -> str:
    return " ".join(_CONTROL.sub(" ", text).split())[:most]

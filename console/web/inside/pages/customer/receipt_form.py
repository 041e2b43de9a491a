"""A receipt as somebody typed it, and the payment that it means; what is wrong is said by field, and nothing typed is lost."""

import datetime
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, cast, get_args

from msgspec import Struct, field

from infra.database.queries.customer_sheet import SheetItem
from processors.money import MoneyError, exponent, to_minor
from schemas.events import Means, PaymentLine, PaymentReceived

__all__ = ["AMOUNT_FOR", "MEANS", "STATES", "Receipt", "is_currency", "payment_of", "plain_amount"]

MEANS: Final = get_args(Means)
_State = Literal["cleared", "received", "deposited"]
STATES: Final = get_args(_State)
AMOUNT_FOR: Final = "amount for "  # begins the name of the field of a document's part
_CONDITIONAL: Final = frozenset({"cheque", "direct_debit", "promissory_note"})
_AMOUNT: Final = re.compile(r"[0-9]{1,15}(\.[0-9]{1,4})?")


class Receipt(Struct, frozen=True, kw_only=True):
    """What was typed, as text; ``documents`` are ticked, ``amounts`` by document; ``further`` is one that is named by its number."""

    number: str = ""
    on: str = ""
    total: str = ""
    currency: str = ""
    means: str = "transfer"
    state: str = "cleared"
    payable_on: str = ""
    documents: tuple[str, ...] = ()
    amounts: dict[str, str] = field(default_factory=dict)
    further: str = ""
    further_amount: str = ""


def plain_amount(typed: str) -> str:
    """Write a typed amount as events have it: '1250,5' is '1250.5'; what is ambiguous stays, and is refused."""
    said = "".join(typed.split())
    return said.replace(",", ".") if said.count(",") == 1 and "." not in said else said


def payment_of(
    receipt: Receipt,
    *,
    company: str,
    customer: str,
    payment: str,
    open_items: Sequence[SheetItem],
    today: datetime.date,
    words: Mapping[str, Any],
) -> PaymentReceived | list[tuple[str, str]]:
    """Give the payment that a receipt means, or what is wrong with it: (field, text).

    Args:
        receipt: as it was typed.
        company, customer: whose it is.
        payment: its id where no number was typed.
        open_items: the documents that it may name.
        today: the company's.
        words: what is wrong, in the user's language.
    """
    on, payable_on = _day(receipt.on), _day(receipt.payable_on)
    total = plain_amount(receipt.total)
    wrong = _no_choices(receipt, words)
    if not _is_amount(total, receipt.currency):
        wrong.append(("total", words["bad_amount"]))
    if receipt.payable_on and payable_on is None:
        wrong.append(("payable_on", words["no_date"]))
    if on is None or on > today:
        wrong.append(("on", words["future"] if on else words["on"]))
    lines, wrong_lines = _lines(receipt, open_items, words)
    wrong += wrong_lines
    if wrong:
        return wrong
    named = sum(to_minor(each.amount, currency=receipt.currency) for each in lines if each.amount)
    if named > to_minor(total, currency=receipt.currency):
        return [("total", words["too_little"])]
    is_conditional = receipt.means in _CONDITIONAL
    return PaymentReceived(
        company=company,
        customer=customer,
        occurred_at=receipt.on,
        payment=receipt.number.strip() or payment,
        currency=receipt.currency,
        amount=total,
        lines=tuple(lines),
        means=cast("Means", receipt.means),
        state=cast("_State", receipt.state) if is_conditional else "cleared",
        payable_on=payable_on if is_conditional else None,
    )


def _no_choices(receipt: Receipt, words: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    if not is_currency(receipt.currency):
        found.append(("currency", words["no_currency"]))
    if receipt.means not in MEANS:
        found.append(("means", words["no_choice"]))
    if receipt.state not in STATES:
        found.append(("state", words["no_choice"]))
    return found


def _lines(
    receipt: Receipt, open_items: Sequence[SheetItem], words: Mapping[str, Any]
) -> tuple[list[PaymentLine], list[tuple[str, str]]]:
    known = {each.item: each for each in open_items}
    lines: list[PaymentLine] = []
    wrong = [
        (f"{AMOUNT_FOR}{name}", words["not_chosen"])
        for name, typed in receipt.amounts.items()
        if typed.strip() and name not in receipt.documents
    ]
    named = [(name, f"{AMOUNT_FOR}{name}", receipt.amounts.get(name, "")) for name in receipt.documents]
    further = receipt.further.strip()
    if further and further in known and further not in receipt.documents:
        named.append((further, "further_amount", receipt.further_amount))
    elif further:
        wrong.append(("further", words["not_open"] if further not in known else words["ticked"]))
    elif receipt.further_amount.strip():
        wrong.append(("further_amount", words["not_chosen"]))
    for name, place, said in named:
        typed = plain_amount(said)
        item = known.get(name)
        if item is not None and item.currency != receipt.currency:
            wrong.append(("", words["other_currency"].format(item=name)))
        elif typed and not _is_amount(typed, receipt.currency):
            wrong.append((place, words["bad_amount"]))
        else:
            lines.append(PaymentLine(document=name, amount=typed or None))
    return lines, wrong


def is_currency(said: str) -> bool:
    """Say whether there is such a currency."""
    try:
        exponent(said)
    except MoneyError:
        return False
    return True


def _is_amount(said: str, currency: str) -> bool:
    if not _AMOUNT.fullmatch(said) or not is_currency(currency):
        return False
    # '1,250' and '1.250' are a thousand to most who write them so: nobody guesses, also where the last figure is a nought.
    return len(said.partition(".")[2]) <= exponent(currency) and float(said) > 0


def _day(said: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(said)
    except ValueError:
        return None  # it is said to be missing, by its field

"""A receipt as somebody typed it, and the payment that it means; what is wrong is said by field, and nothing typed is lost."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, cast, get_args

from msgspec import Struct, field

from console.web.amounts import AmountError, read_amount
from console.web.inside.form_faults import amount_fault
from infra.database.queries.customer_sheet import SheetItem
from processors.money import MoneyError, exponent, to_minor
from schemas.events import Means, PaymentLine, PaymentReceived

__all__ = ["AMOUNT_FOR", "MEANS", "STATES", "Receipt", "is_currency", "payment_of"]

MEANS: Final = get_args(Means)
_State = Literal["cleared", "received", "deposited"]
STATES: Final = get_args(_State)
AMOUNT_FOR: Final = "amount for "  # begins the name of the field of a document's part
_CONDITIONAL: Final = frozenset({"cheque", "direct_debit", "promissory_note"})


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


def payment_of(
    receipt: Receipt,
    *,
    company: str,
    customer: str,
    payment: str,
    open_items: Sequence[SheetItem],
    today: datetime.date,
    language: str,
    words: Mapping[str, Any],
) -> PaymentReceived | list[tuple[str, str]]:
    """Give the payment that a receipt means, or what is wrong with it: (field, text).

    Args:
        receipt: as it was typed.
        company, customer: whose it is.
        payment: its id where no number was typed.
        open_items: the documents that it may name.
        today: the company's.
        language: the user's: amounts are read as it writes them.
        words: what is wrong, in it.
    """
    on, payable_on = _day(receipt.on), _day(receipt.payable_on)
    wrong = _no_choices(receipt, words)
    total = ""
    try:
        total = read_amount(receipt.total, currency=receipt.currency, language=language)
    except AmountError as error:
        wrong.append(("total", amount_fault(error, words=words)))
    if receipt.payable_on and payable_on is None:
        wrong.append(("payable_on", words["no_date"]))
    if on is None or on > today:
        wrong.append(("on", words["future"] if on else words["on"]))
    lines, wrong_lines = _lines(receipt, open_items, words, language=language)
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
    receipt: Receipt, open_items: Sequence[SheetItem], words: Mapping[str, Any], *, language: str
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
        item = known.get(name)
        if item is not None and item.currency != receipt.currency:
            wrong.append(("", words["other_currency"].format(item=name)))
            continue
        try:
            has_amount = bool(said.strip())
            amount = read_amount(said, currency=receipt.currency, language=language) if has_amount else None
            lines.append(PaymentLine(document=name, amount=amount))
        except AmountError as error:
            wrong.append((place, amount_fault(error, words=words)))
    return lines, wrong


def is_currency(said: str) -> bool:
    """Say whether there is such a currency."""
    try:
        exponent(said)
    except MoneyError:
        return False
    return True


def _day(said: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(said)
    except ValueError:
        return None  # it is said to be missing, by its field

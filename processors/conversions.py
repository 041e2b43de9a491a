"""Parts of a payment that become credits of their own: of another currency, or for another customer's items.

A line may give the amount in the item's own currency, too: the rate is the payer's bank's, never ours, since
both amounts are in the line (SEMANTICS section 3). A line may name the item of another customer (2.6): that part
waits here for nobody, and is sent there (``transfers.follow``). What is split off counts no more in the payment.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from processors.account import Account
from processors.money import to_minor
from schemas.events import PaymentLine, PaymentReceived
from schemas.rows import CreditRow, Name

__all__ = [
    "converted_parts",
    "for_others",
    "own_lines",
    "part_in",
    "parts_of",
    "split_off",
    "with_own_items",
]


def with_own_items(event: PaymentReceived, *, account: Account) -> PaymentReceived:
    """Give a payment whose lines name another customer's items as the payer's own, where they have come to him since (2.6)."""
    if all(line.customer in (None, event.customer) for line in event.lines):
        return event
    return replace(event, lines=tuple(_own_item(line, account=account) for line in event.lines))


def own_lines(event: PaymentReceived) -> list[PaymentLine]:
    """List the lines that name the payer's own items in the payment's own currency."""
    return [line for line in event.lines if line.item_amount is None and not _other(event, line)]


def for_others(event: PaymentReceived, *, customer: str, currency: str) -> list[Name]:
    """List what a payment names of another customer's items in a currency, with amounts."""
    return [
        _name(event, line)
        for line in event.lines
        if _other(event, line) == customer and _currency(event, line) == currency
    ]


def split_off(event: PaymentReceived) -> int:
    """Give how much of the payment becomes credits of their own, in its own minor units."""
    lines = (line for line in event.lines if line.item_amount is not None or _other(event, line))
    return sum(to_minor(line.amount or "0", currency=event.currency) for line in lines)


def converted_parts(payment: CreditRow, event: PaymentReceived) -> list[CreditRow]:
    """Make the credits that lines become, one per currency and customer; the payer's own name their items."""
    named: dict[tuple[str, str], list[Name]] = {}
    for line in event.lines:
        customer = _other(event, line)
        if line.item_amount is not None or customer:
            named.setdefault((_currency(event, line), customer), []).append(_name(event, line))
    return [
        _part(payment, event, currency=currency, customer=customer, names=names)
        for (currency, customer), names in sorted(named.items())
    ]


def parts_of(account: Account, payment: CreditRow) -> list[CreditRow]:
    """Give a payment with all that became credits of their own, in the order of their coming."""
    return [payment, *_parts(account, payment)]


def part_in(account: Account, payment: CreditRow, *, currency: str) -> CreditRow:
    """Give the payer's own part of a payment in a currency; the payment itself where there is none."""
    parts = (part for part in parts_of(account, payment) if not part.for_customer)
    return next((part for part in parts if part.currency == currency), payment)


def _parts(account: Account, payment: CreditRow) -> Iterator[CreditRow]:
    for suffix in payment.converted_into:
        part = account.credits.get(f"{payment.credit}@{suffix}")
        if part is not None:
            yield part


def _part(
    payment: CreditRow, event: PaymentReceived, *, currency: str, customer: str, names: list[Name]
) -> CreditRow:
    amount_minor = sum(name.limit_minor or 0 for name in names)
    return CreditRow(
        account=payment.account,
        credit=f"{payment.credit}@{currency}" + (f">{customer}" if customer else ""),
        credit_kind="payment",
        document=event,
        currency=currency,
        amount_minor=amount_minor,
        effective_minor=amount_minor,
        rest_minor=0,
        names=[] if customer else names,
        received_on=payment.received_on,
        part_of=payment.credit,
        for_customer=customer,
    )


def _own_item(line: PaymentLine, *, account: Account) -> PaymentLine:
    for name in (line.document, f"{line.document} @{line.customer}"):
        item = account.items.get(name)
        if item is not None and item.moved_from == line.customer:
            return replace(line, customer=None, document=name)
    return line


def _other(event: PaymentReceived, line: PaymentLine) -> str:
    """Give whose item a line names where it is another customer's; '' for the payer's own."""
    return "" if line.customer in (None, event.customer) else line.customer or ""


def _currency(event: PaymentReceived, line: PaymentLine) -> str:
    return line.item_currency or event.currency


def _name(event: PaymentReceived, line: PaymentLine) -> Name:
    amount = line.amount if line.item_amount is None else line.item_amount
    return Name(document=line.document, limit_minor=to_minor(amount or "0", currency=_currency(event, line)))

"""Lines of a payment that give the amount in the item's own currency, too: that part becomes credit of that currency.

The rate is the payer's bank's, never ours: both amounts are in the line
(SEMANTICS section 3). What is converted counts no more in the payment's currency.
"""

from processors.account import Account
from processors.money import to_minor
from schemas.events import PaymentLine, PaymentReceived
from schemas.rows import CreditRow, Name

__all__ = ["converted_parts", "own_lines", "part_in", "parts_of", "split_off"]


def own_lines(event: PaymentReceived) -> list[PaymentLine]:
    """List the lines whose items are in the payment's own currency."""
    return [line for line in event.lines if line.item_amount is None]


def split_off(event: PaymentReceived) -> int:
    """Give how much of the payment is converted, in its own minor units."""
    lines = (line for line in event.lines if line.item_amount is not None)
    return sum(to_minor(line.amount or "0", currency=event.currency) for line in lines)


def converted_parts(payment: CreditRow, event: PaymentReceived) -> list[CreditRow]:
    """Make the credits that the converted lines become, one per currency; each names its items with their amounts."""
    names: dict[str, list[Name]] = {}
    for line in event.lines:
        if line.item_amount is not None and line.item_currency is not None:
            limit_minor = to_minor(line.item_amount, currency=line.item_currency)
            names.setdefault(line.item_currency, []).append(
                Name(document=line.document, limit_minor=limit_minor)
            )
    parts: list[CreditRow] = []
    for currency, named in sorted(names.items()):
        amount_minor = sum(name.limit_minor or 0 for name in named)
        parts.append(
            CreditRow(
                account=payment.account,
                credit=f"{payment.credit}@{currency}",
                credit_kind="payment",
                document=event,
                currency=currency,
                amount_minor=amount_minor,
                effective_minor=amount_minor,
                rest_minor=0,
                names=named,
                received_on=payment.received_on,
                part_of=payment.credit,
            )
        )
    return parts


def parts_of(account: Account, payment: CreditRow) -> list[CreditRow]:
    """Give a payment with all that was converted of it, in the order of their coming."""
    found = [payment]
    for currency in payment.converted_into:
        part = account.credits.get(f"{payment.credit}@{currency}")
        if part is not None:
            found.append(part)
    return found


def part_in(account: Account, payment: CreditRow, *, currency: str) -> CreditRow:
    """Give the part of a payment that is in a currency; the payment itself where there is none."""
    return next((part for part in parts_of(account, payment) if part.currency == currency), payment)

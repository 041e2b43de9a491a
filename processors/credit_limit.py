"""The credit limit of a customer (B-15): crossed upwards and downwards, each said once.

What counts is what is owed, credit deducted: a cheque that has not cleared deducts nothing.
"""

from processors.account import Account
from processors.context import FoldContext
from processors.money import MoneyError, to_minor
from processors.promises import refused
from schemas.events import CustomerUpserted
from schemas.facts import CreditLimitCrossed, LedgerFact

__all__ = ["review_limit", "set_limit"]


def set_limit(account: Account, event: CustomerUpserted, *, context: FoldContext) -> list[LedgerFact]:
    """Take the limit of new master data; the currency is the company's, where none is said."""
    row = account.row
    if event.credit_limit is None and row.limit_minor is None:
        return []
    account.touch(row)
    row.limit_minor = None
    row.limit_currency = event.credit_currency or context.company.profile.currency
    if event.credit_limit is None:
        row.is_above_limit = False
        return []
    try:
        row.limit_minor = to_minor(event.credit_limit, currency=row.limit_currency)
    except MoneyError as error:
        key = f"credit_limit/{event.credit_limit}"
        return [refused(account, reason="amount_refused", key=key, detail=error.detail)]
    return []


def review_limit(account: Account) -> list[LedgerFact]:
    """Say that the limit has been crossed, if it has since it was last looked at."""
    row = account.row
    limit_minor = row.limit_minor
    if limit_minor is None:
        return []
    balance = row.balances.get(row.limit_currency)
    exposure_minor = 0 if balance is None else balance.open_minor - balance.credit_minor
    is_above = exposure_minor > limit_minor
    if is_above == row.is_above_limit:
        return []
    row.is_above_limit = is_above
    account.touch(row)
    return [
        CreditLimitCrossed(
            id=f"{account.id}/{account.next_sequence()}",
            account=account.id,
            direction="above" if is_above else "below",
            currency=row.limit_currency,
            limit_minor=limit_minor,
            exposure_minor=exposure_minor,
        )
    ]

"""No cent is made or lost (SEMANTICS section 3): an account's sums must move as its movements say.

Asserted of every event and of everything that falls due by itself.
"""

from processors.account import Account
from schemas.facts import LedgerFact, Movement

__all__ = ["InvariantBroken", "conserve", "net_minor"]


class InvariantBroken(AssertionError):  # noqa: N818 - it reads as what happened
    """A truth about an account does not hold; raised by the fold, which quarantines the account."""


def net_minor(account: Account) -> dict[str, int]:
    """Give currency -> Σ open − Σ credits, in minor units: from the sums once, then as movements have said."""
    net = account.net_minor
    if net is None:
        sums = account.row.balances.items()
        net = account.net_minor = {currency: each.open_minor - each.credit_minor for currency, each in sums}
    return net


def conserve(account: Account, facts: list[LedgerFact], *, before: dict[str, int]) -> None:
    """Compare the sums with what the movements say: the two come about on different paths.

    Args:
        before: ``net_minor`` before the facts; moved on by them.

    Raises:
        InvariantBroken: says the account, the currency and both figures.
    """
    expected = before
    for fact in facts:
        if type(fact) is Movement:
            currency = fact.currency
            known, amount_minor = expected.get(currency, 0), fact.amount_minor
            expected[currency] = known + amount_minor if fact.item else known - amount_minor
    for currency, balance in account.row.balances.items():
        open_minor, credit_minor = balance.open_minor, balance.credit_minor
        if open_minor - credit_minor != expected.get(currency, 0):
            raise InvariantBroken(
                f"{account.id}: {open_minor} open - {credit_minor} credit {currency},"
                f" movements say {expected.get(currency, 0)}"
            )
        if open_minor < 0 or credit_minor < 0:
            raise InvariantBroken(f"{account.id}: a sum in {currency} is below zero: {balance}")

"""Facts about accounts among each other: transfers, parents and children, the credit limit (SEMANTICS 2.6, B-13, B-15)."""

from typing import Literal

from schemas.fact import AccountFact
from schemas.transfers import ChildLinked, GroupContacted, ItemSettledElsewhere, ParentKnown, TransferReceived

__all__ = ["AccountTold", "CreditLimitCrossed", "TransferSent"]


class TransferSent(AccountFact, frozen=True, kw_only=True, tag="collections.transfer.sent.v1"):
    """Items and credits went to another account: ``event`` is what that one was told, in the same transaction."""

    event: TransferReceived


class AccountTold(AccountFact, frozen=True, kw_only=True, tag="collections.account.told.v1"):
    """Another account of the company was told something (B-13, SEMANTICS 2.6), in the same transaction."""

    event: ChildLinked | ParentKnown | GroupContacted | ItemSettledElsewhere


class CreditLimitCrossed(AccountFact, frozen=True, kw_only=True, tag="collections.credit_limit.crossed.v1"):
    """What a customer owes, credit deducted, has crossed the limit (B-15): ``above``, orders may be blocked; ``below``, not any more."""

    direction: Literal["above", "below"]
    currency: str
    limit_minor: int
    exposure_minor: int

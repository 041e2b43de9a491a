"""What lateness costs the debtor (R22): interest, fixed sums and fees, as shown in a message and as claimed."""

import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.fact import AccountFact
from schemas.fields import Amount, CompanyId, Currency, CustomerId, DocumentId
from schemas.law import Rate

__all__ = [
    "Charge",
    "ChargeKind",
    "ClaimCorrected",
    "ClaimDocument",
    "ClaimRaised",
    "CorrectedBecause",
    "Fees",
    "LateCharges",
    "MoneyPays",
]

LateCharges = Literal["off", "show", "claim"]
MoneyPays = Literal["principal_first", "costs_first"]
ChargeKind = Literal["interest", "fixed_sum", "fee", "returned_payment"]
Fees = dict[Currency, Amount]
CorrectedBecause = Literal["cancelled", "credited", "recomputed", "restored"]


class Charge(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One charge on an item, in a reminder.

    Interest is for the days ``from_on`` to ``until_on``, both included; a fee
    is for the level ``step``. ``claim`` names the claim that it is, or will be
    once the reminder is sent; '' where the company only shows it.
    By which ``rates`` interest was computed, and ``disputed_minor`` of the item that bore none,
    are what a later fact has it computed again by.
    """

    kind: ChargeKind
    item: str
    currency: str
    amount_minor: int
    from_on: datetime.date | None = None
    until_on: datetime.date | None = None
    step: str = ""
    claim: str = ""
    is_new: bool = True  # False: claimed before, and open still
    rates: tuple[Rate, ...] = ()
    days_in_year: int = 365
    disputed_minor: int = 0


class ClaimDocument(
    Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, tag_field="type", tag="ledger.claim.v1"
):
    """What a claim's row is about: the item that was late, and for what; ``item`` '' where there is none.

    ``reminder`` told the customer; '' for the fee of a returned payment, which ``item`` then names.
    ``amount`` is what was claimed at first; ``rates``, ``days_in_year`` and ``disputed_minor`` are the charge's.
    """

    company: CompanyId
    customer: CustomerId
    occurred_at: Annotated[str, Meta(min_length=10, max_length=40)]
    document: DocumentId
    currency: Currency
    amount: Amount
    charge: ChargeKind
    item: str
    from_on: datetime.date | None = None
    until_on: datetime.date | None = None
    step: str = ""
    reminder: str = ""
    rates: tuple[Rate, ...] = ()
    days_in_year: int = 365
    disputed_minor: int = 0


class ClaimRaised(AccountFact, frozen=True, kw_only=True, tag="ledger.claim.raised.v1"):
    """A claim is in the balance from now on (R22); ``claim`` is its id, and its natural key."""

    claim: str
    charge: ChargeKind
    item: str
    currency: str
    amount_minor: int
    on: datetime.date
    from_on: datetime.date | None = None
    until_on: datetime.date | None = None
    step: str = ""
    reminder: str = ""


class ClaimCorrected(AccountFact, frozen=True, kw_only=True, tag="ledger.claim.corrected.v1"):
    """A claim is not what it was, because of what is known now (R22, R30): ``before_minor`` and ``amount_minor`` of it.

    ``cancelled``: its item was; ``credited``: credit notes cover all of it; ``recomputed``: money came
    earlier than was known, or the item was amended; ``restored``: what had lowered it is not true any more.
    ``cause`` is the event that told it.
    """

    claim: str
    charge: ChargeKind
    item: str
    currency: str
    before_minor: int
    amount_minor: int
    because: CorrectedBecause
    on: datetime.date
    cause: str

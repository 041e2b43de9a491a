"""Facts about what was arranged with a customer: promises, disputes, payments that have not cleared (R29, R35, S1-21).

Amounts are integer minor units of ``currency``; days are company days.
"""

import datetime
from typing import Literal

from msgspec import Struct

from schemas.arrangement_rows import InstrumentState, PaymentPlanStatus, PromiseStatus
from schemas.fact import AccountFact

__all__ = [
    "ConditionalPaymentChanged",
    "DisputeOpened",
    "DisputeRuled",
    "Instalment",
    "PaymentPlanEnded",
    "PaymentPlanMade",
    "PromiseJudged",
    "PromiseMade",
]


class PromiseMade(AccountFact, frozen=True, kw_only=True, tag="collections.promise.made.v1"):
    """A customer promised to pay (R35); dunning of ``items`` sleeps through ``until``.

    At most 500 items are named; ``unlisted`` counts the rest.
    """

    promise: str
    currency: str
    amount_minor: int
    due_on: datetime.date
    until: datetime.date
    items: tuple[str, ...]
    unlisted: int = 0
    by: str = ""
    how: str = ""
    author: str = ""


class PromiseJudged(AccountFact, frozen=True, kw_only=True, tag="collections.promise.judged.v1"):
    """What became of a promise, by the money dated through ``until``; said again when late facts change it (R35)."""

    promise: str
    status: PromiseStatus
    currency: str
    amount_minor: int
    received_minor: int
    due_on: datetime.date
    until: datetime.date


class DisputeOpened(AccountFact, frozen=True, kw_only=True, tag="collections.dispute.opened.v1"):
    """A customer disputes an item, or ``amount_minor`` of it (R29)."""

    dispute: str
    item: str
    currency: str
    amount_minor: int | None = None
    reason: str = ""
    author: str = ""
    review_on: datetime.date | None = None


class DisputeRuled(AccountFact, frozen=True, kw_only=True, tag="collections.dispute.ruled.v1"):
    """A dispute was decided; ``credited``: ``amount_minor`` stays held until its credit note is there (R29)."""

    dispute: str
    item: str
    ruling: Literal["rejected", "credited"]
    currency: str
    amount_minor: int = 0
    author: str = ""
    text: str = ""


class ConditionalPaymentChanged(
    AccountFact, frozen=True, kw_only=True, tag="collections.conditional_payment.changed.v1"
):
    """A cheque, promissory note or direct debit came, was deposited, has cleared or was returned (S1-21).

    ``items`` are those whose dunning sleeps from now on: the first 500; none once it is over.
    """

    payment: str
    means: str
    state: InstrumentState
    currency: str
    amount_minor: int
    on: datetime.date
    items: tuple[str, ...] = ()
    reason: str = ""


class Instalment(Struct, frozen=True, kw_only=True, gc=False):
    """A part of a payment plan: an item of its own."""

    item: str
    due_on: datetime.date
    amount_minor: int


class PaymentPlanMade(AccountFact, frozen=True, kw_only=True, tag="collections.payment_plan.made.v1"):
    """What was open of an item was split into instalments (R25)."""

    payment_plan: str
    item: str
    currency: str
    amount_minor: int
    instalments: tuple[Instalment, ...]
    author: str = ""
    reason: str = ""


class PaymentPlanEnded(AccountFact, frozen=True, kw_only=True, tag="collections.payment_plan.ended.v1"):
    """A payment plan was kept, broken or cancelled; ``running``: money went back, and it runs again.

    ``returned_minor`` has returned to the item, with its due date and level.
    """

    payment_plan: str
    item: str
    status: PaymentPlanStatus
    currency: str
    returned_minor: int = 0
    reason: str = ""

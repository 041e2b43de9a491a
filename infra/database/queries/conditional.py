"""Payments that had not cleared at the end of a day: what is owed all the same (S1-21)."""

import datetime

from msgspec import Struct, json
from sqlalchemy import Connection, select

from infra.database.tables import decisions
from schemas.arrangement_facts import ConditionalPaymentChanged

__all__ = ["ConditionalPayment", "conditional_payments"]

_PENDING = ("received", "deposited")
_decoder = json.Decoder(ConditionalPaymentChanged)


class ConditionalPayment(Struct, frozen=True, kw_only=True):
    """A cheque, promissory note or direct debit; ``since`` is the day of its last state."""

    payment: str
    means: str
    state: str
    currency: str
    amount_minor: int
    since: datetime.date


def conditional_payments(
    connection: Connection, *, account: str, as_of: datetime.date
) -> list[ConditionalPayment]:
    """List what an account had handed over and had not cleared at the end of ``as_of``, by payment.

    Read from what the ledger said, so that a past day shows what was known of it since.
    """
    found = connection.execute(
        select(decisions.c.detail_json).where(
            decisions.c.account == account, decisions.c.kind == "conditional_payment_changed"
        )
    )
    facts = sorted((_decoder.decode(row.detail_json) for row in found), key=_place)
    latest = {fact.payment: fact for fact in facts if fact.on <= as_of}
    return [
        ConditionalPayment(
            payment=fact.payment,
            means=fact.means,
            state=fact.state,
            currency=fact.currency,
            amount_minor=fact.amount_minor,
            since=fact.on,
        )
        for _, fact in sorted(latest.items())
        if fact.state in _PENDING
    ]


def _place(fact: ConditionalPaymentChanged) -> int:
    """Give a fact's place in its account's log: the number that its id ends with."""
    return int(fact.id.rpartition("/")[2])

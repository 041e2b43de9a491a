"""What banks and their feeds tell a whole company: how far an account is reconciled, and credits that nobody has matched.

Written to every journal partition, since nobody knows yet whose money it is.
"""

from typing import Annotated

from msgspec import Meta, Struct

from schemas.fields import Amount, CompanyId, Currency, DocumentId, Text, When

__all__ = ["BANK_FACTS", "BankAccountId", "BankLineMatched", "BankLineUnmatched", "BankReconciled"]

BankAccountId = Annotated[str, Meta(min_length=1, max_length=64, description="As the company names it.")]


class _BankFact(
    Struct,
    frozen=True,
    kw_only=True,
    gc=False,
    omit_defaults=True,
    forbid_unknown_fields=True,
    tag_field="type",
):
    """A fact about a company's bank account."""

    company: CompanyId
    occurred_at: When
    bank_account: BankAccountId


class BankReconciled(_BankFact, frozen=True, kw_only=True, tag="billing.bank.reconciled.v1"):
    """All that the bank account received up to and including ``through`` has been published (R21).

    A day means the whole of it. An earlier one than the last changes nothing.
    """

    through: When


class BankLineUnmatched(_BankFact, frozen=True, kw_only=True, tag="billing.bank_line.unmatched.v1"):
    """A credit of ``occurred_at`` that nobody could match to a customer; ``line`` is its id at the company (R21).

    ``documents`` are the document numbers that were read in its text. The
    customer that it may be from is not reminded until it is matched.
    """

    line: DocumentId
    currency: Currency
    amount: Amount
    payer_name: Annotated[str, Meta(max_length=200)] = ""
    payer_tax_id: Annotated[str, Meta(max_length=40)] = ""
    documents: Annotated[tuple[DocumentId, ...], Meta(max_length=100)] = ()
    text: Text = ""


class BankLineMatched(_BankFact, frozen=True, kw_only=True, tag="billing.bank_line.matched.v1"):
    """The credit has an owner, or is none of a customer's: it holds nobody's reminder any more."""

    line: DocumentId


BANK_FACTS = (BankReconciled, BankLineUnmatched, BankLineMatched)

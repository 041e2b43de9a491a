"""The field types that contracts are made of, and how an account is named.

Lengths are checked while decoding; what a length cannot say (printable text,
known currency, decimals) is checked by ``processors.validation``, because a
regular expression per field would cost more than the rest of the decoding.
The pattern is still exported to JSON Schema, for producers who check there.
"""

from typing import Annotated, Literal

from msgspec import Meta

__all__ = [
    "AccountId",
    "Amount",
    "Channel",
    "CompanyId",
    "Currency",
    "CustomerId",
    "DocumentId",
    "Language",
    "LetterLayout",
    "Text",
    "TextLanguage",
    "Trust",
    "When",
    "account_id",
    "split_account_id",
]

_PRINTABLE = {"pattern": r"^[^\x00-\x1f\x7f]+$"}

CompanyId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        description="The creditor. Letters, digits, '.', '_' and '-'.",
        extra_json_schema={"pattern": r"^[A-Za-z0-9][A-Za-z0-9._-]*$"},
    ),
]
CustomerId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=128,
        description="The debtor, as the billing system names it.",
        extra_json_schema=_PRINTABLE,
    ),
]
AccountId = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=193,
        description="'<company>:<customer>': the unit of state and of ordering.",
    ),
]
DocumentId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=128,
        description="Unique per company and kind of document.",
        extra_json_schema=_PRINTABLE,
    ),
]
Amount = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=20,
        description="A decimal in major units, as text: '1250.00'. Never a float.",
        extra_json_schema={"pattern": r"^-?[0-9]{1,15}(\.[0-9]{1,4})?$"},
    ),
]
Currency = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=3,
        description="ISO 4217 alphabetic code.",
        extra_json_schema={"pattern": "^[A-Z]{3}$"},
    ),
]
When = Annotated[
    str,
    Meta(
        min_length=10,
        max_length=40,
        description="Business time: 'YYYY-MM-DD' (that day in the company's zone) or RFC 3339 with offset.",
    ),
]
Text = Annotated[str, Meta(max_length=2000)]
Language = Annotated[
    str, Meta(min_length=2, max_length=5, description="'es', 'en' or 'pt'; a region may follow: 'es-CL'.")
]
TextLanguage = Literal["es", "en", "pt"]  # what messages are written in
Channel = Literal["email", "sms", "letter", "task"]
LetterLayout = Literal["din_5008_a", "din_5008_b", "us_10"]  # paper, and the envelope's window
Trust = Literal["good", "normal", "bad"]


def account_id(company: str, customer: str) -> str:
    """Name the account of ``customer`` at ``company``.

    A company id has no colon, so the first one separates.
    """
    return f"{company}:{customer}"


def split_account_id(account: str) -> tuple[str, str]:
    """Give (company, customer) of an account id."""
    company, _, customer = account.partition(":")
    return company, customer

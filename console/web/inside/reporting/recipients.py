"""Whom reports may be mailed to: only who an administrator has allowed, for the companies that a report is about.

A report holds what people owe. Nobody mails it to an address of his own choice.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from email_validator import EmailNotValidError, validate_email

from infra.database.report_post import Allowed

__all__ = ["RECIPIENTS_MAX", "RecipientError", "address_of", "addresses_of", "is_allowed", "pattern_of"]

RECIPIENTS_MAX: Final = 20


class RecipientError(Exception):
    """An address is none (``address``), or there are none or too many of them (``number``)."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(f"{reason}: {text}")
        self.reason, self.text = reason, text


def address_of(text: str) -> str:
    """Read a mail address; what only differs in how it is written is the same one.

    Raises:
        RecipientError: it is none.
    """
    try:
        valid = validate_email(
            text.strip(), check_deliverability=False, globally_deliverable=False, test_environment=True
        )
    except EmailNotValidError as error:
        raise RecipientError("address", text.strip()) from error
    return (valid.ascii_email or valid.normalized).lower()


def addresses_of(text: str) -> tuple[str, ...]:
    """Read addresses, parted by commas, semicolons or lines; each once.

    Raises:
        RecipientError: one is none; or there are none, or too many.
    """
    parts = [each for each in text.replace(";", "\n").replace(",", "\n").splitlines() if each.strip()]
    found = tuple(dict.fromkeys(address_of(each) for each in parts))
    if not 1 <= len(found) <= RECIPIENTS_MAX:
        raise RecipientError("number", str(len(found)))
    return found


def pattern_of(text: str) -> str:
    """Read what is allowed: an address, or '@' and a domain.

    Raises:
        RecipientError: it is neither.
    """
    domain = text.strip().lower()
    return (
        f"@{address_of(f'someone{domain}').partition('@')[2]}" if domain.startswith("@") else address_of(text)
    )


def is_allowed(address: str, *, companies: Sequence[str] | None, allowed: Iterable[Allowed]) -> bool:
    """Say whether an address may be sent a report about these companies (None: about all there are)."""
    names = {address, f"@{address.rpartition('@')[2]}"}
    may = {each.company for each in allowed if each.pattern in names}
    return "" in may or (companies is not None and bool(companies) and may.issuperset(companies))

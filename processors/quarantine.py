"""Quarantine: an account whose fold raised writes to no one until a person has looked at it (DESIGN 3.6)."""

from processors.account import Account
from schemas.facts import AccountQuarantined

__all__ = ["quarantine"]

_ERROR_CHARACTERS_MAX = 500


def quarantine(
    account: Account, *, error: str, journal_offset: int, wake_at_s: int | None
) -> AccountQuarantined:
    """Stop the account's dunning: what is pending is stale by the new version (R32); money goes on."""
    row = account.row
    row.quarantined = error[:_ERROR_CHARACTERS_MAX]
    row.version += 1
    row.wake_at_s = wake_at_s
    account.touch(row)
    return AccountQuarantined(
        id=f"{account.id}/{account.next_sequence()}",
        account=account.id,
        error=row.quarantined,
        journal_offset=journal_offset,
    )

"""Quarantine: an account whose fold raised writes to no one until what it lost was replayed (DESIGN 3.6)."""

from processors.account import Account
from schemas.commands import ReleaseQuarantine
from schemas.facts import AccountQuarantined, AccountReleased

__all__ = ["quarantine", "release"]

_ERROR_CHARACTERS_MAX = 500


def quarantine(
    account: Account, *, error: str, journal_offset: int, wake_at_s: int | None
) -> AccountQuarantined:
    """Stop the account's dunning: what is pending is stale by the new version (R32); money goes on."""
    row = account.row
    row.quarantined = error[:_ERROR_CHARACTERS_MAX]
    row.quarantined_offset = journal_offset
    row.version += 1
    row.wake_at_s = wake_at_s
    account.touch(row)
    return AccountQuarantined(
        id=f"{account.id}/{account.next_sequence()}",
        account=account.id,
        error=row.quarantined,
        journal_offset=journal_offset,
    )


def release(account: Account, event: ReleaseQuarantine) -> list[AccountReleased]:
    """Let the account go on: all of it is looked at anew, and the next tick decides.

    Nothing happens to one that is not quarantined, or whose fold has raised
    again since what the command was given for.
    """
    row = account.row
    failed_again = event.up_to_offset is not None and row.quarantined_offset > event.up_to_offset
    if not row.quarantined or failed_again:
        return []
    row.quarantined, row.quarantined_offset = "", -1
    row.episode_in_doubt = True
    account.advance()
    _note_what_was_missed(account)
    return [
        AccountReleased(
            id=f"{account.id}/{account.next_sequence()}",
            account=account.id,
            command=event.command,
            author=event.author,
        )
    ]


def _note_what_was_missed(account: Account) -> None:
    """Touch what was settled or reopened meanwhile, when nothing was scheduled (``wake``)."""
    account.due.ready = False
    for item in account.items.values():
        if (item.status != "open") == (item.closed_on is None):
            account.touch(item)
    for credit in account.credits.values():
        if (credit.rest_minor == 0) == (credit.closed_on is None):
            account.touch(credit)

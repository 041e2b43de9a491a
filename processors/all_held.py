"""Accounts whose items are all held: nobody is written to, and a report lists them (R15)."""

from processors.circumstances import Circumstances, is_before_start
from processors.holds import account_hold, in_force

__all__ = ["is_all_held", "note_all_held"]


def note_all_held(at: Circumstances) -> None:
    """Note at a tick whether there is something to dun, and all of it is held."""
    account = at.account
    is_held = is_all_held(at)
    if account.row.is_all_held != is_held:
        account.row.is_all_held = is_held
        account.touch(account.row)


def is_all_held(at: Circumstances) -> bool:
    """Say whether there is something to dun on the day, and all of it is held."""
    account = at.account
    if not (account.holds or account.arrangements):
        return False
    names = {*account.opened.overdue(at.day), *at.due}
    items = [item for name in names if not is_before_start(item := account.items[name], company=at.company)]
    snoozed = in_force(account.holds.get("snoozed"), at.day)
    whole = snoozed or account_hold(account, at.day) is not None
    return bool(items) and (whole or not any(at.counts(item) for item in items))

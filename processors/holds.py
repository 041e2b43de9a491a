"""Which holds are in force on a day, in the order of R15."""

import datetime

from processors.account import Account
from schemas.rows import HoldRow

__all__ = ["ACCOUNT_HOLDS", "WHOLE_HOLDS", "account_hold", "date_by_hand", "in_force", "item_hold"]

ACCOUNT_HOLDS = ("legal_hold", "do_not_contact", "blocked")
WHOLE_HOLDS = (*ACCOUNT_HOLDS, "snoozed")  # of all that an account owes


def in_force(hold: HoldRow | None, day: datetime.date) -> bool:
    """Say whether a hold counts on a day: ``until`` is the first day without it."""
    return hold is not None and (hold.until is None or day < hold.until)


def account_hold(account: Account, day: datetime.date) -> HoldRow | None:
    """Give the account's hold that comes before those of its items: legal hold, do-not-contact, blocked."""
    for kind in ACCOUNT_HOLDS:
        hold = account.holds.get(kind)
        if in_force(hold, day):
            return hold
    return None


def item_hold(account: Account, item: str) -> HoldRow | None:
    """Give the exclusion of an item, if there is one."""
    return account.holds.get(f"excluded/{item}")


def date_by_hand(account: Account) -> HoldRow | None:
    """Give the next reminder's date that a person set, until a contact has consumed it (R20)."""
    hold = account.holds.get("snoozed")
    return hold if hold is not None and hold.by_hand else None

"""Holds: of the account and of an item, in the order of R15."""

from processors.circumstances import Case, Verdict
from processors.holds import account_hold, in_force, item_hold
from schemas.rows import HoldRow

__all__ = ["excluded", "held_account", "quarantined", "snoozed"]


def quarantined(case: Case) -> Verdict | None:
    """Withhold all that an account has while a bug of ours is on it."""
    error = case.at.account.row.quarantined
    return Verdict("quarantined", None, {"error": error}) if error else None


def held_account(case: Case) -> Verdict | None:
    """Withhold for a hold on the whole account."""
    hold = account_hold(case.at.account, case.at.day)
    return None if hold is None else _held(hold)


def excluded(case: Case) -> Verdict | None:
    """Withhold an item that a person took out of dunning."""
    hold = item_hold(case.at.account, case.item.item)
    return None if hold is None else _held(hold)


def snoozed(case: Case) -> Verdict | None:
    """Withhold until the next date by hand (R20)."""
    hold = case.at.account.holds.get("snoozed")
    return _held(hold) if hold is not None and in_force(hold, case.at.day) else None


def _held(hold: HoldRow) -> Verdict:
    values = {"reason": hold.reason, "author": hold.author, "placed_at": hold.placed_at}
    if hold.review_on is not None:
        values["review_on"] = hold.review_on.isoformat()
    return Verdict(hold.hold, hold.until, {name: value for name, value in values.items() if value})

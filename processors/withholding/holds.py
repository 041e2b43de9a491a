"""Holds: of the account and of an item, in the order of R15."""

import datetime

from processors.arrangements import (
    conditional_minor,
    disputed_minor,
    held_part_minor,
    open_promise,
    running_plan,
)
from processors.circumstances import Case, Verdict
from processors.holds import account_hold, in_force, item_hold
from processors.ladder import is_level
from schemas.rows import HoldRow

__all__ = [
    "conditional_payment",
    "disputed",
    "excluded",
    "held_account",
    "payment_plan",
    "promised",
    "quarantined",
    "snoozed",
]

_DAY = datetime.timedelta(days=1)


def quarantined(case: Case) -> Verdict | None:
    """Withhold all that an account has while a bug of ours is on it."""
    error = case.at.account.row.quarantined
    return Verdict("quarantined", None, {"error": error}) if error else None


def held_account(case: Case) -> Verdict | None:
    """Withhold for a hold on the whole account."""
    hold = account_hold(case.at.account, case.at.day)
    return None if hold is None else _held(hold)


def disputed(case: Case) -> Verdict | None:
    """Withhold an item of which nothing is left but what is disputed, or held otherwise beside it (R29)."""
    account, item = case.at.account, case.item
    disputed_now = disputed_minor(account, item)
    if not disputed_now or held_part_minor(account, item) < item.open_minor:
        return None
    row = min(account.arranged().disputed[item.item].values(), key=lambda each: each.order)
    values = {
        "dispute": row.dispute,
        "reason": row.reason,
        "author": row.author,
        "disputed_minor": str(disputed_now),
        "opened_on": row.opened_on.isoformat(),
        "review_on": "" if row.review_on is None else row.review_on.isoformat(),
    }
    return Verdict("disputed", None, {name: value for name, value in values.items() if value})


def promised(case: Case) -> Verdict | None:
    """Withhold what a promise covers until it is judged: on the day after its date and the tolerance (R35)."""
    promise = open_promise(case.at.account, case.item)
    if promise is None:
        return None
    values = {"promise": promise.promise, "by": promise.by, "due_on": promise.due_on.isoformat()}
    return Verdict("promised", promise.until + _DAY, {name: value for name, value in values.items() if value})


def payment_plan(case: Case) -> Verdict | None:
    """Withhold the levels of an instalment while its payment plan runs; it breaks by itself (R25). Courtesies go out."""
    plan = running_plan(case.at.account, case.item)
    if plan is None or case.rung is None or not is_level(case.rung.step):
        return None
    values = {"payment_plan": plan.payment_plan, "of": plan.item, "made_on": plan.made_on.isoformat()}
    until = case.item.due_on + datetime.timedelta(days=plan.tolerance_days) + _DAY
    # Later it is held otherwise beside the plan (a cheque), which an event ends.
    return Verdict("payment_plan", until if until > case.at.day else None, values)


def conditional_payment(case: Case) -> Verdict | None:
    """Withhold what payments cover that have not cleared yet, until they have, or are returned (S1-21)."""
    account, item = case.at.account, case.item
    covered_minor = conditional_minor(account, item)
    if not covered_minor or held_part_minor(account, item) < item.open_minor:
        return None
    arranged = account.arranged()
    rows = [arranged.instruments[name] for name in sorted(arranged.conditional[item.item])]
    values = {
        "payments": ", ".join(row.payment for row in rows),
        "means": ", ".join(dict.fromkeys(row.document.means for row in rows)),
        "covered_minor": str(covered_minor),
    }
    return Verdict("conditional_payment", None, values)


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
    if hold.hold == "excluded_payment":
        raise AssertionError(f"{hold.item}: an excluded payment holds no item")
    return Verdict(hold.hold, hold.until, {name: value for name, value in values.items() if value})

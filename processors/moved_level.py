"""What is said of the level of an item that has moved between customers (SEMANTICS 2.6): a reminder that was on its way is sent after all."""

from typing import Final

from processors.account import Account
from processors.company import Company
from processors.plan import step_at
from processors.whereabouts import now_with
from schemas.facts import LedgerFact, LevelTakenOver
from schemas.rows import ItemRow
from schemas.transfers import MovedItem

__all__ = ["is_written_about", "note_contact", "take_level"]

_LEVEL: Final = (
    *("plan", "plan_version", "step", "sent_level_on", "sent_on"),
    *("pay_by_on", "shift_days", "plan_finished"),
)


def is_written_about(item: ItemRow) -> bool:
    """Say whether something was sent of an item since it went: its level belongs where the item is by now (R10, R19)."""
    if not item.moved_minor or item.sent_on is None or not now_with(item):
        return False
    told_on = None if item.elsewhere is None else item.elsewhere.sent_on
    return told_on is None or told_on < item.sent_on


def take_level(account: Account, item: ItemRow, *, moved: MovedItem, company: Company) -> list[LedgerFact]:
    """Take over the level that an item has where it was (R2), and what was claimed with it (R22), so that neither comes twice.

    Where it has been written about here at that level, or goes by another plan by now, it stays at its own.
    """
    plan = company.plan(moved.plan, version=moved.plan_version)
    is_same = item.step < 0 or (item.plan, item.plan_version) == (moved.plan, moved.plan_version)
    if plan is None or moved.step <= item.step or not is_same or moved.sent_on is None:
        return []
    for field in _LEVEL:
        setattr(item, field, getattr(moved, field))
    item.charged = tuple(dict.fromkeys((*item.charged, *moved.charged)))
    item.costs_minor = max(item.costs_minor, moved.costs_minor)
    through = (item.claimed_through, moved.claimed_through)
    item.claimed_through = max((day for day in through if day is not None), default=None)
    item.judged, item.failed_on, item.dropped_on, item.before = "", None, None, None
    account.touch(item)
    note_contact(account, moved)
    return [
        LevelTakenOver(
            id=f"{account.id}/{account.next_sequence()}",
            account=account.id,
            item=item.item,
            step=step_at(plan, moved.step).name,
            step_index=moved.step,
            plan=moved.plan,
            plan_version=moved.plan_version,
            on=moved.sent_on,
            pay_by_on=moved.pay_by_on,
        )
    ]


def note_contact(account: Account, moved: MovedItem) -> None:
    """Count the last level of an item that comes as a contact of the account that it comes to (R5)."""
    last_on = (account.row.last_contact_on, moved.sent_level_on)
    account.row.last_contact_on = max((day for day in last_on if day is not None), default=None)
    account.touch(account.row)

"""When a tick must look at an account again (R4): computed from its state, never from the last look.

Incremental: an event costs what it touched (``account.stale``), not what the
account holds; a changed profile or plan has all of it computed again.
"""

from collections.abc import Iterable

from processors.account import Account
from processors.company import Company
from processors.holds import date_by_hand
from processors.ladder import next_look
from schemas.rows import ItemRow

__all__ = ["enter_items", "plans_may_differ", "reschedule", "set_wake"]

_AT_NEXT_TICK_S = 0


def reschedule(account: Account, *, company: Company) -> None:
    """Set the account's wake time after its events were folded.

    It wakes at the decision hour of the day on which its first item has
    something due: a day that is past means the next tick. After an
    evaluation the wake is ``evaluate``'s own, which knows what waits for when.
    """
    enter_items(account, company=company)
    row = account.row
    days = [account.due.first()]
    by_hand = date_by_hand(account)
    if by_hand is not None:
        days.append(by_hand.until)
    wakes_s = [company.decides_from_s(day) for day in days if day is not None]
    if row.episode_in_doubt:
        wakes_s.append(_AT_NEXT_TICK_S)
    set_wake(account, min(wakes_s, default=None))


def set_wake(account: Account, wake_at_s: int | None) -> None:
    """Note when the account is to be looked at (epoch seconds UTC)."""
    if account.row.wake_at_s != wake_at_s:
        account.row.wake_at_s = wake_at_s
        account.touch(account.row)


def plans_may_differ(account: Account) -> None:
    """Say that a change of master data may point items at another plan: all are computed again."""
    account.due.ready = False


def enter_items(account: Account, *, company: Company) -> None:
    """Bring the due index up to date with the items that changed, or with all of them."""
    row = account.row
    if row.config_version != company.version:
        row.config_version = company.version
        row.failed_on = None  # R19: another plan may have another channel, so a failed step need not wait
        account.touch(row)
        account.due.ready = False
    for name in account.stale:
        item = account.items.get(name)
        if item is not None:
            _note_change(account, item)
    names: Iterable[str] = account.stale if account.due.ready else account.items
    for name in names:
        item = account.items.get(name)
        if item is not None:
            account.due.set(name, next_look(item, company=company, customer=account.customer))
    account.due.ready = True
    account.stale.clear()


def _note_change(account: Account, item: ItemRow) -> None:
    """Ask at the next tick whether the episode is over, or, with a level that is open again, has begun (R14)."""
    row = account.row
    is_open = item.status == "open"
    if not is_open:
        item.judged = ""  # open again, it is judged anew (R14, R31)
    has_begun = row.episode_opened_on is None and is_open and item.sent_level_on is not None
    may_be_over = row.episode_opened_on is not None and not is_open
    if (has_begun or may_be_over) and not row.episode_in_doubt:
        row.episode_in_doubt = True
        account.touch(row)

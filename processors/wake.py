"""When a tick must look at an account again (R4): computed from its state, never from the last look.

Incremental: an event costs what it touched (``account.stale``), not what the
account holds; a changed profile or plan has all of it computed again.
"""

import datetime

from processors.account import Account
from processors.company import Company
from processors.ladder import next_look, standing_of
from processors.movements import entered_on
from processors.open_index import OpenIndex
from processors.residual import is_owed
from processors.trust import note_payment
from schemas.rows import CreditRow, CustomerRow, ItemRow

__all__ = [
    "AT_NEXT_TICK_S",
    "enter_items",
    "may_hold",
    "plans_may_differ",
    "purge_day",
    "reschedule",
    "set_wake",
]

AT_NEXT_TICK_S = 0
_DAY = datetime.timedelta(days=1)


def reschedule(
    account: Account,
    *,
    company: Company,
    now: datetime.datetime | None = None,
    heard_on: datetime.date | None = None,
) -> None:
    """Set the account's wake time after its events were folded; ``now`` is the ledger's, its newest tick.

    ``heard_on`` is the event's business day: what it closes has been left alone from then on at
    the earliest, also where the newest tick is of a day before.
    It wakes at the decision hour of the day on which its first item has
    something due: a day that is past means the next tick. After an
    evaluation the wake is ``evaluate``'s own, which knows what waits for when.
    Without an open episode it wakes on the first day on which something is overdue, too.
    """
    enter_items(account, company=company, now=now, heard_on=heard_on)
    row = account.row
    if row.episode_in_doubt or row.proposal or row.is_all_held or may_hold(account):
        # What waits for a person, or is held, is compared with the account as it stands now (R15, R19).
        set_wake(account, AT_NEXT_TICK_S)
        return
    if company.profile.statements != "off" and row.statement_on is None:
        set_wake(account, AT_NEXT_TICK_S)
        return
    day = _earlier(account.due.first(), purge_day(account))
    if row.episode_opened_on is None and account.turning.is_set:
        day = _earlier(day, account.turning.first())
    if account.alarms.is_set:
        day = _earlier(day, account.alarms.first())
    set_wake(account, None if day is None else company.decides_from_s(day))


def may_hold(account: Account) -> bool:
    """Say whether a hold or what was arranged may keep something of the account from being dunned (R15)."""
    if account.holds:
        return True
    return account.arrangements is not None and account.arrangements.holds_something()


def _earlier(day: datetime.date | None, other: datetime.date | None) -> datetime.date | None:
    return other if day is None or (other is not None and other < day) else day


def set_wake(account: Account, wake_at_s: int | None) -> None:
    """Note when the account is to be looked at (epoch seconds UTC)."""
    if account.row.wake_at_s != wake_at_s:
        account.row.wake_at_s = wake_at_s
        account.touch(account.row)


def purge_day(account: Account) -> datetime.date | None:
    """Give the day on which something may be forgotten; None while a reminder may still speak of it."""
    row = account.row
    return None if row.open_reminder or row.quarantined else row.purge_on


def plans_may_differ(account: Account) -> None:
    """Say that a change of master data may point items at another plan: all are computed again."""
    account.due.ready = False


def enter_items(
    account: Account,
    *,
    company: Company,
    now: datetime.datetime | None = None,
    heard_on: datetime.date | None = None,
) -> None:
    """Bring the due index up to date with the items that changed, or with all of them; note what has closed."""
    row = account.row
    today = None if now is None else company.day_of(now)
    changed_on = heard_on if today is None or (heard_on is not None and heard_on > today) else today
    if row.config_version != company.version:
        row.config_version = company.version
        row.failed_on = None  # R19: another plan may have another channel, so a failed step need not wait
        account.touch(row)
        account.due.ready = False
        account.opened = OpenIndex()  # other tolerances may apply
        account.purging.clear()  # the retention may be another one
        if row.purge_on is not None and today is not None:
            row.purge_on = min(row.purge_on, today)
    is_ready = account.due.ready
    customer = account.customer
    # In an order of its own: a set's differs from process to process, and what is counted here is versions (R26).
    for name in sorted(account.stale) if len(account.stale) > 1 else account.stale:
        item = account.items.get(name)
        if item is not None:
            if item.status == "open":
                _enter_open(account, item, company=company)
            else:
                _enter_closed(account, item, company=company, today=changed_on)
            if is_ready:
                _enter_look(account, item, company=company, customer=customer)
    for key in sorted(account.stale_credits) if len(account.stale_credits) > 1 else account.stale_credits:
        credit = account.credits.get(key)
        if credit is not None:
            _note_credit(account, credit, company=company, today=changed_on)
            if account.unapplied.is_filled:
                account.unapplied.set(credit)
    if not is_ready:
        for item in account.items.values():
            _enter_look(account, item, company=company, customer=customer)
        account.due.ready = True
    account.stale.clear()
    account.stale_credits.clear()


def _enter_look(account: Account, item: ItemRow, *, company: Company, customer: CustomerRow | None) -> None:
    """Enter when an item is looked at next, and when it turns overdue if that is sooner: an episode opens then.

    Of what a level was sent, the episode is open, or in doubt.
    """
    name, due_on = item.item, item.due_on
    look_on = next_look(item, company=company, customer=customer)
    account.due.set(name, look_on)
    if item.status == "open" and (look_on is None or look_on > due_on):
        turns = item.sent_level_on is None and is_owed(account, item, company=company)
        account.turning.set(name, due_on + _DAY if turns else None)
    elif account.turning.is_set:
        account.turning.set(name, None)


def _enter_open(account: Account, item: ItemRow, *, company: Company) -> None:
    """Enter an open item that was touched; with a level that is open again an episode may have begun (R14)."""
    owed = is_owed(account, item, company=company)
    row = account.row
    if owed:
        in_doubt = item.sent_level_on is not None and row.episode_opened_on is None
        if in_doubt:
            _forget_repetitions(item, company=company)
    else:
        in_doubt = row.episode_opened_on is not None
    if in_doubt:
        _doubt_episode(account)
    item.closed_on = None
    if item.late_days is not None:
        note_payment(account, item)
    if item.open_minor < item.amount_minor or item.part_paid_on is not None:
        _note_part_paid(account, item, company=company)
    if account.opened.is_filled:
        account.opened.set(item, is_owed=owed)


def _enter_closed(account: Account, item: ItemRow, *, company: Company, today: datetime.date | None) -> None:
    """Enter a settled or cancelled item that was touched, and from when on it has been left alone."""
    item.judged = ""  # open again, it is judged anew (R14, R31)
    if account.row.episode_opened_on is not None:
        _doubt_episode(account)
    # R18: what bounces later is handed over again, since its first hand-over ended with it.
    item.final_on = None
    entered = entered_on(item)
    item.closed_on = entered if today is None else max(today, entered)
    account.keep_until(item.closed_on + company.retention, kind="item", key=item.item)
    note_payment(account, item)
    item.part_paid_on = None
    if account.opened.is_filled:
        account.opened.set(item, is_owed=False)


def _doubt_episode(account: Account) -> None:
    """Ask at the next tick whether the episode is over, or has begun (R14)."""
    if not account.row.episode_in_doubt:
        account.row.episode_in_doubt = True
        account.touch(account.row)


def _forget_repetitions(item: ItemRow, *, company: Company) -> None:
    """Let an item that is open again after its episode repeat its last step as often as any other (R10)."""
    plan = company.plan(item.plan, version=item.plan_version)
    if plan is not None and item.step >= len(plan.steps):
        item.step, item.plan_finished, item.before = len(plan.steps) - 1, False, None


def _note_part_paid(account: Account, item: ItemRow, *, company: Company) -> None:
    """Note since when the share of an open item is paid after which its plan waits (R9)."""
    standing = standing_of(item, company=company, customer=account.customer)
    percent = None if standing is None else standing.plan.part_paid_percent
    paid_minor = item.amount_minor - item.open_minor
    if percent is None or 100 * paid_minor < percent * item.amount_minor:
        item.part_paid_on = None
    elif item.part_paid_on is None:
        applied = (row.applied_on for row in account.applications.get(item.item, {}).values())
        item.part_paid_on = max(applied, default=None)


def _note_credit(
    account: Account, credit: CreditRow, *, company: Company, today: datetime.date | None
) -> None:
    """Note from when on a credit of which nothing is left has been left alone."""
    if credit.rest_minor:
        credit.closed_on = None
        return
    credit.closed_on = credit.received_on if today is None else max(today, credit.received_on)
    account.keep_until(credit.closed_on + company.retention, kind="credit", key=credit.credit)

"""What people are asked to do about money: apply credit that covers what is due, write off a residual.

Each is asked once per finding, and is over by itself when what it was about
is gone.
"""

import datetime
from collections.abc import Iterable

from processors.account import Account
from processors.calendar import add_business_days
from processors.circumstances import Circumstances
from processors.company import Company
from processors.context import FoldContext
from processors.residual import Residual, residual_of
from processors.tasks import close_task, open_task
from schemas.facts import LedgerFact, ReminderWithheld, Withheld
from schemas.rows import CreditRow, ItemRow

__all__ = [
    "UNKNOWN_BUSINESS_DAYS",
    "ask_about_lines",
    "ask_about_unknown",
    "ask_about_withheld",
    "close_needless",
    "propose_write_offs",
    "watch_unknown",
]

UNKNOWN_BUSINESS_DAYS = 3  # SEMANTICS 2.3

_LINES_MAX = 50  # remembered of an account, the newest
_ITEMS_MAX = 100  # named in one task; its values count them all


def ask_about_withheld(at: Circumstances, said: Iterable[LedgerFact]) -> list[LedgerFact]:
    """Open the tasks that newly said reasons call for: to apply the cash (R11), to write a residual off."""
    facts: list[LedgerFact] = []
    covered: dict[str, list[Withheld]] = {}
    for fact in said:
        if isinstance(fact, ReminderWithheld):
            for each in fact.items:
                if each.reason == "credit_covers":
                    covered.setdefault(each.values["currency"], []).append(each)
                elif each.reason == "within_tolerance":
                    item = at.account.items[each.item]
                    residual = at.residual(item)
                    if residual is not None:
                        facts += _propose(at.account, item, residual=residual, on=at.day)
    for currency, words in covered.items():
        facts += open_task(
            at.account,
            task=f"apply_credit/{currency}",
            task_type="apply_credit",
            on=at.day,
            items=[each.item for each in words[:_ITEMS_MAX]],
            values={**words[0].values, "items": str(len(words))},
        )
    return facts


def ask_about_lines(at: Circumstances, *, is_due: bool) -> list[LedgerFact]:
    """Ask a person about unmatched credits that have held this customer's reminders long enough (R21), once each."""
    row = at.account.row
    if not is_due:
        return []
    lines = {each.id: each for each in at.old_bank_lines()}
    facts: list[LedgerFact] = []
    for line in [each for each in lines if each not in row.asked_lines]:
        row.asked_lines = (*row.asked_lines, line)[-_LINES_MAX:]
        said = lines[line].line
        facts += open_task(
            at.account,
            task=f"bank_line/{line}",
            task_type="bank_line",
            on=at.day,
            values={}
            if said is None
            else {"amount": said.amount, "currency": said.currency, "payer": said.payer_name},
        )
    for line in row.asked_lines:
        if line not in lines:
            facts += close_task(at.account, task=f"bank_line/{line}", outcome="needless")
    return facts


def watch_unknown(account: Account, credit: CreditRow, *, context: FoldContext) -> None:
    """Set the day on which a person is asked about money that names an item which is not here (SEMANTICS 2.3)."""
    if credit.reserved_minor and credit.ask_on is None:
        country = context.company.profile.country
        credit.ask_on = add_business_days(context.today(), UNKNOWN_BUSINESS_DAYS, country=country)
        account.alarms.set(f"unknown_item/{credit.credit}", credit.ask_on)
        account.touch(credit)


def ask_about_unknown(account: Account, key: str, *, context: FoldContext) -> list[LedgerFact]:
    """Ask what the unknown items are (an alarm); those that have come meanwhile need no answer."""
    account.alarms.set(f"unknown_item/{key}", None)
    credit = account.credits.get(key)
    if credit is None:
        return []
    credit.ask_on = None
    account.touch(credit)
    if not credit.reserved_minor:
        return []
    unknown = [name.document for name in credit.names if name.document not in account.items]
    return open_task(
        account,
        task=f"unknown_item/{key}",
        task_type="unknown_item",
        on=context.day,
        items=unknown[:_ITEMS_MAX],
        values={
            "credit": key,
            "currency": credit.currency,
            "reserved_minor": str(credit.reserved_minor),
            "items": str(len(unknown)),
        },
    )


def propose_write_offs(account: Account, *, context: FoldContext) -> list[LedgerFact]:
    """Ask to write off what is left of items that have just been paid but for a residual; costs what changed."""
    facts: list[LedgerFact] = []
    items = account.items
    partly = [
        name
        for name in account.stale
        if name in items and 0 < items[name].open_minor < items[name].amount_minor
    ]
    for name in sorted(partly):
        residual = residual_of(account, items[name], company=context.company)
        if residual is not None:
            facts += _propose(account, items[name], residual=residual, on=context.today())
    return facts


def _propose(account: Account, item: ItemRow, *, residual: Residual, on: datetime.date) -> list[LedgerFact]:
    """Open the task once per residual: whoever skips it is not asked again for the same amount."""
    if item.proposed_minor == item.open_minor:
        return []
    item.proposed_minor = item.open_minor
    account.touch(item)
    return open_task(
        account,
        task=f"write_off/{item.item}",
        task_type="write_off",
        on=on,
        items=[item.item],
        values={
            "currency": item.currency,
            "open_minor": str(item.open_minor),
            "allowed_minor": str(residual.allowed_minor),
            "why": residual.why,
        },
    )


def close_needless(account: Account, *, company: Company) -> list[LedgerFact]:
    """End the tasks of an account that what has just changed leaves without an object; costs what changed."""
    facts: list[LedgerFact] = []
    for name in sorted(account.stale):
        task = f"write_off/{name}"
        item = account.items.get(name)
        if task in account.tasks and (item is None or residual_of(account, item, company=company) is None):
            facts += close_task(account, task=task, outcome="needless")
    for key in sorted(account.stale_credits):
        credit = account.credits.get(key)
        if credit is None or not credit.reserved_minor:
            facts += close_task(account, task=f"unknown_item/{key}", outcome="needless")
        if credit is None or not credit.rest_minor:
            facts += close_task(account, task=f"other_currency/{key}", outcome="needless")
    for currency, balance in account.row.balances.items():
        if not balance.credit_minor:
            facts += close_task(account, task=f"apply_credit/{currency}", outcome="needless")
    return facts

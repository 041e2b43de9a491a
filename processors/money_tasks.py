"""What people are asked to do about money: apply credit that covers what is due, write off a residual.

Each is asked once per finding, and is over by itself when what it was about
is gone.
"""

import datetime
from collections.abc import Iterable

from processors.account import Account
from processors.circumstances import Circumstances
from processors.company import Company
from processors.context import FoldContext
from processors.residual import Residual, residual_of
from processors.tasks import close_task, open_task
from schemas.facts import LedgerFact, ReminderWithheld, Withheld
from schemas.rows import ItemRow

__all__ = ["ask_about_withheld", "close_needless", "propose_write_offs"]

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


def propose_write_offs(account: Account, *, context: FoldContext) -> list[LedgerFact]:
    """Ask to write off what is left of items that have just been paid but for a residual; costs what changed."""
    facts: list[LedgerFact] = []
    for name in sorted(account.stale):
        item = account.items.get(name)
        if item is not None and 0 < item.open_minor < item.amount_minor:
            residual = residual_of(account, item, company=context.company)
            if residual is not None:
                facts += _propose(account, item, residual=residual, on=context.today())
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
    for currency, balance in account.row.balances.items():
        if not balance.credit_minor:
            facts += close_task(account, task=f"apply_credit/{currency}", outcome="needless")
    return facts

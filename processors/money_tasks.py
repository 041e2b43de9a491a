"""What people are asked to do about money: apply credit that covers what is due.

Each is asked once per finding, and is over by itself when what it was about
is gone.
"""

from collections.abc import Iterable

from processors.account import Account
from processors.circumstances import Circumstances
from processors.tasks import close_task, open_task
from schemas.facts import LedgerFact, ReminderWithheld, Withheld

__all__ = ["ask_about_withheld", "close_needless"]

_ITEMS_MAX = 100  # named in one task; its values count them all


def ask_about_withheld(at: Circumstances, said: Iterable[LedgerFact]) -> list[LedgerFact]:
    """Open the tasks that newly said reasons call for: to apply the cash (R11)."""
    covered: dict[str, list[Withheld]] = {}
    for fact in said:
        if isinstance(fact, ReminderWithheld):
            for each in fact.items:
                if each.reason == "credit_covers":
                    covered.setdefault(each.values["currency"], []).append(each)
    facts: list[LedgerFact] = []
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


def close_needless(account: Account) -> list[LedgerFact]:
    """End the tasks of an account that what has just changed leaves without an object."""
    facts: list[LedgerFact] = []
    if not account.tasks:
        return facts
    for currency, balance in account.row.balances.items():
        if not balance.credit_minor:
            facts += close_task(account, task=f"apply_credit/{currency}", outcome="needless")
    return facts

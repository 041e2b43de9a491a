"""What falls due on a day by itself: at the first tick of that day its handler changes the account.

Whoever needs a day sets ``account.alarms`` to ``'<kind>/<id>'`` and derives it
from its own row when the account is restored (``Account._place``), so that
the rows alone are the state. Alarms ring before anything is decided.
"""

from collections.abc import Callable

from processors import instruments, kin, manual_steps, messages, money_tasks, payment_plans, promises
from processors.account import Account
from processors.conservation import conserve, net_minor
from processors.context import FoldContext
from schemas.facts import LedgerFact

__all__ = ["ring"]

# Called with the account and the id; it must set another day for the alarm, or none.
Handler = Callable[..., list[LedgerFact]]


def ring(account: Account, *, context: FoldContext) -> list[LedgerFact]:
    """Carry out all alarms of ``context.day`` and before, in the order of (day, kind, id).

    Raises:
        AssertionError: an alarm was left standing; it would ring for ever.
    """
    first = account.alarms.first()
    if first is None or first > context.day or account.row.quarantined:
        return []
    before = net_minor(account)
    facts: list[LedgerFact] = []
    for name in account.alarms.until(context.day):
        kind, _, key = name.partition("/")
        facts += _HANDLERS[kind](account, key, context=context)
    still = account.alarms.first()
    if still is not None and still <= context.day:
        raise AssertionError(
            f"{account.id}: {account.alarms.until(context.day)} still ring after {context.day}"
        )
    conserve(account, facts, before=before)
    return facts


_HANDLERS: dict[str, Handler] = {
    "message": messages.send,
    "statement": messages.send_statement,
    "task": manual_steps.time_out,
    "promise": promises.fall_due,
    "instrument": instruments.ask_about,
    "payment_plan": payment_plans.fall_due,
    "parent": kin.write_to_parent_again,
    "unknown_item": money_tasks.ask_about_unknown,
}

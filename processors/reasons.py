"""Why a due step is not sent: the first reason of R15 that applies, with what it was judged by (R31).

The checks are in ``processors.withholding``; here is their order.
"""

from collections.abc import Callable

from processors.account import Account
from processors.circumstances import Case, Circumstances, Verdict
from processors.conditions import condition
from processors.ladder import Rung
from processors.manual_steps import awaiting_task
from processors.withholding import amounts, contacts, enrolment, holds, life, plans, sources
from schemas.rows import ItemRow

__all__ = ["is_only_of_when", "judge"]


def judge(at: Circumstances, *, item: ItemRow, rung: Rung | None, overtaken: bool = False) -> Verdict | None:
    """Give the first reason against sending an item's step now; None: it goes out.

    Args:
        rung: the due step; None when the item has no plan to stand on.
        overtaken: it is a courtesy that comes too late.
    """
    case = Case(at, item, rung, overtaken)
    for check in _CHECKS if _may_be_held(at.account) else _CHECKS_UNHELD:
        verdict = check(case)
        if verdict is not None and not (at.now_because and verdict.reason in _A_PERSON_MAY_OVERRIDE):
            return verdict
    return None


def _may_be_held(account: Account) -> bool:
    """Say whether a hold could stand against an item: most accounts have none, nor anything arranged."""
    return bool(account.holds) or account.arrangements is not None or bool(account.row.quarantined)


def is_only_of_when(verdict: Verdict | None) -> bool:
    """Say whether nothing, or only the time, stands against a step: it may be proposed (R19)."""
    return verdict is None or verdict.reason in _OF_WHEN


_A_PERSON_MAY_OVERRIDE = frozenset({"below_minimum", "bank_gate", "gap"})  # R5, R8, R21
_OF_WHEN = frozenset({"daily_portion", "source_lag", "bank_gate", "gap", "law"})  # the last ones of R15

_Check = Callable[[Case], Verdict | None]

_CHECKS_OF_HOLDS: tuple[_Check, ...] = (
    holds.quarantined,
    holds.held_account,
    holds.disputed,
    holds.promised,
    holds.payment_plan,
    holds.conditional_payment,
    holds.excluded,
    holds.snoozed,
)
_CHECKS_UNHELD: tuple[_Check, ...] = (
    enrolment.not_enrolled,
    enrolment.before_start,
    plans.no_plan,
    condition,
    awaiting_task,
    life.reminder_open,
    life.dropped,
    life.failed,
    plans.switched_off,
    plans.courtesy_passed,
    amounts.within_tolerance,
    amounts.credit_covers,
    amounts.below_minimum,
    amounts.account_grace,
    enrolment.daily_portion,
    sources.source_lag,
    sources.bank_gate,
    contacts.gap,
    contacts.law,
)
_CHECKS = _CHECKS_OF_HOLDS + _CHECKS_UNHELD

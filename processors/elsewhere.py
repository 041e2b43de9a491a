"""Reminders that were sent elsewhere, before going live or by hand (R36): the level is taken over, the contact counts."""

import datetime

from processors.account import Account
from processors.consuming import consume, record_contact
from processors.context import FoldContext
from processors.ladder import rung_at, standing_of
from processors.law.register import register
from processors.promises import refused
from processors.whereabouts import now_with
from schemas.events import ReminderSentElsewhere
from schemas.facts import LedgerFact, LevelTakenOver
from schemas.rows import ItemRow, ReminderRowItem

__all__ = ["take_over"]


def take_over(account: Account, event: ReminderSentElsewhere, *, context: FoldContext) -> list[LedgerFact]:
    """Count the contact, and move the item up to the level; what was decided before knew nothing of it (R32).

    A level that the item has passed changes no more than that; one that its
    plan does not have is said, since going on from somewhere would be a guess.
    """
    key = f"elsewhere/{event.document}/{event.level}"
    contact = {"contact": f"{key}/{event.occurred_at}", "channel": event.channel}
    register(account, **contact, kind="delivery", occurred_at=event.occurred_at, context=context)
    record_contact(account, on=context.day)
    account.advance()
    item = account.items[event.document]
    plan = context.company.resolve_plan(item, account.customer)
    names = [] if plan is None else [step.name for step in plan.steps]
    if event.level not in names:
        detail = f"its plan has no step {event.level!r}" if plan is not None else "it has no published plan"
        return [refused(account, reason="unknown_subject", key=key, detail=detail)]
    return _consume(account, item, index=names.index(event.level), context=context)


def _consume(account: Account, item: ItemRow, *, index: int, context: FoldContext) -> list[LedgerFact]:
    company, on = context.company, context.day
    standing = standing_of(item, company=company, customer=account.customer)
    if (item.status != "open" and not now_with(item)) or standing is None or index <= standing.consumed:
        return []
    plan = standing.plan
    rung = rung_at(item, standing=standing._replace(consumed=index - 1), index=index, company=company)
    step = ReminderRowItem(
        item=item.item,
        step_index=index,
        step=rung.step.name,
        plan=plan.id,
        plan_version=plan.version,
        step_due_on=rung.due_on,
    )
    pay_by_on = on + datetime.timedelta(days=rung.step.pay_by_days)
    finished = list(consume(account, item=item, step=step, on=on, pay_by_on=pay_by_on, company=company))
    taken_over = LevelTakenOver(
        id=f"{account.id}/{account.next_sequence()}",
        account=account.id,
        item=item.item,
        step=rung.step.name,
        step_index=index,
        plan=plan.id,
        plan_version=plan.version,
        on=on,
        pay_by_on=item.pay_by_on,
    )
    return [taken_over, *finished]

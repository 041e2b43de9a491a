"""Where an item stands on its plan, and when its next step is due (R2, R3, R6, R17).

Computes dates and positions; whether something is sent is ``decide``'s.
"""

import datetime
from typing import NamedTuple

from processors.calendar import next_business_day
from processors.company import Company
from processors.law.days import contacts_someone
from schemas.charges import ClaimDocument
from schemas.events import ItemOpened
from schemas.plans import Plan, Step
from schemas.rows import CustomerRow, ItemRow

__all__ = [
    "LATE_DAYS",
    "Rung",
    "Standing",
    "current_rung",
    "is_level",
    "level_offset_days",
    "next_look",
    "overtaken_on",
    "reanchored_shift_days",
    "rung_at",
    "shift_after_sending",
    "standing_of",
    "standing_on",
]

_BELOW_ALL_DAYS = -10_000
LATE_DAYS = 7  # R2: a level sent later than this after its day keeps the plan's distances from then on


class Standing(NamedTuple):
    """An item on its plan: the index of the last consumed step (-1: none), and what delays the next.

    ``pay_by_on`` is the date that the last sent level gave the customer;
    ``shift_days`` re-anchors an item whose level went out late. ``customer``
    is whose law a courtesy's day must heed.
    """

    plan: Plan
    consumed: int
    pay_by_on: datetime.date | None
    shift_days: int
    customer: CustomerRow | None = None


class Rung(NamedTuple):
    """A step of an item, with the day from which it is due."""

    plan: Plan
    step_index: int
    step: Step
    due_on: datetime.date


def is_level(step: Step) -> bool:
    """Say whether a step is a dunning level; before the due date it is a courtesy (R7)."""
    return step.offset_days >= 0


def standing_of(item: ItemRow, *, company: Company, customer: CustomerRow | None) -> Standing | None:
    """Give an item's standing; None when it has no plan that it could stand on.

    An opened item starts after the level that it came with (R36); a level
    that its plan does not have is no standing: starting over would write to
    someone again who was written to elsewhere. An item that was given another
    plan goes on after the last step of it that is not later than the one it
    consumed.
    """
    plan = company.resolve_plan(item, customer)
    if plan is None:
        return None
    if item.plan:
        consumed = item.step
        if item.plan != plan.id:
            consumed = _same_place(item, plan=plan, company=company)
        return Standing(plan, consumed, item.pay_by_on, item.shift_days, customer)
    if isinstance(item.document, ItemOpened) and item.document.level:
        brought = _brought_standing(item, plan=plan, document=item.document, company=company)
        return None if brought is None else brought._replace(customer=customer)
    return Standing(plan, -1, None, 0, customer)


def standing_on(item: ItemRow, *, plan: Plan, company: Company, customer: CustomerRow | None) -> Standing:
    """Give an item's standing on the plan that it is sent by, which may have been replaced since it was decided."""
    standing = standing_of(item, company=company, customer=customer)
    if standing is not None and standing.plan == plan:
        return standing
    return Standing(plan, item.step, item.pay_by_on, item.shift_days, customer)


def _same_place(item: ItemRow, *, plan: Plan, company: Company) -> int:
    pinned = company.plan(item.plan, version=item.plan_version)
    if pinned is None or item.step < 0:
        return -1
    offset_days = pinned.steps[item.step].offset_days
    return sum(step.offset_days <= offset_days for step in plan.steps) - 1


def _brought_standing(
    item: ItemRow, *, plan: Plan, document: ItemOpened, company: Company
) -> Standing | None:
    names = [step.name for step in plan.steps]
    if document.level not in names:
        return None
    consumed = names.index(document.level)
    step = plan.steps[consumed]
    sent_on = document.last_reminder_on
    if sent_on is None or not is_level(step):
        return Standing(plan, consumed, None, 0)
    before = Standing(plan, consumed - 1, None, 0)
    rung = rung_at(item, standing=before, index=consumed, company=company)
    shift_days = shift_after_sending(before, rung=rung, item=item, company=company, sent_on=sent_on)
    return Standing(plan, consumed, sent_on + datetime.timedelta(days=step.pay_by_days), shift_days)


def rung_at(item: ItemRow, *, standing: Standing, index: int, company: Company) -> Rung:
    """Give a step with its due day: on day N after the due date it is due (R2).

    Levels, not courtesies, are delayed: by the plan's grace for items, by the
    days that a due date on a non-business day moves (R6), by the item's
    shift, and at least to the pay-by date of the level before. A courtesy
    whose day the law forbids comes on the last allowed day before it (R3).
    """
    step = standing.plan.steps[index]
    due_on = item.due_on + datetime.timedelta(days=step.offset_days)
    if not is_level(step):
        if contacts_someone(step.actions):
            due_on = company.law.open_day(standing.customer, day=due_on, home=company.profile.country)
    else:
        due_on = _level_due_on(due_on, item=item, standing=standing, company=company)
        if standing.pay_by_on is not None and due_on < standing.pay_by_on:
            due_on = standing.pay_by_on
    return Rung(standing.plan, index, step, due_on)


def _level_due_on(
    due_on: datetime.date, *, item: ItemRow, standing: Standing, company: Company
) -> datetime.date:
    """Delay a level by graces and shift, pay-by date left out."""
    plan = standing.plan
    delay_days = plan.item_grace_days + standing.shift_days
    if delay_days:
        due_on += datetime.timedelta(days=delay_days)
    if plan.next_business_day:
        due_on += next_business_day(item.due_on, country=company.profile.country) - item.due_on
    return due_on


def overtaken_on(item: ItemRow, *, standing: Standing, index: int, company: Company) -> datetime.date | None:
    """Give the day from which a courtesy is dropped (R3); None for a level, which never is.

    It is dropped once the next step is due, and once the item is overdue: a
    message that a date is near is untrue after it.
    """
    if is_level(standing.plan.steps[index]):
        return None
    overdue_on = item.due_on + datetime.timedelta(days=1)
    if index + 1 == len(standing.plan.steps):
        return overdue_on
    return min(overdue_on, rung_at(item, standing=standing, index=index + 1, company=company).due_on)


def current_rung(
    item: ItemRow, *, standing: Standing, day: datetime.date, company: Company
) -> tuple[list[Rung], Rung | None]:
    """Give the courtesies that ``day`` has overtaken, and the step that is due then (None: none is)."""
    overtaken: list[Rung] = []
    for index in range(standing.consumed + 1, len(standing.plan.steps)):
        rung = rung_at(item, standing=standing, index=index, company=company)
        if rung.due_on > day:
            return overtaken, None
        dropped_on = overtaken_on(item, standing=standing, index=index, company=company)
        if dropped_on is None or day < dropped_on:
            return overtaken, rung
        overtaken.append(rung)
    return overtaken, None


def level_offset_days(
    item: ItemRow, *, company: Company, customer: CustomerRow | None, day: datetime.date
) -> int:
    """Give the offset of the step that is due for an item, else of the last one it consumed: its level among others.

    Offsets are compared across plans (R1). An item on no step yet is below all.
    """
    standing = standing_of(item, company=company, customer=customer)
    if standing is None:
        return _BELOW_ALL_DAYS
    _, rung = current_rung(item, standing=standing, day=day, company=company)
    if rung is not None:
        return rung.step.offset_days
    return _BELOW_ALL_DAYS if standing.consumed < 0 else standing.plan.steps[standing.consumed].offset_days


def next_look(item: ItemRow, *, company: Company, customer: CustomerRow | None) -> datetime.date | None:
    """Give the day from which a tick must look at an item; None when there is nothing to come, as for claims (R22).

    An item without a plan, or that came with all its steps done, is looked at
    from its due date on, so that this is said (R18, R31).
    """
    if item.status != "open" or item.open_minor <= 0 or type(item.document) is ClaimDocument:
        return None
    standing = standing_of(item, company=company, customer=customer)
    if standing is None:
        return item.due_on
    if standing.consumed + 1 < len(standing.plan.steps):
        return rung_at(item, standing=standing, index=standing.consumed + 1, company=company).due_on
    return None if item.plan_finished else item.due_on


def shift_after_sending(
    standing: Standing, *, rung: Rung, item: ItemRow, company: Company, sent_on: datetime.date
) -> int:
    """Give the item's shift after one of its steps was sent: as it was, unless a level was late (R2).

    A level sent more than 7 days after it was due moves the later ones: the
    plan's distances count from the day it was sent.
    """
    if not is_level(rung.step) or (sent_on - rung.due_on).days <= LATE_DAYS:
        return standing.shift_days
    plain = item.due_on + datetime.timedelta(days=rung.step.offset_days)
    planned_on = _level_due_on(plain, item=item, standing=standing, company=company)
    return standing.shift_days + max(
        0, (sent_on - planned_on).days
    )  # amended on its way, it may not be late any more


def reanchored_shift_days(item: ItemRow, *, due_on: datetime.date) -> int:
    """Give the shift of an item whose due date is amended to ``due_on`` (SEMANTICS 2.2).

    Later levels re-anchor on the new date, but never come earlier than the
    plan's distance from a level that went out late.
    """
    return max(0, item.shift_days - (due_on - item.due_on).days) if item.shift_days else 0

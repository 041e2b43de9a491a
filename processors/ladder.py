"""Where an item stands on its plan, and when its next step is due (R2, R3, R6, R17).

Computes dates and positions; whether something is sent is ``decide``'s.
"""

import datetime
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from processors.calendar import end_of_month, next_business_day
from processors.company import Company
from processors.law.book import reached_at
from processors.law.days import contacts_someone
from processors.plan import last_index, planned_offset_days, step_at
from schemas.charges import ClaimDocument
from schemas.events import InvoiceIssued, ItemOpened
from schemas.plans import Plan, Step
from schemas.rows import CustomerRow, ItemRow

__all__ = [
    "LATE_DAYS",
    "Rung",
    "Standing",
    "current_rung",
    "final_day",
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
_STEP_DAYS_MAX = 20_000  # remembered of a company
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
    """A step of an item, with the day from which it is due; beyond the last index it is a repetition (R18)."""

    plan: Plan
    step_index: int
    step: Step
    due_on: datetime.date

    @property
    def offset_days(self) -> int:
        """By what steps are compared across plans (R1)."""
        return planned_offset_days(self.plan, self.step_index)


def is_level(step: Step) -> bool:
    """Say whether a step is a dunning level; before the due date it is a courtesy (R7)."""
    return step.offset_days >= 0


def standing_of(item: ItemRow, *, company: Company, customer: CustomerRow | None) -> Standing | None:
    """Give an item's standing; None when it has no plan that it could stand on.

    An item whose plan's version was migrated stands on the new one, and one
    that was given another plan on that. An opened item starts after the level that it came with (R36); a level
    that its plan does not have is no standing: starting over would write to
    someone again who was written to elsewhere. On another plan or version an item goes
    on after the last step of it that is not later than the one it consumed.
    """
    plan = company.resolve_plan(item, customer)
    if plan is None:
        return None
    if item.plan:
        consumed = item.step
        if (item.plan, item.plan_version) != (plan.id, plan.version):
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
    offset_days = planned_offset_days(pinned, item.step)
    return sum(planned_offset_days(plan, index) <= offset_days for index in range(len(plan.steps))) - 1


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
    """Give a step with its due day: on day N after its anchor it is due (R2).

    A courtesy whose day the law forbids comes on the last allowed day before it
    (R3). Levels are delayed: by the plan's grace for items, by the days that
    a due date on a non-business day moves (R6), by the item's shift, after a
    part payment (R9), and at least to the pay-by date of the level before.
    """
    plan, step = standing.plan, step_at(standing.plan, index)
    if not is_level(step):
        due_on = item.due_on + datetime.timedelta(days=step.offset_days)
        if contacts_someone(step.actions):
            due_on = company.law.open_day(standing.customer, day=due_on, home=company.profile.country)
        return Rung(plan, index, step, due_on)
    sent_on = item.sent_on
    anchored_on = None if sent_on is None else _anchored_on(sent_on, standing=standing, index=index)
    due_on = anchored_on or _planned_level_on(item, standing=standing, index=index, company=company)
    if plan.part_paid_delay_days is not None and item.part_paid_on is not None:
        due_on = max(due_on, item.part_paid_on + datetime.timedelta(days=plan.part_paid_delay_days))
    if standing.pay_by_on is not None and due_on < standing.pay_by_on:
        due_on = standing.pay_by_on
    return Rung(plan, index, step, due_on)


def _anchored_on(sent_on: datetime.date, *, standing: Standing, index: int) -> datetime.date | None:
    """Give the day that the last sent reminder sets for the next step; None: the plan's offsets do."""
    plan = standing.plan
    if index != standing.consumed + 1:
        return None
    if index >= len(plan.steps):
        return sent_on + datetime.timedelta(days=plan.repeat_every_days or 0)
    step = plan.steps[index]
    if step.anchor != "last_reminder":
        return None
    return sent_on + datetime.timedelta(days=step.offset_days)


def _planned_level_on(item: ItemRow, *, standing: Standing, index: int, company: Company) -> datetime.date:
    """Give the day of a level by the plan's offsets, delayed by graces and shift, pay-by date left out."""
    plan = standing.plan
    due_on = item.due_on + datetime.timedelta(days=planned_offset_days(plan, index))
    if step_at(plan, index).anchor == "end_of_month" and index < len(plan.steps):
        due_on = end_of_month(due_on)
    delay_days = plan.item_grace_days + standing.shift_days
    if delay_days:
        due_on += datetime.timedelta(days=delay_days)
    if plan.next_business_day:
        due_on += next_business_day(item.due_on, country=company.profile.country) - item.due_on
    return due_on


def overtaken_on(item: ItemRow, *, standing: Standing, index: int, company: Company) -> datetime.date | None:
    """Give the day from which a courtesy is dropped (R3), remembered; None for a level, which never is."""
    return _step_days(item, standing=standing, index=index, company=company)[1]


def _dropped_on(item: ItemRow, *, standing: Standing, index: int, company: Company) -> datetime.date | None:
    """Give the day from which a courtesy is dropped (R3); None for a level, which never is.

    It is dropped once the next step is due, and once the item is overdue: a
    message that a date is near is untrue after it.
    """
    if is_level(step_at(standing.plan, index)):
        return None
    overdue_on = item.due_on + datetime.timedelta(days=1)
    if index + 1 == len(standing.plan.steps):
        return overdue_on
    return min(overdue_on, rung_at(item, standing=standing, index=index + 1, company=company).due_on)


def current_rung(
    item: ItemRow,
    *,
    standing: Standing,
    day: datetime.date,
    company: Company,
    admits: Callable[[Rung], bool] | None = None,
) -> tuple[list[Rung], Rung | None]:
    """Give the courtesies that ``day`` has overtaken, and the step that is due then (None: none is).

    A step that is not for the item (``admits``; None: all are) is the due one
    until the next is due, which then takes its place, unless it must not be
    skipped. With entry by age the latest step that is due is it (R3).
    """
    overtaken: list[Rung] = []
    last = last_index(standing.plan)
    for index in range(standing.consumed + 1, last + 1):
        rung, dropped_on = _step_days(item, standing=standing, index=index, company=company)
        if rung.due_on > day:
            return overtaken, None
        if dropped_on is not None and day >= dropped_on:
            overtaken.append(rung)
        elif admits is None or admits(rung):
            later = _later_rungs(item, standing=standing, index=index, day=day, company=company)
            return overtaken, _of_its_age(rung, later, admits=admits)
        elif (
            rung.step.must_not_skip
            or index == last
            or rung_at(item, standing=standing, index=index + 1, company=company).due_on > day
        ):
            return overtaken, rung
    return overtaken, None


def _step_days(
    item: ItemRow, *, standing: Standing, index: int, company: Company
) -> tuple[Rung, datetime.date | None]:
    """Give ``rung_at`` and ``overtaken_on`` of a step, remembered by all that they depend on: many items share it."""
    plan, customer = standing.plan, standing.customer
    key: tuple[object, ...] = (
        plan.id, plan.version, index, standing.consumed, item.due_on, item.sent_on, item.part_paid_on,
        standing.pay_by_on, standing.shift_days, None if customer is None else reached_at(customer),
    )  # fmt: skip
    known: tuple[Rung, datetime.date | None] | None = company.step_days.get(key)
    if known is None or known[0].plan is not plan:
        rung = rung_at(item, standing=standing, index=index, company=company)
        known = (rung, _dropped_on(item, standing=standing, index=index, company=company))
        if len(company.step_days) >= _STEP_DAYS_MAX:
            company.step_days.clear()
        company.step_days[key] = known
    return known


def _later_rungs(
    item: ItemRow, *, standing: Standing, index: int, day: datetime.date, company: Company
) -> Iterator[Rung]:
    """Walk the levels after a due step that are due as well, where items enter by age."""
    if standing.plan.entry != "by_age":
        return
    for later in range(index + 1, len(standing.plan.steps)):
        rung = rung_at(item, standing=standing, index=later, company=company)
        if rung.due_on > day:
            return
        yield rung


def _of_its_age(rung: Rung, later: Iterable[Rung], *, admits: Callable[[Rung], bool] | None) -> Rung:
    """Give the last of the due steps that can be reached without jumping over one that must not be."""
    if rung.step.must_not_skip:
        return rung
    for each in later:
        if admits is None or admits(each):
            rung = each
        if each.step.must_not_skip:
            break
    return rung


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
        return rung.offset_days
    return _BELOW_ALL_DAYS if standing.consumed < 0 else planned_offset_days(standing.plan, standing.consumed)


def next_look(item: ItemRow, *, company: Company, customer: CustomerRow | None) -> datetime.date | None:
    """Give the day from which a tick must look at an item; None when there is nothing to come, as for claims (R22).

    An item without a plan, or that came with all its steps done, is looked at
    from its due date on, so that this is said (R18, R31).
    """
    if item.status != "open" or item.open_minor <= 0 or type(item.document) is ClaimDocument:
        return None
    is_fresh = customer is None and _is_untouched(item)
    if is_fresh:
        first_on = company.first_looks.get(item.due_on)
        if first_on is not None:
            return first_on
    standing = standing_of(item, company=company, customer=customer)
    if standing is None:
        return item.due_on
    if is_fresh and standing.plan.steps:
        first_on = rung_at(item, standing=standing, index=0, company=company).due_on
        company.first_looks[item.due_on] = first_on
        return first_on
    if standing.consumed < last_index(standing.plan):
        return _step_days(item, standing=standing, index=standing.consumed + 1, company=company)[0].due_on
    return final_day(item, standing=standing) if item.plan_finished else item.due_on


def _is_untouched(item: ItemRow) -> bool:
    """Say whether an item's first step depends on its due date alone: on the company's own plan, nothing done yet."""
    return (
        not (item.plan or item.chosen_plan)
        and item.part_paid_on is None
        and item.sent_on is None
        and type(item.document) is InvoiceIssued
    )


def final_day(item: ItemRow, *, standing: Standing) -> datetime.date | None:
    """Give the day of what comes after a finished plan; None: nothing does, or it has come (R18)."""
    plan = standing.plan
    if plan.after_last not in ("escalate", "write_off") or item.final_on is not None:
        return None
    days = plan.steps[-1].pay_by_days if plan.after_last_days is None else plan.after_last_days
    last = len(plan.steps) - 1
    planned_on = item.due_on + datetime.timedelta(days=planned_offset_days(plan, last))
    return (item.sent_on or planned_on) + datetime.timedelta(days=days)


def shift_after_sending(
    standing: Standing, *, rung: Rung, item: ItemRow, company: Company, sent_on: datetime.date
) -> int:
    """Give the item's shift after one of its steps was sent: as it was, unless a level was late (R2).

    A level sent more than 7 days after it was due moves the later ones: the
    plan's distances count from the day it was sent.
    """
    if not is_level(rung.step) or (sent_on - rung.due_on).days <= LATE_DAYS:
        return standing.shift_days
    planned_on = _planned_level_on(item, standing=standing, index=rung.step_index, company=company)
    return standing.shift_days + max(
        0, (sent_on - planned_on).days
    )  # amended on its way, it may not be late any more


def reanchored_shift_days(item: ItemRow, *, due_on: datetime.date) -> int:
    """Give the shift of an item whose due date is amended to ``due_on`` (SEMANTICS 2.2).

    Later levels re-anchor on the new date, but never come earlier than the
    plan's distance from a level that went out late.
    """
    return max(0, item.shift_days - (due_on - item.due_on).days) if item.shift_days else 0

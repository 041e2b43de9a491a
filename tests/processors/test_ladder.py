"""Where an item stands on its plan, at the very day on which an answer turns (R2, R12, R17, R36)."""

import datetime

import hypothesis
import pytest
from hypothesis import strategies as st
from msgspec import structs

from processors.company import Company
from processors.ladder import (
    Standing,
    current_rung,
    final_day,
    level_offset_days,
    reanchored_shift_days,
    rung_at,
    shift_after_sending,
    standing_of,
    standing_on,
)
from schemas.commands import ConfigureCompany, PublishPlan
from schemas.events import CustomerUpserted, InvoiceIssued, ItemOpened
from schemas.plans import Action, Plan, Step
from schemas.rows import CustomerRow, ItemRow

DUE = datetime.date(2026, 2, 1)
_MAIL = (Action(channel="email"),)
PLAN = Plan(
    id="default",
    version=1,
    steps=(
        Step(name="courtesy", offset_days=-3, actions=_MAIL),
        Step(name="first", offset_days=0, actions=_MAIL, pay_by_days=7),
        Step(name="second", offset_days=15, actions=_MAIL, pay_by_days=5),
        Step(name="third", offset_days=60, actions=_MAIL),
    ),
)
OTHER = Plan(
    id="other",
    version=1,
    steps=(
        Step(name="soft", offset_days=0, actions=_MAIL),
        Step(name="hard", offset_days=15, actions=_MAIL),
        Step(name="last", offset_days=16, actions=_MAIL),
    ),
)


def _company(*plans: Plan) -> Company:
    company = Company("acme")
    told = {"company": "acme", "occurred_at": "2025-01-01"}
    company.apply(
        ConfigureCompany(
            company="acme", occurred_at="2025-01-01", command="p", name="A", time_zone="UTC", currency="USD"
        )
    )
    for plan in plans or (PLAN, OTHER):
        command = f"{plan.id}-{plan.version}"
        company.apply(
            PublishPlan(company=told["company"], occurred_at=told["occurred_at"], command=command, plan=plan)
        )
    return company


def _on(days: int) -> datetime.date:
    return DUE + datetime.timedelta(days=days)


def _item(**more: object) -> ItemRow:
    issued = InvoiceIssued(
        company="acme", customer="C", occurred_at="2026-01-01", document="I", currency="USD", amount="10"
    )
    given: dict[str, object] = {"document": issued, **more}
    return ItemRow(
        account="acme:C",
        item="I",
        currency="USD",
        amount_minor=1000,
        open_minor=1000,
        issued_on=datetime.date(2026, 1, 1),
        due_on=DUE,
        **given,  # type: ignore[arg-type]  # the test's own fields of the row
    )


def _brought(level: str, *, reminded: datetime.date | None) -> ItemRow:
    return _item(
        document=ItemOpened(
            company="acme",
            customer="C",
            occurred_at="2026-03-01",
            document="I",
            currency="USD",
            amount="10",
            open_amount="10",
            issue_date=datetime.date(2026, 1, 1),
            due_date=DUE,
            level=level,
            last_reminder_on=reminded,
        )
    )


# -- going live (R36) ----------------------------------------------------------


def test_a_level_that_came_along_gives_its_pay_by_date_and_its_shift() -> None:
    """Sent 20 days after it was due, it moves the later ones by as much; the customer had the step's days to pay."""
    company = _company()
    standing = standing_of(_brought("first", reminded=_on(20)), company=company, customer=None)
    assert standing is not None
    assert (1, _on(27), 20) == (standing.consumed, standing.pay_by_on, standing.shift_days)
    rung = rung_at(_brought("first", reminded=_on(20)), standing=standing, index=2, company=company)
    assert _on(35) == rung.due_on


def test_a_level_that_came_in_time_moves_nothing() -> None:
    """A week late is not late (R2)."""
    standing = standing_of(_brought("second", reminded=_on(22)), company=_company(), customer=None)
    assert standing is not None
    assert (2, _on(27), 0) == (standing.consumed, standing.pay_by_on, standing.shift_days)


@pytest.mark.parametrize(("level", "reminded", "consumed"), [("courtesy", _on(-3), 0), ("second", None, 2)])
def test_courtesies_and_unknown_days_set_no_pay_by_date(
    level: str, reminded: datetime.date | None, consumed: int
) -> None:
    """What is no level sets none; nor does a level of which nobody knows when it was sent."""
    standing = standing_of(_brought(level, reminded=reminded), company=_company(), customer=None)
    assert standing is not None
    assert (consumed, None, 0) == (standing.consumed, standing.pay_by_on, standing.shift_days)


def test_a_level_that_the_plan_does_not_have_is_no_standing() -> None:
    """Starting over would write twice."""
    assert standing_of(_brought("notice", reminded=None), company=_company(), customer=None) is None


# -- another plan (R17) ----------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (0, -1),  # after a courtesy the other plan begins
        (1, 0),  # an offset that both have is done
        (2, 1),
        (3, 2),
    ],
)
def test_another_plan_goes_on_after_what_is_not_later(step: int, expected: int) -> None:
    """The last step of the new plan whose offset is not later than that of the step it had."""
    item = _item(plan="default", plan_version=1, step=step, chosen_plan="other")
    standing = standing_of(item, company=_company(), customer=None)
    assert standing is not None
    assert ("other", expected) == (standing.plan.id, standing.consumed)


def test_another_plan_begins_for_who_had_nothing_and_where_the_old_one_is_unknown() -> None:
    """No step consumed, or one of a plan that was never published here."""
    company = _company()
    for item in (
        _item(plan="default", plan_version=1, step=-1, chosen_plan="other"),
        _item(plan="gone", plan_version=1, step=2, chosen_plan="other"),
    ):
        standing = standing_of(item, company=company, customer=None)
        assert standing is not None
        assert -1 == standing.consumed


# -- amended on the way (SEMANTICS 2.2) --------------------------------------------


@pytest.mark.parametrize(
    ("shift", "later", "expected"),
    [
        (0, 5, 0),  # what was never late has no distance to keep
        (20, 0, 20),
        (20, 5, 15),  # a later date takes up part of the delay
        (20, 20, 0),
        (20, 21, 0),  # never less than none
        (20, -5, 25),  # an earlier date: the next level comes no earlier than it would have
    ],
)
def test_a_new_due_date_keeps_the_distance_from_a_late_level(shift: int, later: int, expected: int) -> None:
    """Later levels re-anchor, and never come earlier than the plan's distance from the one that went out late."""
    assert expected == reanchored_shift_days(_item(shift_days=shift), due_on=_on(later))


@pytest.mark.parametrize(("late", "shift"), [(7, 0), (8, 8), (30, 30)])
def test_late_from_the_eighth_day_on(late: int, shift: int) -> None:
    """R2: more than seven days late keeps the plan's distances from then on."""
    company, item = _company(), _item()
    standing = Standing(PLAN, 0, None, 0)
    rung = rung_at(item, standing=standing, index=1, company=company)
    sent_on = _on(late)
    assert shift == shift_after_sending(standing, rung=rung, item=item, company=company, sent_on=sent_on)
    courtesy = rung_at(item, standing=Standing(PLAN, -1, None, 3), index=0, company=company)
    shifted = Standing(PLAN, -1, None, 3)
    assert 3 == shift_after_sending(shifted, rung=courtesy, item=item, company=company, sent_on=sent_on)


# -- levels compared (R1, R12) -----------------------------------------------------


@pytest.mark.parametrize(
    ("step", "day", "expected"),
    [
        (-1, _on(-4), None),  # on no step yet: below all
        (-1, _on(-3), -3),
        (0, _on(-2), -3),  # consumed, the next not due: its own
        (0, _on(0), 0),
        (1, _on(14), 0),
        (1, _on(15), 15),
    ],
)
def test_an_items_level_is_what_is_due_or_else_what_it_consumed(
    step: int, day: datetime.date, expected: int | None
) -> None:
    """Notes without an invoice go to the highest level downwards: this is how levels compare."""
    item = _item(plan="default", plan_version=1, step=step) if step >= 0 else _item()
    found = level_offset_days(item, company=_company(), customer=None, day=day)
    if expected is None:
        assert found < -365
    else:
        assert expected == found


def test_a_customers_own_plan_counts() -> None:
    """R17: the customer's plan comes before the company's, also where levels are compared."""
    said = CustomerUpserted(company="acme", customer="C", occurred_at="2026-01-01", name="C", plan="other")
    customer = CustomerRow(account="acme:C", customer=said)
    company = _company()
    assert 16 == level_offset_days(
        _item(plan="other", plan_version=1, step=1), company=company, customer=customer, day=_on(16)
    )
    assert 0 == level_offset_days(_item(), company=company, customer=customer, day=_on(2))
    assert -3 == level_offset_days(_item(), company=company, customer=None, day=_on(-1))
    nobody = level_offset_days(_item(), company=_company(OTHER), customer=None, day=_on(60))
    assert nobody < -365  # without a plan it is below all


# -- after the last step (R18) -----------------------------------------------------


@pytest.mark.parametrize(
    ("after_last", "days", "sent_on", "expected"),
    [
        ("stop", None, _on(60), None),
        ("escalate", None, _on(70), _on(77)),  # the last step's days to pay, from when it was sent
        ("escalate", 10, _on(70), _on(80)),
        ("write_off", 10, None, _on(70)),  # never sent: from the plan's own day
    ],
)
def test_what_comes_after_the_plan_has_its_day(
    after_last: str, days: int | None, sent_on: datetime.date | None, expected: datetime.date | None
) -> None:
    """Handed over or proposed for a write-off so many days after the last step; once."""
    plan = structs.replace(PLAN, after_last=after_last, after_last_days=days)
    standing = Standing(plan, 3, None, 0)
    assert expected == final_day(_item(sent_on=sent_on), standing=standing)
    assert final_day(_item(sent_on=sent_on, final_on=_on(90)), standing=standing) is None


def test_what_comes_after_counts_from_the_last_step() -> None:
    """The days to pay are the last step's own, and its day is the one that counts where nothing was sent."""
    steps = (*PLAN.steps[:3], structs.replace(PLAN.steps[3], pay_by_days=21))
    plan = structs.replace(PLAN, steps=steps, after_last="write_off")
    standing = Standing(plan, 3, None, 0)
    assert _on(81) == final_day(_item(), standing=standing)
    assert _on(91) == final_day(_item(sent_on=_on(70)), standing=standing)


def test_days_off_count_for_a_level_that_came_along() -> None:
    """R6: due on a Sunday, the level was due on Monday: what was sent a week after that is not late."""
    plan = structs.replace(PLAN, next_business_day=True)
    company = _company(plan)
    assert 6 == DUE.weekday()
    in_time = standing_of(_brought("first", reminded=_on(8)), company=company, customer=None)
    late = standing_of(_brought("first", reminded=_on(9)), company=company, customer=None)
    assert in_time is not None
    assert late is not None
    assert (0, 8) == (in_time.shift_days, late.shift_days)


def test_a_level_sent_on_its_planned_day_although_amended_since_moves_nothing() -> None:
    """Amended on its way, it may not be late any more: then no later level moves."""
    company, item = _company(), _item()
    standing = Standing(PLAN, 0, None, 0)
    rung = rung_at(item, standing=standing, index=1, company=company)
    amended = _item()
    amended.due_on = _on(20)
    assert 0 == shift_after_sending(standing, rung=rung, item=amended, company=company, sent_on=_on(20))


# -- sent by a plan that has been replaced (R17) -------------------------------------


def test_a_reminder_is_consumed_on_the_plan_that_it_was_sent_by() -> None:
    """The item's own progress counts where it has another plan by now; else its standing as it is."""
    company = _company()
    said = CustomerUpserted(company="acme", customer="C", occurred_at="2026-01-01", name="C", plan="other")
    customer = CustomerRow(account="acme:C", customer=said)
    item = _item(plan="default", plan_version=1, step=1, pay_by_on=_on(7), shift_days=4)
    assert Standing(PLAN, 1, _on(7), 4, customer) == standing_on(
        item, plan=PLAN, company=company, customer=customer
    )
    assert Standing(OTHER, 1, _on(7), 4, customer) == standing_on(
        item, plan=OTHER, company=company, customer=customer
    )
    fresh = standing_on(_item(step=-1), plan=OTHER, company=company, customer=customer)
    assert Standing(OTHER, -1, None, 0, customer) == fresh
    brought = standing_on(_brought("first", reminded=_on(0)), plan=PLAN, company=company, customer=None)
    assert (1, _on(7)) == (brought.consumed, brought.pay_by_on)
    unknown = standing_on(_item(chosen_plan="none"), plan=PLAN, company=company, customer=None)
    assert Standing(PLAN, -1, None, 0, None) == unknown


def test_a_customers_plan_decides_the_level() -> None:
    """R17: a day before it is due an item of the company's plan is on its courtesy, one of the customer's on nothing."""
    said = CustomerUpserted(company="acme", customer="C", occurred_at="2026-01-01", name="C", plan="other")
    customer = CustomerRow(account="acme:C", customer=said)
    assert level_offset_days(_item(), company=_company(), customer=customer, day=_on(-1)) < -365


# -- what is remembered of a step's days ------------------------------------------

_ANCHORED = Plan(
    id="anchored",
    version=1,
    steps=(
        Step(name="courtesy", offset_days=-3, actions=_MAIL),
        Step(name="first", offset_days=2, actions=_MAIL, pay_by_days=7),
        Step(name="second", offset_days=9, actions=_MAIL, anchor="last_reminder"),
        Step(name="third", offset_days=30, actions=_MAIL),
    ),
    part_paid_percent=50,
    part_paid_delay_days=6,
)
_REMEMBERING = _company(_ANCHORED)  # one for all examples: what it remembers of one must not reach another
_DAYS = st.none() | st.integers(-5, 25).map(_on)
_KINDS = st.none() | st.tuples(st.sampled_from(["", "DE", "CL"]), st.sampled_from(["business", "consumer"]))


@hypothesis.settings(deadline=None)  # whose turn it is to load a calendar takes longer
@hypothesis.given(
    due_on=st.integers(0, 7).map(_on),
    sent_on=_DAYS,
    part_paid_on=_DAYS,
    pay_by_on=_DAYS,
    shift_days=st.integers(0, 3),
    consumed=st.integers(-1, 3),
    kind=_KINDS,
    day=st.integers(-6, 50).map(_on),
)
def test_a_remembered_day_of_a_step_is_the_one_that_would_be_computed(
    *,
    due_on: datetime.date,
    sent_on: datetime.date | None,
    part_paid_on: datetime.date | None,
    pay_by_on: datetime.date | None,
    shift_days: int,
    consumed: int,
    kind: tuple[str, str] | None,
    day: datetime.date,
) -> None:
    """Whoever asked before, for whatever other item: each answer is that of a company that remembers nothing (R2, R3)."""
    customer = None
    if kind is not None:
        said = CustomerUpserted(
            company="acme",
            customer="C",
            occurred_at="2026-01-01",
            name="C",
            country=kind[0],
            kind=kind[1],  # type: ignore[arg-type]  # one of its two
        )
        customer = CustomerRow(account="acme:C", customer=said)
    item = _item(sent_on=sent_on, part_paid_on=part_paid_on)
    item.due_on = due_on
    standing = Standing(_ANCHORED, consumed, pay_by_on, shift_days, customer)
    fresh = current_rung(item, standing=standing, day=day, company=_company(_ANCHORED))
    assert fresh == current_rung(item, standing=standing, day=day, company=_REMEMBERING)

"""What a plan must be to be published: each refusal has its place and its reason (R2, R3, R9, R18, R28)."""

from typing import Any

import msgspec
import pytest

from processors.plan import last_index, plan_problems, plan_warnings, planned_offset_days
from schemas.plans import Plan

MAIL = [{"channel": "email"}]
CALL = [{"channel": "task", "summary": "Call"}]
FIRST = {"name": "first", "offset_days": 0, "actions": MAIL}


def plan(*steps: dict[str, Any], **fields: Any) -> Plan:
    """Make a plan of steps as a file has them."""
    return msgspec.convert({"id": "p", "version": 1, "steps": list(steps), **fields}, Plan)


@pytest.mark.parametrize(
    ("refused", "place"),
    [
        (plan(FIRST | {"anchor": "last_reminder"}), "$.steps[0].anchor"),
        (plan(FIRST | {"anchor": "end_of_month", "offset_days": -3}), "$.steps[0].anchor"),
        (
            plan(
                FIRST | {"offset_days": -20},
                FIRST | {"name": "b", "anchor": "last_reminder", "offset_days": 5},
            ),
            "$.steps[1].anchor",
        ),
        (plan(FIRST, FIRST | {"name": "b", "anchor": "last_reminder"}), "$.steps[1].offset_days"),
        (plan(FIRST | {"blocking": True}), "$.steps[0].actions"),
        (plan(FIRST | {"blocking": True, "actions": CALL + MAIL}), "$.steps[0].actions"),
        (plan(FIRST | {"blocking": True, "actions": CALL, "offset_days": -1}), "$.steps[0].blocking"),
        (plan(FIRST | {"blocking": True, "actions": CALL, "automatic": False}), "$.steps[0].automatic"),
        (plan(FIRST | {"timeout_days": 3}), "$.steps[0].timeout_days"),
        (plan(FIRST | {"when": {}}), "$.steps[0].when"),
        (plan(FIRST | {"when": {"countries": ["XX"]}}), "$.steps[0].when.countries[0]"),
        (plan(FIRST | {"when": {"min_total": {"USD": "1.005"}}}), "$.steps[0].when.min_total.USD"),
        (plan(FIRST | {"when": {"max_total": {"USD": "-1"}}}), "$.steps[0].when.max_total.USD"),
        (plan(FIRST, after_last="repeat", repeat_every_days=5), "$.after_last"),
        (plan(FIRST, after_last="repeat", repeat_at_most=5), "$.after_last"),
        (plan(FIRST, repeat_at_most=5), "$.repeat_at_most"),
        (plan(FIRST, after_last="escalate"), "$.after_last"),
        (plan(FIRST, escalate_to="legal"), "$.escalate_to"),
        (plan(FIRST, after_last_days=3), "$.after_last_days"),
        (
            plan(
                FIRST | {"blocking": True, "actions": CALL},
                after_last="repeat",
                repeat_every_days=5,
                repeat_at_most=1,
            ),
            "$.after_last",
        ),
        (plan(FIRST, FIRST | {"offset_days": 9}), "$.steps[1].name"),
        (plan(FIRST | {"name": "to the/court"}), "$.steps[0].name"),
        (plan(FIRST | {"template": "to the/court"}), "$.steps[0].template"),
        (plan(FIRST | {"fees": {"USD": "-1"}}), "$.steps[0].fees.USD"),
        (plan(FIRST | {"fees": {"USD": "1.005"}}), "$.steps[0].fees.USD"),
        (plan(FIRST | {"fees": {"USD": "5"}, "offset_days": -1}), "$.steps[0].fees"),
        (plan(FIRST | {"actions": [*MAIL, *CALL, *CALL, *MAIL]}), "$.steps[0].actions[3].channel"),
        (
            plan(FIRST | {"actions": [{"channel": "email", "summary": "Call"}]}),
            "$.steps[0].actions[0].summary",
        ),
        (plan(FIRST | {"actions": CALL, "cc": ["finance"]}), "$.steps[0].cc"),
        (plan(FIRST | {"cc": ["finance", "finance"]}), "$.steps[0].cc[1]"),
        (plan(FIRST, part_paid_percent=50), "$.part_paid_percent"),
        (plan(FIRST, part_paid_delay_days=5), "$.part_paid_delay_days"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_at_its_place(refused: Plan, place: str) -> None:
    """One problem, with the path of what is wrong."""
    assert [place] == [each.rpartition("`")[0].rpartition("`")[2] for each in plan_problems(refused)]


def test_a_plan_with_everything_is_sound() -> None:
    """Anchors, conditions, blocking steps, entry by age and a hand-over go together."""
    whole = plan(
        FIRST | {"anchor": "end_of_month", "must_not_skip": True},
        {"name": "call", "offset_days": 5, "anchor": "last_reminder", "blocking": True, "timeout_days": 4, "actions": CALL},
        {"name": "last", "template": "aZ_09-", "fees": {"USD": "0"}, "offset_days": 9, "anchor": "last_reminder", "actions": MAIL, "when": {"trust": ["bad"]}},
        entry="by_age",
        after_last="escalate",
        escalate_to="agency",
        after_last_days=20,
        part_paid_percent=50,
        part_paid_delay_days=5,
    )  # fmt: skip
    assert [] == plan_problems(whole)
    assert [0, 5, 14] == [planned_offset_days(whole, index) for index in range(3)]


def test_repetitions_have_indexes_after_the_last_step() -> None:
    """R18: twice more, every ten days."""
    repeating = plan(
        FIRST, FIRST | {"name": "b", "offset_days": 15}, after_last="repeat", repeat_every_days=10, repeat_at_most=2
    )  # fmt: skip
    assert 3 == last_index(repeating)
    assert [0, 15, 25, 35] == [planned_offset_days(repeating, index) for index in range(4)]


def test_what_will_wait_is_warned_of() -> None:
    """R5: steps closer than the gap, repetitions among them; an end of month that may come after the next step."""
    close = plan(
        FIRST | {"anchor": "end_of_month", "pay_by_days": 0},
        FIRST | {"name": "b", "offset_days": 10},
        after_last="repeat",
        repeat_every_days=2,
        repeat_at_most=2,
    )
    warnings = plan_warnings(close, min_days_between_contacts=3)
    assert ["$.steps[1].offset_days", "$.repeat_every_days"] == [
        each.rpartition("`")[0].rpartition("`")[2] for each in warnings
    ]

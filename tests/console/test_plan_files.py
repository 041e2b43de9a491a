"""Plan files: the shipped ones are sound, wrong ones are refused with every place."""

from pathlib import Path

import pytest

from console.plan_files import PLANS, PlanFileError, find_plan, publish_plan_command, read_plan
from processors.plan import plan_warnings


@pytest.mark.parametrize("path", sorted(PLANS.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_plan_can_be_published_as_its_dates_say(path: Path) -> None:
    """S0-23: what we ship has no problems and waits for nothing."""
    assert [] == plan_warnings(read_plan(path), min_days_between_contacts=3)


def test_default_plan_is_the_sample_of_the_capability_list() -> None:
    """S0-23: email at -3; email and letter at 0; email and call at 15; email and letter at 60."""
    expected = [
        (-3, ["email"]),
        (0, ["email", "letter"]),
        (15, ["email", "task"]),
        (60, ["email", "letter"]),
    ]
    steps = find_plan("default").steps
    assert expected == [(step.offset_days, [each.channel for each in step.actions]) for step in steps]


def test_same_version_is_the_same_command() -> None:
    """Publishing a plan twice changes nothing."""
    plan = find_plan("default")
    first, second = (
        publish_plan_command(plan, company="acme", occurred_at="2026-01-01", author="") for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id: [", "while parsing"),
        ("id: x\nversion: 1\nsteps: []\n", r"length >= 1 - at `\$.steps`"),
        ("id: x\nversion: 1\nstep: []\n", "required field `steps`|unknown field `step`"),
        (
            (
                "id: x\nversion: 1\nsteps:\n"
                "  - {name: a, offset_days: 5, actions: [{channel: email}]}\n"
                "  - {name: a, offset_days: 5, actions: [{channel: email}, {channel: email}]}\n"
            ),
            r"(?s)not later than.*is taken by.*is there twice",
        ),
    ],
)
def test_wrong_plan_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    """What cannot be evaluated is refused by name, all of it at once."""
    file = tmp_path / "plan.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PlanFileError, match=expected):
        read_plan(file)


def test_missing_plan_is_told(tmp_path: Path) -> None:
    """No traceback for a misspelt name."""
    with pytest.raises(PlanFileError, match="No such file"):
        find_plan(str(tmp_path / "none"))

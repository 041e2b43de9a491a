"""Plan files: the one that ships is sound, wrong ones are refused with every line and path."""

from pathlib import Path

import pytest

from console.plan_files import PlanFileError, find_plan, publish_plan_command, read_plan, template_warnings
from processors.plan import plan_warnings


def written(tmp_path: Path, text: str) -> Path:
    """Write a plan file."""
    path = tmp_path / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["default", "default_es"])
def test_shipped_plan_is_the_sample_of_the_capability_list(name: str) -> None:
    """S0-23: email at -3; email and letter at 0; email and call at 15; email and letter at 60."""
    expected = [
        ("courtesy", -3, ["email"]),
        ("first", 0, ["email", "letter"]),
        ("second", 15, ["email", "task"]),
        ("third", 60, ["email", "letter"]),
    ]
    steps = find_plan(name).steps
    assert expected == [
        (step.name, step.offset_days, [each.channel for each in step.actions]) for step in steps
    ]


def test_shipped_plan_goes_as_its_dates_say() -> None:
    """R2, R5: no step of it has to wait for the gap or for a pay-by date."""
    assert [] == plan_warnings(find_plan("default"), min_days_between_contacts=3)


def test_steps_that_are_too_close_are_warned_of() -> None:
    """R5: a step 15 days after the one before waits where contacts keep 20 days apart."""
    warnings = plan_warnings(find_plan("default"), min_days_between_contacts=20)
    assert ["courtesy", "first"] == [warning.split("after '")[1].split("'")[0] for warning in warnings]


def test_texts_that_do_not_ship_are_warned_of(tmp_path: Path) -> None:
    """A step that writes mails needs texts; a task that says what to do needs none."""
    path = written(
        tmp_path,
        """\
id: x
version: 1
steps:
  - {name: hint, offset_days: 0, actions: [{channel: email}]}
  - {name: visit, offset_days: 9, actions: [{channel: task, summary: Visit them}]}
  - {name: again, offset_days: 20, template: second, actions: [{channel: email}]}
""",
    )
    (warning,) = template_warnings(read_plan(path))
    assert "step 'hint' needs template 'hint'" in warning
    assert [] == template_warnings(find_plan("default"))


def test_same_version_is_the_same_command() -> None:
    """R17: publishing a version twice changes nothing."""
    plan = find_plan("default")
    first, second = (
        publish_plan_command(plan, company="acme", occurred_at="2026-01-01", author="") for _ in range(2)
    )
    assert first == second


def test_every_error_of_the_shape_is_said_with_its_line(tmp_path: Path) -> None:
    """A person mends a file once, not error by error."""
    path = written(
        tmp_path,
        """\
id: x
version: zero
steps:
  - name: a
    offset_days: 5
    actions: []
  - name: b
    offset: 9
    actions:
      - channel: fax
""",
    )
    with pytest.raises(PlanFileError) as raised:
        read_plan(path)
    expected = [
        "line 2: Expected `int`, got `str` - at `$.version`",
        "line 6: Expected `array` of length >= 1 - at `$.steps[0].actions`",
        "line 7: Missing required field - at `$.steps[1].offset_days`",
        "line 8: Unknown field - at `$.steps[1].offset`",
        "line 10: Invalid enum value 'fax' - at `$.steps[1].actions[0].channel`",
    ]
    assert expected == [line.removeprefix(f"{path}: ") for line in str(raised.value).splitlines()]


def test_what_cannot_be_evaluated_is_said_with_its_line(tmp_path: Path) -> None:
    """R2: offsets ascend, names and channels of a step are there once, only tasks have summaries."""
    path = written(
        tmp_path,
        """\
id: x
version: 1
steps:
  - name: a
    offset_days: 5
    actions: [{channel: email}, {channel: email}]
  - name: a
    offset_days: 5
    template: ../a
    actions:
      - channel: email
        summary: no task
""",
    )
    with pytest.raises(PlanFileError) as raised:
        read_plan(path)
    said = [line.removeprefix(f"{path}: ").partition(":")[0] for line in str(raised.value).splitlines()]
    assert ["line 6", "line 7", "line 8", "line 9", "line 12"] == said


def test_a_first_step_that_counts_from_a_reminder_is_said_with_its_line(tmp_path: Path) -> None:
    """R2: refused when it is published, at the line of its anchor; a condition's amount at its own."""
    path = written(
        tmp_path,
        """\
id: x
version: 1
steps:
  - name: a
    anchor: last_reminder
    offset_days: 5
    actions: [{channel: email}]
    when:
      min_total:
        USD: "1.005"
after_last: escalate
""",
    )
    with pytest.raises(PlanFileError) as raised:
        read_plan(path)
    said = [line.removeprefix(f"{path}: ").partition(":")[0] for line in str(raised.value).splitlines()]
    assert ["line 5", "line 10", "line 11"] == said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id: [", "line 1: no YAML: while parsing"),
        ("", r"line 1: Expected an object, got nothing - at `\$`"),
        ("id: x\nid: y\nversion: 1\nsteps: []\n", r"line 2: is there twice - at `\$.id`"),
    ],
)
def test_what_is_no_plan_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    """Broken YAML, an empty file and a key written twice have an error each, and no traceback."""
    with pytest.raises(PlanFileError, match=expected):
        read_plan(written(tmp_path, text))


def test_missing_file_is_told(tmp_path: Path) -> None:
    """A misspelt name is said as such."""
    with pytest.raises(PlanFileError, match="No such file"):
        find_plan(str(tmp_path / "none"))


def test_the_plan_of_the_documentation_is_sound(tmp_path: Path) -> None:
    """docs/plans.md shows every field, and what it shows can be published."""
    text = (Path(__file__).parents[2] / "docs" / "plans.md").read_text(encoding="utf-8")
    plan = read_plan(written(tmp_path, text.partition("```yaml\n")[2].partition("```")[0]))
    assert ["courtesy", "first", "call", "second"] == [step.name for step in plan.steps]
    assert [] == plan_warnings(plan, min_days_between_contacts=3)

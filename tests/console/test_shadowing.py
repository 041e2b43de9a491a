"""A shadow with a name: stopped at any record it goes on as if it had not been, and tells each day once."""

from pathlib import Path

import msgspec
import pytest

from console.comparing import differing
from console.shadow_file import ShadowFile
from console.shadowing import DayDifference, Shadow
from console.spooling import Spool
from infra.errors import OperatorError
from processors.alternative import Alternative, Contact, Rules, learn
from schemas.plans import Action, Plan, Step
from tests.scenarios.language import read_script
from tests.scenarios.on_core import Stage, run
from tests.scenarios.playing import played

STORY = """# one customer by mail, one who pays in between
company zone America/Santiago
customer email ana@c1.test
@C2 customer email eva@c2.test
plan default
    first      0 email
    second   +15 email
2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-01-02  @C2 invoice INV-2 40.00 due 2026-02-02
2026-02-02  tick
    expect reminder first INV-1 by email
    expect @C2 reminder first INV-2 by email
2026-02-03..2026-02-06  tick
2026-02-07  @C2 payment P-2 40.00 for INV-2
2026-02-07..2026-02-16  tick
2026-02-17  tick
    expect reminder second INV-1 by email
    expect finished INV-1
2026-02-18..2026-02-25  tick
"""
GENTLE = Rules(
    plan=Plan(
        id="default",
        version=1,
        steps=(Step(name="first", offset_days=5, actions=(Action(channel="email"),)),),
    ),
    company="acme",
)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """Play the story."""
    path = tmp_path_factory.mktemp("shadow") / "story.txt"
    path.write_text(STORY, encoding="utf-8")
    made = Stage()
    run(read_script(path), stage=made)
    return made


def shadow(folder: Path, *, rules: Rules = GENTLE, name: str = "gentle") -> Shadow:
    """Start the shadow, or let it go on."""
    return Shadow(folder, name=name, rules=rules, numbers=[0])


def contacts(stage: Stage, rules: Rules) -> list[Contact]:
    """Fold the story under rules at once."""
    alternative = Alternative(number=0, rules=rules, log=learn(stage.records))
    return [each for record in stage.records for each in alternative.take(record)]


def test_each_day_that_is_over_is_told_with_what_differs(stage: Stage, tmp_path: Path) -> None:
    """Issue 5, U-6: the live plan wrote to two on the second, the other one to both on the seventh: by then one has paid."""
    running = shadow(tmp_path)
    running.learn(0, stage.records)
    told: list[DayDifference] = []
    for record in stage.records:
        running.take(0, record)
        told += running.over()
    both = [contacts(stage, rules) for rules in (Rules(), GENTLE)]
    assert differing(*both) == [
        (sign, each)
        for day in told
        for sign, side in (("-", day.only_now), ("+", day.only_other))
        for each in side
    ]
    assert [("2026-02-02", 2, 0), ("2026-02-07", 0, 1), ("2026-02-17", 1, 0)] == [
        (str(day.on), day.now, day.other) for day in told
    ]
    lines = running.days_file.read_bytes().splitlines()
    assert told == [msgspec.json.decode(line, type=DayDifference) for line in lines]


def test_stopped_after_any_record_it_goes_on_as_if_it_had_not_been(stage: Stage, tmp_path: Path) -> None:
    """Stopped as it should be, or killed before it could write down where it was: the lines are the same, each once."""
    whole = shadow(tmp_path / "whole")
    whole.learn(0, stage.records)
    for record in stage.records:
        whole.take(0, record)
        whole.over()
    expected = whole.days_file.read_bytes()
    for every, is_killed in ((1, False), (7, False), (7, True)):
        folder = tmp_path / f"{every}-{is_killed}"
        running = shadow(folder)
        running.learn(0, stage.records)
        for count, record in enumerate(stage.records, start=1):
            running.take(0, record)
            running.over()
            if count % every == 0:
                running.keep()
            elif is_killed and count % 5 == 0:
                running.days_file.parent.mkdir(parents=True, exist_ok=True)
                with running.days_file.open("ab") as lines:
                    lines.write(b'{"on":"2026')  # it was writing
                running = shadow(folder)
                running.learn(0, stage.records)
                for again in stage.records[running.next_offset(0) : count]:
                    running.take(0, again)
                    running.over()
            if count % every == 0:
                running = shadow(folder)
        assert expected == running.days_file.read_bytes()


def test_writing_down_where_it_is_costs_what_has_changed(tmp_path: Path) -> None:
    """A shadow of many customers writes a part of one for the next day of one; what was cut off while it was written is done again."""
    many = "\n".join(
        f"2026-01-02  @C{each} invoice INV-{each} 10.00 due 2027-02-02" for each in range(9, 300)
    )
    stage = played(STORY.replace("2026-02-02  tick", f"{many}\n2026-02-02  tick", 1))
    running = shadow(tmp_path)
    running.learn(0, stage.records)
    for record in stage.records[:-2]:
        running.take(0, record)
    running.keep()
    file = tmp_path / "shadows" / "gentle.state"
    whole_bytes = file.stat().st_size
    running.take(0, stage.records[-2])
    running.keep()
    part_bytes = file.stat().st_size - whole_bytes
    assert 0 < 30 * part_bytes < whole_bytes
    running.keep()
    assert file.stat().st_size == whole_bytes + part_bytes
    kept = file.read_bytes()
    running.take(0, stage.records[-1])
    running.keep()
    file.write_bytes(file.read_bytes()[:-1])
    again = shadow(tmp_path)
    assert len(stage.records) - 1 == again.next_offset(0)
    assert kept == file.read_bytes()


def test_the_whole_is_written_anew_once_its_parts_are_as_long(tmp_path: Path) -> None:
    """The file does not grow for ever; what is in it afterwards is what was written last."""
    path = tmp_path / "shadows" / "gentle.state"
    file = ShadowFile(path)
    assert file.wants_whole
    file.begin(b"w" * 3_000_000)
    for _ in range(3):
        assert not file.wants_whole
        file.add(b"p" * 1_000_000)
        assert 4 >= len(list(ShadowFile(path).read()))
    file.add(b"p")
    assert file.wants_whole
    file.begin(b"whole")
    again = ShadowFile(path)
    assert [b"whole"] == list(again.read())
    assert not again.wants_whole
    again.forget()
    assert again.wants_whole


def test_another_version_of_the_fold_begins_anew(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was folded by other rules of ours is not gone on with, and is written over."""
    running = shadow(tmp_path)
    running.take(0, stage.records[0])
    running.keep()
    running.take(0, stage.records[1])
    running.keep()
    monkeypatch.setattr("console.shadowing.FOLD_VERSION", 99)
    newer = shadow(tmp_path)
    assert 0 == newer.next_offset(0)
    newer.take(0, stage.records[0])
    newer.keep()
    assert 1 == shadow(tmp_path).next_offset(0)


def test_a_shadow_of_a_name_keeps_to_its_rules(stage: Stage, tmp_path: Path) -> None:
    """Another plan under the name of one that runs would compare apples with pears; a name is that of a file."""
    running = shadow(tmp_path)
    running.take(0, stage.records[0])
    running.keep()
    with pytest.raises(OperatorError, match="tries other rules"):
        shadow(tmp_path, rules=Rules(profile="strict"))
    with pytest.raises(OperatorError, match="is no name of a shadow"):
        shadow(tmp_path, name="../gentle")
    (tmp_path / "shadows" / "gentle.state").write_bytes(b"\xc1")
    with pytest.raises(OperatorError, match="remove it to begin anew"):
        shadow(tmp_path)


def test_records_are_read_once_and_given_as_often_as_asked(stage: Stage, tmp_path: Path) -> None:
    """What-if reads a log from Kafka once; its file is nowhere to be found."""
    spool = Spool(tmp_path)
    expected = [(each.offset, each.timestamp, each.value) for each in spool.take(stage.records)]
    assert len(stage.records) == len(expected)
    for _ in range(2):
        assert expected == [(each.offset, each.timestamp, each.value) for each in spool]
    spool.close()
    assert [] == list(tmp_path.iterdir())

"""R17: who would be moved by a migration, to where, and what comes next, before anything is published."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine

from console.cli.main import main
from console.plan_files import PlanBackError, PlanFileError, migrate_plan_command, previewed, reverted
from infra.database.engine import reading
from tests.infra.database.played import play_into

_STORY = """# three who have begun, one who has not
customer email ana@c1.test
plan default
    first    0 email pay-by 0
    second +15 email pay-by 0
2026-01-02  invoice A 100.00 due 2026-02-02
2026-01-02  invoice B 50.00 due 2026-02-17
2026-01-02  invoice C 20.00 due 2026-06-01
2026-01-02  invoice D 20.00 due 2026-02-02
2026-02-02  tick
    expect reminder first A D by email
2026-02-03  payment P 20.00 for D
2026-02-17  tick
    expect reminder second A B:first by email
    expect finished A
2026-02-18  plan default version 2 grace 2
    friendly  0 email
    last    +30 letter
"""


def test_preview_says_where_each_item_goes(engine: Engine, tmp_path: Path) -> None:
    """Begun and open: the same place by offset, the next step with its day by the new plan; nobody else."""
    play_into(engine, _STORY, folder=tmp_path)
    event = migrate_plan_command("default", to_version=2, company="acme", occurred_at="2026-02-19", author="")
    with reading(engine) as connection:
        found = previewed(connection, event=event)
    assert [
        ("A", 1, "second", "friendly", "last", "2026-03-06"),
        ("B", 1, "first", "friendly", "last", "2026-03-21"),
    ] == [
        (each.item, each.from_version, each.from_step, each.to_step, each.next_step, str(each.next_on))
        for each in found
    ]


def test_a_version_that_is_not_published_is_refused(engine: Engine, tmp_path: Path) -> None:
    """Nothing is published by a slip of the pen."""
    play_into(engine, _STORY, folder=tmp_path)
    event = migrate_plan_command("default", to_version=7, company="acme", occurred_at="2026-02-19", author="")
    with reading(engine) as connection, pytest.raises(PlanFileError, match="version 7 is not published"):
        previewed(connection, event=event)


def test_the_command_shows_the_preview(engine: Engine, database: str, tmp_path: Path) -> None:
    """`cobranza plan migrate --preview` publishes nothing, and needs no Kafka."""
    play_into(engine, _STORY, folder=tmp_path)
    given = ["--data-dir", str(tmp_path), "plan", "migrate", "default", "--company", "acme"]
    given += ["--to-version", "2", "--preview", "--format", "json"]
    done = CliRunner().invoke(main, given, env={"COBRANZA_DATABASE_URL": database})
    assert ["A", "B"] == [each["item"] for each in json.loads(done.output)]


_BACK = """# a bad version was published and migrated to; one has begun on the first, one on the bad one
customer email ana@c1.test
plan default
    first    0 email pay-by 0
    second +15 email pay-by 0
2026-01-02  invoice A 100.00 due 2026-02-02
2026-02-02  tick
    expect reminder first A by email
2026-02-03  plan default version 2
    first    0 email pay-by 0
    rough   +5 letter pay-by 0
2026-02-03  migrate default 2
2026-02-03  invoice B 50.00 due 2026-02-05
2026-02-05  tick
    expect reminder first B by email
"""


def test_a_migration_to_an_older_version_is_refused_and_says_what_to_do(
    engine: Engine, tmp_path: Path
) -> None:
    """R17: nobody believes that documents went back when they did not."""
    play_into(engine, _BACK, folder=tmp_path)
    event = migrate_plan_command("default", to_version=1, company="acme", occurred_at="2026-02-06", author="")
    with (
        reading(engine) as connection,
        pytest.raises(PlanBackError, match="cobranza plan revert default --company acme --to-version 1"),
    ):
        previewed(connection, event=event)


def test_the_way_back_is_the_old_text_under_a_new_number(engine: Engine, tmp_path: Path) -> None:
    """R17: both who began before the bad version and who began on it go on by what the good one said."""
    play_into(engine, _BACK, folder=tmp_path)
    told = {"plan": "default", "company": "acme", "occurred_at": "2026-02-06", "author": "ana"}
    with reading(engine) as connection:
        publish, migrate, found = reverted(connection, to_version=1, **told)
        with pytest.raises(PlanFileError, match="says what version 2 says"):
            reverted(connection, to_version=2, **told)
        with pytest.raises(PlanFileError, match="version 7 is not published"):
            reverted(connection, to_version=7, **told)
    assert (3, ["first", "second"], 3) == (
        publish.plan.version,
        [each.name for each in publish.plan.steps],
        migrate.to_version,
    )
    assert [("A", "first", "second"), ("B", "first", "second")] == [
        (each.item, each.to_step, each.next_step) for each in found
    ]

"""B-13, section 5: who publishes a plan with copies that nobody gets is told so."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine

from console.cli.main import main
from console.plan_files import copy_warnings, plan_in
from console.web.inside.plan_faults import plan_fault_text
from console.web.inside.showing import words_of
from infra.database.engine import reading
from schemas.plans import Plan
from tests.infra.database.played import play_into

_STORY = """# a plan of everybody's, one of a group, and one of a customer's own
company group-plan trade wholesale
customer email ana@c1.test kind consumer
customer @C2 email eva@c2.test
customer @C3 email ida@c3.test kind business group trade
customer @C4 email leo@c4.test kind business plan own
plan default
    first 0 email
"""
_TEXT = """
id: {plan}
version: 2
steps:
  - {{name: first, offset_days: 0, actions: [{{channel: email}}]}}
  - {{name: second, offset_days: 15, cc: [finance], actions: [{{channel: email}}]}}
"""


def _plan(name: str) -> Plan:
    found = plan_in(_TEXT.format(plan=name))
    assert isinstance(found, Plan)
    return found


@pytest.mark.parametrize(
    ("plan", "warns"), [("default", True), ("wholesale", False), ("own", False), ("new", False)]
)
def test_copies_that_nobody_gets_are_told(engine: Engine, tmp_path: Path, plan: str, *, warns: bool) -> None:
    """The plan's customers are a consumer, and one of whom nothing is known; a business has another, and a new plan has nobody yet."""
    play_into(engine, _STORY, folder=tmp_path)
    with reading(engine) as connection:
        found = copy_warnings(connection, _plan(plan), company="acme")
    assert warns == bool(found)
    for each in found:
        assert each.endswith(" - at `$.steps[1].cc`")
        assert plan_fault_text(each, words=words_of("es")).startswith("El paso second nombra quién recibe")


@pytest.mark.parametrize("has_read_model", [True, False])
def test_publishing_warns(engine: Engine, database: str, tmp_path: Path, *, has_read_model: bool) -> None:
    """`cobranza plan publish` says it before it publishes; without a read model, that it does not know."""
    if has_read_model:
        play_into(engine, _STORY, folder=tmp_path)
    file = tmp_path / "plan.yaml"
    file.write_text(_TEXT.format(plan="default"), encoding="utf-8")
    given = ["--data-dir", str(tmp_path), "plan", "publish", str(file), "--company", "acme"]
    nowhere = f"sqlite:///{tmp_path}/none.db"
    env = {
        "COBRANZA_DATABASE_URL": database if has_read_model else nowhere,
        "COBRANZA_KAFKA_BROKERS": "127.0.0.1:1",
    }
    done = CliRunner().invoke(main, given, env=env)
    said = "no customer of this plan is said to be a business" if has_read_model else "is not known"
    assert said in done.stderr

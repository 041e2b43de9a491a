"""``cobranza what-if`` and ``cobranza shadow`` on a real journal: other rules are tried, and nothing is written."""

import datetime
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from console.cli.main import main
from console.plan_files import plan_in
from console.simulating import SimulationAsked, report_of, write_json
from console.web.inside.simulations import launch
from infra.kafka.topics import apply
from infra.settings import Settings
from schemas.plans import Plan
from tests.console.forged_ledger import Forge

pytestmark = pytest.mark.system

Run = Callable[..., Result]
_PLAN = """id: gentle
version: 1
steps:
  - name: only
    offset_days: 15
    actions:
      - channel: letter
      - channel: task
        summary: Call them
"""


@pytest.fixture(scope="module")
def settings(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Write a partition of five customers whose company has no plan."""
    folder = tmp_path_factory.mktemp("what-if")
    (folder / "plan.yaml").write_text(_PLAN, encoding="utf-8")
    made = Settings(data_dir=folder, bootstrap_servers=broker, topic_prefix="whatif.", partitions=1)
    apply(made)
    forge = Forge(made)
    forge.fold(0)
    forge.close()
    return made


@pytest.fixture(scope="module")
def run(settings: Settings) -> Run:
    """Give ``cobranza`` on it."""
    folder, broker = settings.data_dir, settings.brokers()

    def cobranza(*arguments: str) -> Result:
        options = ["--data-dir", str(folder), "--bootstrap-servers", broker]
        given = [each.replace("PLAN", str(folder / "plan.yaml")) for each in arguments]
        return CliRunner().invoke(main, [*options, *given], env={"COBRANZA_TOPIC_PREFIX": "whatif."})

    return cobranza


_DAYS = ("--from", "2026-02-01", "--to", "2026-02-28")


def test_sums_of_both_sides(run: Run) -> None:
    """What the plan would have sent: five customers, each once, by task where there is no address."""
    result = run("what-if", "--plan", "PLAN", *_DAYS, "--price", "task=2.50", "--format", "json")
    assert 0 == result.exit_code, result.output
    found = {row["what"]: (row["now"], row["other"]) for row in json.loads(result.stdout)}
    assert (0, 5) == found["reminders"]
    assert (0, 5) == found["only by task"]
    assert ("0", "12.50") == found["cost"]


def test_lines_that_differ(run: Run) -> None:
    """Who, when, which level and channel; by other days nothing."""
    listed = run("what-if", "--plan", "PLAN", *_DAYS, "--lines", "--format", "json")
    assert [("+", "2026-02-20", "acme:C-1", "only", "task", "7.50")] == [
        (row["sign"], row["day"], row["account"], row["level"], row["channel"], row["amount"].split()[1])
        for row in json.loads(listed.stdout)
        if row["account"] == "acme:C-1"
    ]
    other = run(
        "what-if",
        "--plan",
        "PLAN",
        "--from",
        "2026-03-01",
        "--to",
        "2026-03-31",
        "--lines",
        "--format",
        "csv",
    )
    assert 1 == len(other.stdout.splitlines())


def test_what_cannot_be_tried_is_said(run: Run) -> None:
    """No rules, an unknown law, a price that is none."""
    assert "say what is other" in run("what-if", *_DAYS).stderr
    assert "there is no law 'mars'" in run("what-if", "--profile", "mars", *_DAYS).stderr
    assert 2 == run("what-if", "--plan", "PLAN", *_DAYS, "--price", "letter=x").exit_code


def test_a_shadow_says_what_would_be_sent(run: Run) -> None:
    """A JSON object a line; the same again when started again; only the days that are asked for."""
    result = run("shadow", "--plan", "PLAN", "--once")
    assert 0 == result.exit_code, result.output
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert {f"acme:C-{number}" for number in range(1, 6)} == {each["account"] for each in lines}
    assert {("only", "2026-02-20", "accepted")} == {
        (each["step"], each["on"], each["fate"]) for each in lines
    }
    assert result.stdout == run("shadow", "--plan", "PLAN", "--once").stdout
    assert "" == run("shadow", "--plan", "PLAN", "--once", "--from", "2026-03-01").stdout


def test_a_shadow_with_a_name_goes_on_where_it_was(run: Run, settings: Settings) -> None:
    """Issue 5: its state is in the data folder; what it has read it does not read again, nor tell; other rules need another name."""
    first = run("shadow", "--plan", "PLAN", "--name", "gentle", "--once")
    assert 0 == first.exit_code, first.output
    kept = settings.data_dir / "shadows" / "gentle.state"
    before = kept.read_bytes()
    again = run("shadow", "--plan", "PLAN", "--name", "gentle", "--once")
    assert (0, "", before) == (again.exit_code, again.stdout, kept.read_bytes())
    other = run("shadow", "--profile", "strict", "--name", "gentle", "--once")
    assert "tries other rules" in other.stderr


def test_the_console_has_it_done_by_a_process_of_its_own(settings: Settings, tmp_path: Path) -> None:
    """As the page starts it: what it says of itself, the same sums as the command's; and its settings are the console's."""
    plan = plan_in(_PLAN)
    assert isinstance(plan, Plan)
    asked = SimulationAsked(
        simulation="one",
        user="bea",
        company="acme",
        started_at=datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC),
        first_on=datetime.date(2026, 2, 1),
        last_on=datetime.date(2026, 2, 28),
        plan=plan,
    )
    write_json(tmp_path, asked)
    process = launch(tmp_path, settings)
    assert 0 == process.wait(), (tmp_path / "errors.txt").read_text()
    report = report_of(tmp_path)
    assert report is not None
    assert (0, 5) == (report.now.reminders, report.other.reminders)
    assert 5 == sum(each.other for each in report.days)

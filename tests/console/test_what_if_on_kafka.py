"""``cobranza what-if`` and ``cobranza shadow`` on a real journal: other rules are tried, and nothing is written."""

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from console.cli.main import main
from infra.kafka.topics import apply
from infra.settings import Settings
from tests.console.forged_ledger import Forge

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

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
def run(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Write a partition of five customers whose company has no plan, and give ``cobranza`` on it."""
    folder = tmp_path_factory.mktemp("what-if")
    (folder / "plan.yaml").write_text(_PLAN, encoding="utf-8")
    settings = Settings(data_dir=folder, bootstrap_servers=broker, topic_prefix="whatif.", partitions=1)
    apply(settings)
    forge = Forge(settings)
    forge.fold(0)
    forge.close()

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

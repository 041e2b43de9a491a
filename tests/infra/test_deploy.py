"""What is delivered for watching agrees with itself: rules, runbooks, dashboard, compose, and what is exported."""

import itertools
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from console.cli.main import main
from infra.metrics.register import METRICS
from infra.metrics.targets import read_targets

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "infra" / "deploy"
RUNBOOKS = ROOT / "docs" / "runbooks"
# Of Prometheus itself and of prometheus-client.
FOREIGN = {"up", "process_start_time_seconds", "process_resident_memory_bytes", "process_cpu_seconds_total"}
TARGET_LABELS = {"process", "instance", "job"}


def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def _rules() -> list[dict[str, Any]]:
    return [
        rule for group in _yaml(DEPLOY / "prometheus" / "alerts.yml")["groups"] for rule in group["rules"]
    ]


def _panels() -> list[dict[str, Any]]:
    dashboard = json.loads((DEPLOY / "grafana" / "dashboards" / "cobranza.json").read_text())
    panels: list[dict[str, Any]] = dashboard["panels"]
    return panels


def _expressions() -> list[str]:
    shown = [target["expr"] for panel in _panels() for target in panel.get("targets", ())]
    return [rule["expr"] for rule in _rules()] + shown


def _metrics(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:cobranza|process)_[a-z_]+|\bup\b", expression))


def test_every_alert_has_its_page_and_every_page_its_alert() -> None:
    """Issue 4, point 7: what it means, what to look at, what to do."""
    pages = {rule["annotations"]["runbook"] for rule in _rules()}
    there = {path.relative_to(ROOT).as_posix() for path in RUNBOOKS.glob("*.md")}
    assert there - {"docs/runbooks/README.md"} == pages


@pytest.mark.parametrize("rule", _rules(), ids=lambda rule: str(rule["alert"]))
def test_page_answers_three_questions(rule: dict[str, Any]) -> None:
    """The title is the alert's name, so that a search finds it."""
    page = (ROOT / rule["annotations"]["runbook"]).read_text()
    assert f"# {rule['alert']}" == page.splitlines()[0]
    headings = re.findall(r"^## (.*)$", page, flags=re.MULTILINE)
    assert ["What it means", "What to look at", "What to do"] == headings
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"]["summary"]


def test_overview_links_every_page() -> None:
    """No page can only be found by its alert."""
    linked = set(re.findall(r"\(([a-z-]+\.md)\)", (RUNBOOKS / "README.md").read_text()))
    assert {path.name for path in RUNBOOKS.glob("*.md")} - {"README.md"} == linked


def test_commands_that_pages_name_exist() -> None:
    """A runbook that names a command or an option that is not there costs time when there is none."""
    missing = []
    pages = [*RUNBOOKS.glob("*.md"), ROOT / "docs" / "operations.md"]
    for page in pages:
        for named in re.findall(r"`cobranza ([^`]+)`", page.read_text()):
            missing += [f"{page.name}: cobranza {named}: {what}" for what in _unknown(named.split())]
    assert [] == missing


def _unknown(words: list[str]) -> list[str]:
    command: click.Command = main
    unknown = []
    for word in words:
        options = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
        if word.startswith("--"):
            unknown += [] if word in {*options, "--help"} else [word]
        elif isinstance(command, click.Group):
            found = command.get_command(click.Context(command), word)
            if found is None:
                return [word]
            command = found
    return unknown


def test_every_metric_that_is_used_is_exported() -> None:
    """Rules and dashboard name nothing that is not in the register."""
    assert set().union(*map(_metrics, _expressions())) <= METRICS.keys() | FOREIGN


def test_every_metric_that_is_exported_is_used() -> None:
    """What nobody looks at is not exported."""
    assert METRICS.keys() <= set().union(*map(_metrics, _expressions()))


@pytest.mark.parametrize("expression", _expressions())
def test_expressions_group_by_labels_that_are_there(expression: str) -> None:
    """A misspelt label is an empty graph."""
    known = TARGET_LABELS.union(*(METRICS[name].labels for name in _metrics(expression) - FOREIGN))
    by = ", ".join(re.findall(r"\bby \(([^)]*)\)", expression))
    selected = re.findall(r"(\w+)(?:=~|!~|!=|=)\"", expression)
    assert set(filter(None, re.split(r", *", by))) | set(selected) <= known


def test_every_alert_is_tested() -> None:
    """`promtool test rules` runs a case of each that fires, and one that does not (`make test-system`)."""
    cases = _yaml(DEPLOY / "prometheus" / "alerts_test.yml")["tests"]
    fired = {one["alertname"] for case in cases for one in case["alert_rule_test"] if one["exp_alerts"]}
    quiet = {one["alertname"] for case in cases for one in case["alert_rule_test"] if not one["exp_alerts"]}
    assert ({rule["alert"] for rule in _rules()},) * 2 == (fired, quiet)


def test_dashboard_is_drawn_as_a_grid() -> None:
    """Ids are unique, panels stand beside each other, each has a source that is provisioned and a legend."""
    panels = _panels()
    assert len(panels) == len({panel["id"] for panel in panels})
    covered = [
        (panel["gridPos"]["x"] + dx, panel["gridPos"]["y"] + dy)
        for panel in panels
        for dx, dy in itertools.product(range(panel["gridPos"]["w"]), range(panel["gridPos"]["h"]))
    ]
    assert len(covered) == len(set(covered))
    assert max(x for x, _ in covered) < 24
    sources = _yaml(DEPLOY / "grafana" / "provisioning" / "datasources" / "prometheus.yml")["datasources"]
    for panel in panels:
        for target in panel.get("targets", ()):
            assert sources[0]["uid"] == target["datasource"]["uid"]
            assert target["legendFormat"], panel["title"]


def _services() -> dict[str, Any]:
    services: dict[str, Any] = _yaml(ROOT / "docker-compose.yml")["services"]
    return services


def test_files_that_compose_mounts_are_there() -> None:
    """A missing file would be made as an empty folder."""
    volumes = [volume for one in _services().values() for volume in one.get("volumes", ())]
    mounted = [volume.split(":")[0] for volume in volumes if volume.startswith("./")]
    assert 3 <= len(mounted)
    assert [] == [path for path in mounted if not (ROOT / path).exists()]


def test_prometheus_finds_the_processes_of_compose() -> None:
    """Each of our services is a target at the port that it is given."""
    ours = {
        name: one["environment"]
        for name, one in _services().items()
        if one.get("image") == "cobranza:local" and name != "prepare"
    }
    expected = {f"{name}:{variables['COBRANZA_METRICS_PORT']}" for name, variables in ours.items()}
    targets = read_targets(DEPLOY / "prometheus" / "targets" / "compose.json")
    assert expected == {each.address for each in targets}
    assert [each.address.partition(":")[0] for each in targets] == [each.process for each in targets]
    assert {"0.0.0.0"} == {variables["COBRANZA_METRICS_HOST"] for variables in ours.values()}  # noqa: S104


def test_compose_runs_every_process_of_an_installation() -> None:
    """What `cobranza up` runs, compose runs."""
    from console.installation import services

    commands = {
        _without_member(one["command"])
        for one in _services().values()
        if one.get("image") == "cobranza:local" and "command" in one
    }
    wanted = {_without_member(each.command[3:]) for each in services(clock=True, web=True, console=True)}
    assert wanted == commands


def _without_member(command: Sequence[str]) -> tuple[str, ...]:
    """Leave the member's name out: each installation has its own."""
    words = list(command)
    if "--member" in words:
        at = words.index("--member")
        del words[at : at + 2]
    return tuple(words)


def test_workers_of_compose_have_names() -> None:
    """By its name a ledger worker finds its rows on the volume again, and its partitions at once."""
    commands = [one["command"] for one in _services().values() if "worker" in one.get("command", ())]
    assert [True, True] == ["--member" in command for command in commands]


def test_prometheus_reads_what_the_supervisor_writes() -> None:
    """The scrape configuration's folder of targets is the one that `cobranza up` writes into."""
    from infra.metrics.targets import targets_file

    [scrape] = _yaml(DEPLOY / "prometheus" / "prometheus.yml")["scrape_configs"]
    [discovery] = scrape["file_sd_configs"]
    data_dir = Path("data")
    assert (data_dir / "prometheus").joinpath(discovery["files"][0]).parent == targets_file(data_dir).parent


def test_images_have_versions() -> None:
    """What was tried is what comes: `latest` is another program on another day."""
    foreign = [one["image"] for one in _services().values() if one.get("image") != "cobranza:local"]
    assert 5 == len(foreign)
    assert [] == [image for image in foreign if not re.search(r":v?\d+(\.\d+)*$", image)]


def test_operations_says_how_many_ports_an_installation_takes() -> None:
    """`cobranza up` numbers its processes from the first port on."""
    from console.installation import services
    from infra.metrics.settings import FIRST_PORT

    last = FIRST_PORT + len(services(clock=True, web=True, console=True)) - 1
    assert f"{FIRST_PORT} to {last} when not set" in (ROOT / "docs" / "operations.md").read_text()

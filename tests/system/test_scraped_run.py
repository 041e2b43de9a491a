"""A real run under a real Prometheus: targets up, series there, an alert provoked, an end in time."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from click.testing import CliRunner

from console.cli.main import main
from console.installation import environment, services
from infra.kafka.consumers import producer
from infra.metrics.register import METRICS
from infra.metrics.scrape import ask
from infra.metrics.targets import read_targets, targets_file
from infra.ports import free_port
from infra.processes import lives
from infra.settings import Settings
from tests.busy import stretched
from tests.system.prometheus import DEPLOYED, Prometheus, eventually

pytestmark = pytest.mark.packages

PROCESSES = {each.name for each in services(clock=True, web=True, console=True)}
BAD_IN_A_ROW_MAX = 5
PAUSED = "billing.invoice.v1"
_SAID_MAX = 2_000


@dataclass(frozen=True, slots=True)
class _Watched:
    """An installation that runs, and who watches it."""

    settings: Settings
    prometheus: Prometheus
    up: "subprocess.Popen[bytes]"

    def targets(self) -> dict[str, str]:
        """Give the health of each process; an installation that has ended fails with all that it said."""
        if self.up.poll() is not None:
            logs = sorted((self.settings.data_dir / "logs").glob("*.log"))
            said = [
                (each, each.read_text()[-_SAID_MAX:]) for each in (self.settings.data_dir / "up.out", *logs)
            ]
            pytest.fail("\n".join(f"== {each.name}\n{text}" for each, text in said))
        return self.prometheus.targets()


@pytest.fixture(scope="module")
def watched(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Watched]:
    """Run `cobranza up` and Prometheus beside it."""
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("watched"), bootstrap_servers=broker, topic_prefix="watched."
    )
    variables = {
        "COBRANZA_METRICS_PORT": str(free_port()),
        "COBRANZA_METRICS_EXPORT_EVERY_S": "1",
        "COBRANZA_STREAM_TICK_EVERY_S": "1",
        "COBRANZA_STREAM_BAD_IN_A_ROW_MAX": str(BAD_IN_A_ROW_MAX),
    }
    with (settings.data_dir / "up.out").open("wb") as log:
        up = subprocess.Popen(
            [sys.executable, "-m", "console", "up"],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment(settings), **variables},
        )
    try:
        with Prometheus(settings.data_dir / "prometheus") as prometheus:
            yield _Watched(settings, prometheus, up)
    finally:
        up.terminate()
        up.wait(60)


def test_all_processes_are_scraped_and_ready(watched: _Watched) -> None:
    """Issue 4, point 7: /metrics, /healthz and /readyz of every process that `cobranza up` runs."""
    eventually(watched.targets, wanted=lambda seen: seen == dict.fromkeys(PROCESSES, "up"), within_s=120)

    def ready() -> set[str]:
        return {each["metric"]["process"] for each in watched.prometheus.query("cobranza_ready == 1")}

    eventually(ready, wanted=lambda seen: seen == PROCESSES, within_s=120)
    assert [] == watched.prometheus.query("cobranza_healthy == 0")


def test_every_registered_metric_is_there(watched: _Watched) -> None:
    """What rules and dashboard use is really exported, by a run in which nothing has happened yet."""
    eventually(watched.prometheus.names, wanted=lambda seen: seen >= METRICS.keys(), within_s=120)
    stages = ("intake", "ledger", "projector", "notify-email", "notify-letter", "notify-sms", "notify-task")
    expected = {watched.settings.group(name) for name in stages}

    def groups() -> set[str]:
        return {each["metric"]["group"] for each in watched.prometheus.query("cobranza_lag_seconds")}

    # A sender that is ready has joined its group; what the group lags is read and scraped after that.
    eventually(groups, wanted=lambda seen: seen == expected, within_s=120)


def test_dashboard_and_rules_can_be_evaluated(watched: _Watched) -> None:
    """Each panel's expressions are valid on real series; rules have been evaluated without an error."""
    dashboard = json.loads((DEPLOYED.parent / "grafana" / "dashboards" / "cobranza.json").read_text())
    shown = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]

    def empty() -> set[str]:
        asked = [one for one in shown if "> 0" not in one]
        return {one for one in asked if not watched.prometheus.query(one.replace("$__rate_interval", "1m"))}

    # A rate needs two scrapes.
    eventually(empty, wanted=lambda seen: seen == set(), within_s=120)
    eventually(watched.prometheus.rules, wanted=lambda seen: set(seen.values()) == {"ok"}, within_s=120)


def test_paused_partition_becomes_an_alert(watched: _Watched) -> None:
    """Too many bad records in a row: alert, `/readyz` and `cobranza top` name the partition."""
    assert set() == watched.prometheus.firing() & {"PartitionPaused", "DeadLetters"}
    settings = watched.settings
    with producer(bootstrap_servers=settings.brokers()) as writer:
        for _ in range(2 * BAD_IN_A_ROW_MAX):
            writer.send(settings.topic(PAUSED), value=b"no json", partition=1)
    eventually(
        watched.prometheus.firing,
        wanted=lambda seen: seen >= {"PartitionPaused", "DeadLetters"},
        within_s=120,
    )
    [paused] = watched.prometheus.query("cobranza_partition_paused == 1")
    assert (settings.topic(PAUSED), "1") == (paused["metric"]["topic"], paused["metric"]["partition"])
    letters = watched.prometheus.query('cobranza_dead_letters_total{reason="not_cloudevent"} > 0')
    assert [str(BAD_IN_A_ROW_MAX)] == [each["value"][1] for each in letters]
    targets = read_targets(targets_file(settings.data_dir))
    answers = {each.process: ask(each.address, timeout_s=60.0) for each in targets}
    assert f"{settings.topic(PAUSED)}-1: paused, too much in it is bad" == answers["intake"].unready
    assert "" == answers["intake"].stalled
    lines = (
        f"intake: {settings.topic(PAUSED)}-1: paused",
        f"{settings.topic(PAUSED)} not_cloudevent {BAD_IN_A_ROW_MAX}",
    )
    # It waits two seconds for a process, which a busy machine may let pass.
    eventually(lambda: _top(settings), wanted=lambda seen: all(each in seen for each in lines), within_s=120)


def _top(settings: Settings) -> str:
    shown = CliRunner().invoke(main, ["--data-dir", str(settings.data_dir), "top", "--once"])
    assert 0 == shown.exit_code, shown.output
    return shown.output


def test_every_process_ends_in_the_stated_time(watched: _Watched) -> None:
    """docs/operations.md: 10 s after SIGTERM, each of them; all of `cobranza up` within 20 s."""
    processes = watched.settings.data_dir / "processes.json"
    pids = [int(pid) for pid in json.loads(processes.read_text())]
    assert len(PROCESSES) == sum(map(lives, pids))
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    eventually(
        lambda: [pid for pid in pids if lives(pid)], wanted=lambda seen: not seen, within_s=stretched(10)
    )
    # The supervisor starts them again, and then takes them down in order.
    eventually(watched.targets, wanted=lambda seen: seen == dict.fromkeys(PROCESSES, "up"), within_s=120)
    began_s = time.monotonic()
    watched.up.terminate()
    assert 0 == watched.up.wait(300)
    assert time.monotonic() - began_s < stretched(20)

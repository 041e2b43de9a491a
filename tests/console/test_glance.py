"""``cobranza top``: what processes say, summed up and drawn."""

import io
from pathlib import Path

from click.testing import CliRunner
from rich.console import Console

from console.cli.main import main
from console.glance import Glance, Glances, GroupLag, frame
from infra.metrics.pulse import Pulses
from infra.metrics.scrape import Answer, Reading
from infra.metrics.server import MetricsServer
from infra.metrics.settings import MetricsSettings
from infra.metrics.targets import Target

TARGETS = [
    Target(process=name, address=f"127.0.0.1:{port}") for port, name in enumerate(("intake", "exporter"))
]


def _reading(name: str, value: float, **labels: str) -> Reading:
    return Reading(name=name, labels=labels, value=value)


def _intake(*, runs: int, records: int, paused: int = 0) -> Answer:
    return Answer(
        reached=True,
        unready="src-1: paused" if paused else "",
        readings=(
            _reading("cobranza_runs_total", runs, stage="intake"),
            _reading("cobranza_records_total", records, stage="intake"),
            _reading("cobranza_transaction_seconds_total", runs * 0.05, stage="intake"),
            _reading("cobranza_run_records", 80, stage="intake"),
            _reading("cobranza_acquisitions_total", 4, stage="intake"),
            _reading("cobranza_fencings_total", 3, stage="intake"),
            _reading("cobranza_unknown_outcomes_total", 2, stage="intake"),
            _reading("cobranza_chain_breaks_total", 1, stage="intake"),
            _reading("cobranza_partition_paused", paused, stage="intake", topic="src", partition="1"),
            _reading("cobranza_dead_letters_total", 4, stage="intake", topic="src", reason="invalid"),
            _reading("cobranza_sendings_total", 1200, channel="email", outcome="accepted"),
            _reading("process_resident_memory_bytes", 80e6),
        ),
    )


EXPORTER = Answer(
    reached=True,
    readings=(
        _reading("cobranza_lag_records", 5, group="g", topic="t", partition="0"),
        _reading("cobranza_lag_records", 7, group="g", topic="t", partition="1"),
        _reading("cobranza_lag_seconds", 3, group="g", topic="t", partition="0"),
        _reading("cobranza_lag_seconds", 61, group="g", topic="t", partition="1"),
        _reading("cobranza_due_deliveries", 2, channel="email"),
    ),
)


def _looks(*answers: dict[str, Answer]) -> Glance:
    """Look two seconds apart; give the last glance."""
    now = iter(range(0, 100, 2))
    at_hand: dict[str, Answer] = {}
    glances = Glances(TARGETS, asked=lambda address: at_hand[address], now_s=lambda: next(now))
    for said in answers:
        at_hand = {each.address: said.get(each.process, Answer(reached=False)) for each in TARGETS}
        seen = glances.look()
    return seen


def _drawn(seen: Glance, *, partitions_max: int = 10) -> str:
    file = io.StringIO()
    Console(file=file, width=160).print(frame(seen, partitions_max=partitions_max))
    return file.getvalue()


def test_rates_are_from_look_to_look() -> None:
    """Runs and records a second since the frame before; lags over all partitions, seconds of the worst."""
    seen = _looks(
        {"intake": _intake(runs=10, records=100), "exporter": EXPORTER},
        {"intake": _intake(runs=16, records=500), "exporter": EXPORTER},
    )
    intake, exporter = seen.processes
    assert (3.0, 200.0, "ready") == (intake.runs_per_s, intake.records_per_s, intake.state)
    assert (None, "ready") == (exporter.runs_per_s, exporter.state)
    assert (GroupLag(group="g", records=12, seconds=61),) == seen.lags
    assert {("src", "invalid"): 4} == seen.letters
    assert 2 == seen.waiting["deliveries due"]


def test_what_the_engine_did_is_shown() -> None:
    """Run size, transaction time since the look before, and what was taken, lost, found out and broken."""
    seen = _looks(
        {"intake": _intake(runs=10, records=100), "exporter": EXPORTER},
        {"intake": _intake(runs=16, records=500), "exporter": EXPORTER},
    )
    [worker] = seen.workers
    assert ("intake", 80, 0.05) == (worker.process, worker.run_records, round(worker.transaction_s or 0, 6))
    assert (4, 3, 2, 1) == (
        worker.acquisitions,
        worker.fencings,
        worker.unknown_outcomes,
        worker.chain_breaks,
    )
    drawn = _drawn(seen)
    assert "run size  transaction  taken  fenced  unknown outcomes  chain breaks" in drawn
    assert ["intake", "80", "50", "ms", "4", "3", "2", "1"] in [line.split() for line in drawn.splitlines()]


def test_lag_is_shown_by_partition() -> None:
    """Records and seconds of each, the worst first, and how many more there are."""
    seen = _looks({"exporter": EXPORTER})
    assert [(1, 7, 61), (0, 5, 3)] == [(one.partition, one.records, one.seconds) for one in seen.partitions]
    lines = [line.split() for line in _drawn(seen, partitions_max=1).splitlines()]
    assert ["g", "t", "1", "7", "61"] in lines
    assert ["and", "1", "partitions", "more,", "less", "behind"] in lines


def test_two_workers_of_one_name_are_two() -> None:
    """A second worker of a stage has its own line and its own rates."""
    targets = [Target(process="ledger", address=f"h{number}:1") for number in range(2)]
    runs = {"h0:1": iter((0, 2)), "h1:1": iter((0, 8))}
    now = iter(range(0, 10, 2))
    glances = Glances(
        targets,
        asked=lambda address: _intake(runs=next(runs[address]), records=0),
        now_s=lambda: next(now),
    )
    glances.look()
    assert [1.0, 4.0] == [each.runs_per_s for each in glances.look().processes]


def test_processes_that_nobody_started_here_can_be_watched(tmp_path: Path) -> None:
    """Issue 4, point 7: compose's targets, or addresses; what is neither is told."""
    pulses = Pulses(["clock"], stalled_s=100)
    with MetricsServer(MetricsSettings(port=0), probe=pulses) as server:
        address = f"127.0.0.1:{server.port}"
        file = tmp_path / "compose.json"
        file.write_text(f'[{{"targets": ["{address}"], "labels": {{"process": "clock"}}}}]')
        for words in (["--targets", str(file)], [address], [f"http://{address}/metrics"]):
            shown = CliRunner().invoke(main, ["--data-dir", str(tmp_path), "top", "--once", *words])
            assert 0 == shown.exit_code, shown.output
            assert "clock: has not begun" in shown.output
    file.write_text("{}")
    shown = CliRunner().invoke(main, ["--data-dir", str(tmp_path), "top", "--once", "--targets", str(file)])
    assert "not a file of Prometheus' file discovery" in shown.output
    assert 2 == CliRunner().invoke(main, ["top", "--once", "nowhere"]).exit_code


def test_process_that_began_anew_has_no_negative_rate() -> None:
    """Its counters begin at 0 again."""
    seen = _looks({"intake": _intake(runs=10, records=100)}, {"intake": _intake(runs=1, records=5)})
    assert 0.0 == seen.processes[0].runs_per_s


def test_frame_shows_what_is_wrong() -> None:
    """A process that is down, a partition that is paused, what waits, in words."""
    drawn = _drawn(_looks({"intake": _intake(runs=1, records=1, paused=1)}))
    assert "intake: src-1: paused" in drawn
    assert "exporter: nothing of ours answers at 127.0.0.1:1" in drawn
    assert "dead letters  src invalid 4" in drawn
    assert "sendings  email accepted 1,200" in drawn
    assert "waiting  none" in drawn

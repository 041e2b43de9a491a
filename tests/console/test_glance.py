"""``cobranza top``: what processes say, summed up and drawn."""

import io

from rich.console import Console

from console.glance import Glance, Glances, GroupLag, frame
from infra.metrics.scrape import Answer, Reading
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


def test_process_that_began_anew_has_no_negative_rate() -> None:
    """Its counters begin at 0 again."""
    seen = _looks({"intake": _intake(runs=10, records=100)}, {"intake": _intake(runs=1, records=5)})
    assert 0.0 == seen.processes[0].runs_per_s


def test_frame_shows_what_is_wrong() -> None:
    """A process that is down, a partition that is paused, what waits, in words."""
    file = io.StringIO()
    Console(file=file, width=160).print(frame(_looks({"intake": _intake(runs=1, records=1, paused=1)})))
    drawn = file.getvalue()
    assert "intake: src-1: paused" in drawn
    assert "exporter: nothing answers at 127.0.0.1:1" in drawn
    assert "dead letters  src invalid 4" in drawn
    assert "sendings  email accepted 1,200" in drawn
    assert "waiting  none" in drawn

"""What processes tell of themselves: samples that are registered, health that means progress, lag in seconds."""

import http.server
import socket
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.kafka.lag import PartitionLag
from infra.metrics.lag_ages import LagAges
from infra.metrics.pulse import Pulses
from infra.metrics.register import METRICS, Sample, sample
from infra.metrics.scrape import Answer, ask
from infra.metrics.server import MetricsServer
from infra.metrics.settings import MetricsSettings
from infra.metrics.tally import Tally
from infra.metrics.targets import Target, read_targets, targets_file, write_targets


class _Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.mark.parametrize("name", METRICS)
def test_names_follow_prometheus(name: str) -> None:
    """One prefix; counters end in _total and nothing else does; seconds, not milliseconds."""
    assert name.startswith("cobranza_")
    assert ("counter" == METRICS[name].kind) == name.endswith("_total")
    assert not name.endswith(("_ms", "_minutes", "_percent"))
    assert METRICS[name].text.endswith(".")


def test_only_what_is_registered_is_exported() -> None:
    """A name or a label that the register does not have is refused where it is written."""
    assert Sample("cobranza_runs_total", 3, ("ledger",)) == sample("cobranza_runs_total", 3, "ledger")
    with pytest.raises(KeyError):
        sample("cobranza_walks_total", 1)
    with pytest.raises(ValueError, match="has the labels"):
        sample("cobranza_runs_total", 3)


def test_tally_tells_what_has_not_happened_yet() -> None:
    """The first dead letter of a kind is an increase: the kind was told as 0 before."""
    tally = Tally("cobranza_sendings_total", known=[("email", "failed")])
    assert [sample("cobranza_sendings_total", 0, "email", "failed")] == list(tally.samples())
    tally.add("email", "failed")
    tally.add("email", "accepted", count=2)
    assert (1, 2) == (tally.count("email", "failed"), tally.count("email", "accepted"))


def test_pulses_tell_stalled_loops_from_those_that_only_wait() -> None:
    """A loop that comes round is healthy, ready or not; one that does not is named with its silence."""
    clock = _Clock()
    pulses = Pulses(["email", "letter"], stalled_s=10, now_s=clock)
    assert ["email: has not begun", "letter: has not begun"] == pulses.unready()
    pulses.beat("email")
    pulses.beat("letter", waiting_for="the provider takes nothing")
    assert (["letter: the provider takes nothing"], []) == (pulses.unready(), pulses.stalled())
    clock.now_s += 11
    pulses.beat("email")
    assert ["letter: no progress for 11 s"] == pulses.stalled()


def test_a_loop_that_pauses_as_it_should_is_ready() -> None:
    """It says until when, and that nothing is wrong; with the next round without a pause it says no more."""
    pulses = Pulses(["sms", "letter"], stalled_s=10, now_s=_Clock())
    pulses.beat("letter")
    pulses.beat("sms", resting="rests until noon: no fault")
    assert ([], ["sms: rests until noon: no fault"]) == (pulses.unready(), pulses.resting())
    pulses.beat("sms")
    assert ([], []) == (pulses.unready(), pulses.resting())


@pytest.fixture
def pulses() -> Pulses:
    """Give the pulse of one loop."""
    return Pulses(["loop"], stalled_s=60)


@pytest.fixture
def server(pulses: Pulses) -> Iterator[MetricsServer]:
    """Run a server on any free port."""
    samples = [sample("cobranza_runs_total", 7, "ledger"), sample("cobranza_runs_total", 1, "intake")]
    with MetricsServer(MetricsSettings(port=0), probe=pulses, samples=lambda: samples) as running:
        yield running


def test_server_answers_with_metrics_health_and_readiness(server: MetricsServer, pulses: Pulses) -> None:
    """/metrics, /healthz and /readyz of a real process, asked over HTTP."""
    before = ask(f"127.0.0.1:{server.port}", timeout_s=60.0)
    assert (True, "", "loop: has not begun") == (before.reached, before.stalled, before.unready)
    pulses.beat("loop")
    after = ask(f"127.0.0.1:{server.port}", timeout_s=60.0)
    assert ("", 7.0, 8.0) == (
        after.unready,
        after.total("cobranza_runs_total", stage="ledger"),
        after.total("cobranza_runs_total"),
    )
    assert (0.0, 1.0) == (before.total("cobranza_ready"), after.total("cobranza_ready"))
    assert after.total("process_resident_memory_bytes") > 0
    pulses.beat("loop", resting="rests until noon: no fault")
    resting = ask(f"127.0.0.1:{server.port}", timeout_s=60.0)
    assert ("", "", "loop: rests until noon: no fault") == (after.resting, resting.unready, resting.resting)


def test_nothing_answers_is_an_answer() -> None:
    """A process that is down is told, not raised."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert Answer(reached=False) == ask(f"127.0.0.1:{taken.getsockname()[1]}", timeout_s=0.5)


class _Page(http.server.BaseHTTPRequestHandler):
    """A web server that is none of ours: every address is a page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Cobranza</title>\n<p>log in { here }\n")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Silence(socketserver.BaseRequestHandler):
    """What speaks no HTTP: a broker's port."""

    def handle(self) -> None:
        self.request.recv(1024)
        self.request.sendall(b"\x00\x00\x00\x04\xff\xff\xff\xff\n")


@pytest.mark.parametrize("handler", [_Page, _Silence])
def test_who_is_none_of_ours_is_as_good_as_nobody(handler: type[socketserver.BaseRequestHandler]) -> None:
    """`cobranza top` at the console's port, or a broker's: told, not raised."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            found = ask(f"127.0.0.1:{server.server_address[1]}", timeout_s=60.0)
        finally:
            server.shutdown()
            thread.join()
    assert Answer(reached=False) == found


def test_taken_port_does_not_keep_a_process_from_starting(server: MetricsServer, pulses: Pulses) -> None:
    """It runs without, says so, and ends as usual."""
    with MetricsServer(MetricsSettings(port=server.port), probe=pulses) as second:
        assert 0 == second.port


def test_targets_are_read_as_they_were_written(tmp_path: Path) -> None:
    """The supervisor writes, Prometheus and top read."""
    file = targets_file(tmp_path)
    assert [] == read_targets(file)
    targets = [Target(process="ledger", address="127.0.0.1:9641")]
    write_targets(file, targets=targets)
    assert targets == read_targets(file)


def _lag(*, end: int, lag: int) -> PartitionLag:
    return PartitionLag(group="g", topic="t", partition=0, committed=end - lag, end=end, lag=lag)


def _ages(*readings: tuple[float, int, int]) -> list[float]:
    """Read (instant, end, lag) one after the other; give the lags in seconds."""
    ages = LagAges()
    return [ages.ages([_lag(end=end, lag=lag)], now_s=now_s)[0] for now_s, end, lag in readings]


def test_lag_in_seconds_is_the_age_of_the_end_that_the_group_has_reached() -> None:
    """Half of what came between 10 and 20 s is read at 40 s: the rest is from 15 s on."""
    assert [0, 0, 25] == _ages((10, 100, 0), (20, 200, 0), (40, 200, 50))


def test_lag_in_seconds_counts_from_the_first_reading_at_least() -> None:
    """What was unread when the exporter started is at least as old as that."""
    assert [0, 5, 60] == _ages((10, 100, 40), (15, 100, 40), (70, 100, 40))


def test_lag_in_seconds_does_not_count_the_quiet_before() -> None:
    """After an hour of quiet a record that is a second old is a second old."""
    assert [0, 0, 1, 11] == _ages((0, 100, 0), (3600, 100, 0), (3601, 110, 10), (3611, 110, 10))


def test_lag_in_seconds_survives_a_new_log_of_the_same_name() -> None:
    """Ends of another log say nothing about this one."""
    assert [0, 0, 2] == _ages((0, 100, 0), (10, 5, 5), (12, 5, 5))


def test_lag_in_seconds_forgets_the_old_by_thinning() -> None:
    """However long it runs, memory is bounded and the age of an old position is about right."""
    ages = LagAges()
    for second in range(5000):
        ages.ages([_lag(end=second, lag=0)], now_s=float(second))
    [age] = ages.ages([_lag(end=4999, lag=3000)], now_s=4999.0)
    assert 3000 == pytest.approx(age, rel=0.01)
    assert max(map(len, ages._seen.values())) <= 512

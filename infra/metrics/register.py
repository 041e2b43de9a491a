"""The register of our metrics: every name, its kind, its labels and what it means.

What is not here cannot be exported; alert rules, dashboard and `cobranza top` may use
nothing else (a test compares). Base units; counters end in ``_total``.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Literal, NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

__all__ = ["METRICS", "Described", "Registered", "Sample", "sample"]


class Described(NamedTuple):
    """One metric: its kind, what it says, and its labels in order."""

    kind: Literal["counter", "gauge"]
    text: str
    labels: tuple[str, ...] = ()


class Sample(NamedTuple):
    """One value of a registered metric; ``labels`` in the register's order."""

    name: str
    value: float
    labels: tuple[str, ...] = ()


_STAGE = ("stage",)
_PARTITION = ("group", "topic", "partition")

METRICS: Final[Mapping[str, Described]] = {
    # every process
    "cobranza_healthy": Described("gauge", "1: it makes progress or has nothing to do; what /healthz says."),
    "cobranza_ready": Described("gauge", "1: it has its partitions and takes work; what /readyz says."),
    # workers
    "cobranza_runs_total": Described("counter", "Transactions committed, one per run or slice.", _STAGE),
    "cobranza_records_total": Described("counter", "Source records in committed transactions.", _STAGE),
    "cobranza_transaction_seconds_total": Described(
        "counter", "Time spent in committed transactions, from begin to the answer.", _STAGE
    ),
    "cobranza_run_records": Described("gauge", "Source records in the last committed transaction.", _STAGE),
    "cobranza_acquisitions_total": Described(
        "counter", "Partitions taken, each with a read of its state.", _STAGE
    ),
    "cobranza_restored_rows_total": Described("counter", "Rows read back while taking partitions.", _STAGE),
    "cobranza_fencings_total": Described("counter", "Partitions that another worker took.", _STAGE),
    "cobranza_unknown_outcomes_total": Described(
        "counter", "Transactions whose end had to be found out.", _STAGE
    ),
    "cobranza_chain_breaks_total": Described(
        "counter", "Links that do not connect: the worker stops for a person.", _STAGE
    ),
    "cobranza_local_rows_wiped_total": Described(
        "counter", "Local stores of rows that were damaged: wiped, and read from the changelog."
    ),
    "cobranza_stopped": Described(
        "gauge",
        "1: the worker has stopped for this fault, and ends within a minute: somebody must look.",
        ("stage", "fault"),
    ),
    "cobranza_gaps_total": Described("counter", "Runs that came too early and were sought back.", _STAGE),
    "cobranza_stale_runs_total": Described(
        "counter", "Runs of an older assignment, dropped because they come again.", _STAGE
    ),
    "cobranza_partitions_owned": Described("gauge", "Source partitions that the worker has now.", _STAGE),
    "cobranza_partition_paused": Described(
        "gauge", "1: stopped because too much in it was bad.", ("stage", "topic", "partition")
    ),
    "cobranza_dead_letters_total": Described(
        "counter", "Records put aside, by the topic that they came from.", ("stage", "topic", "reason")
    ),
    # clock
    "cobranza_ticks_total": Described("counter", "Ticks written since the clock started."),
    "cobranza_tick_timestamp_seconds": Described("gauge", "The newest tick, as Unix time."),
    "cobranza_tick_lagging_topics": Described(
        "gauge", "Source topics that the newest tick names as not read to their ends."
    ),
    # projector
    "cobranza_projected_records_total": Described("counter", "Records taken into the read model."),
    # notifiers
    "cobranza_sendings_total": Described(
        "counter",
        "Attempts by how they ended: accepted, failed, unknown, superseded, put_back, capped; fault: errors of ours,"
        " and outside_sandbox: what a sandbox stopped at the last moment, beside how their attempts ended.",
        ("channel", "outcome"),
    ),
    "cobranza_feedback_total": Described(
        "counter",
        "What came back of deliveries: delivered, bounced, returned, complained, failed, delayed, stop, start,"
        " reply; unclear: neither delivered nor failed, nothing follows; unknown: of no delivery of ours; fault: words over which something broke.",
        ("channel", "said"),
    ),
    # web
    "cobranza_web_requests_total": Described(
        "counter",
        "Requests by face (outside: links and hooks; inside: the console) and how they ended: ok, refused (4xx),"
        " failed (5xx).",
        ("face", "outcome"),
    ),
    "cobranza_csp_reports_total": Described(
        "counter", "What browsers told of that a page of the console wanted and its policy forbids."
    ),
    # exporter
    "cobranza_lag_records": Described("gauge", "Records that a group has still to read.", _PARTITION),
    "cobranza_lag_seconds": Described(
        "gauge", "How long ago the log's end was where the group is now.", _PARTITION
    ),
    "cobranza_lag_read_timestamp_seconds": Described("gauge", "When lags were last read, as Unix time."),
    "cobranza_due_accounts": Described(
        "gauge", "Accounts whose wake time has passed by their partition's clock: not evaluated yet."
    ),
    "cobranza_due_accounts_oldest_seconds": Described(
        "gauge",
        "For how long the account that has waited the longest has been due (live): since its wake time, or since"
        " the newest tick that was done with, which left none.",
    ),
    "cobranza_due_deliveries_oldest_seconds": Described(
        "gauge",
        "For how long the delivery that has waited the longest may have gone out (live).",
        ("channel",),
    ),
    "cobranza_due_deliveries": Described(
        "gauge", "Deliveries that may go out by now and have no outcome yet.", ("channel",)
    ),
    "cobranza_deliveries_expiring": Described(
        "gauge",
        "Deliveries that are given up within a day: they have waited for days, whatever for.",
        ("channel",),
    ),
    "cobranza_letters_left_out": Described(
        "gauge",
        "Letters that were left out of their print runs because they are damaged, until a person settles them.",
    ),
    "cobranza_print_runs_waiting": Described(
        "gauge", "Print runs that cannot be written out at present: `cobranza letters list` says why."
    ),
    "cobranza_deliveries_in_doubt": Described(
        "gauge", "Deliveries of which a person must say whether they went out.", ("channel",)
    ),
    "cobranza_quarantined_accounts": Described("gauge", "Accounts put aside because folding them raised."),
}


def sample(name: str, value: float, *labels: str) -> Sample:
    """Make a sample of a registered metric.

    Raises:
        KeyError: the register has no such metric.
        ValueError: it has other labels.
    """
    if len(labels) != len(METRICS[name].labels):
        raise ValueError(f"{name} has the labels {METRICS[name].labels}, not {labels}")
    return Sample(name, value, labels)


class Registered(Collector):
    """Samples as prometheus-client wants them: families with help and labels of the register."""

    def __init__(self, samples: Callable[[], Iterable[Sample]]) -> None:
        self._samples = samples

    def collect(self) -> Iterator[Metric]:
        """Give the families that have samples now."""
        families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
        for name, value, labels in self._samples():
            if name not in families:
                families[name] = _family(name)
            families[name].add_metric(labels, value)
        yield from families.values()


def _family(name: str) -> CounterMetricFamily | GaugeMetricFamily:
    kind, text, labels = METRICS[name]
    family = CounterMetricFamily if kind == "counter" else GaugeMetricFamily
    return family(name, text, labels=labels)

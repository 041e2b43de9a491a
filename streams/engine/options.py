"""The engine's limits and timeouts, with the failure that another value would bring."""

from dataclasses import dataclass

__all__ = ["EngineOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """One worker's limits; the defaults are for a machine that runs all of it.

    Attributes:
        session_timeout_s: a worker that is silent so long loses its partitions. A frozen
            one keeps them that long; a shorter one is lost to a long garbage collection.
        transaction_timeout_s: an open transaction is aborted after it. Until then it hides
            later records from every reader, so not more than the session.
        request_timeout_s: a broker that is silent so long makes the outcome unknown.
        retry_backoff_ms: right after a commit the broker answers "not yet" until its
            markers are written, usually for 1-5 ms; each wait is added to the latency.
        fetch_wait_ms_max: how long the broker may hold an empty answer. A partition that
            was not in the request waits that long for the next one.
        records_per_run_max: of one transaction; more make transactions rarer and stalls of the loop longer.
        runs_ahead_max: runs of one partition in memory: one that is folded, one that waits.
        fetch_bytes_max: per partition and request; at least the largest record.
        batch_bytes_max: of one produced batch; below every topic's ``max.message.bytes``.
        failures_max: of one run in a row, before it is not a passing fault any more.
        step_end_s_max: a running step has so long to end, and not more than half a session, when its
            partition is asked back or the worker stops. What is cut off is aborted by the next owner.
        standby: keep copies of partitions that other workers own, so that taking one of them
            reads only what is newest. Costs their memory or disk, and reading them once more.
    """

    session_timeout_s: float = 10.0
    heartbeat_s: float = 2.0
    rebalance_timeout_s: float = 20.0
    transaction_timeout_s: float = 10.0
    request_timeout_s: float = 12.0
    retry_backoff_ms: int = 3
    fetch_wait_ms_max: int = 50
    records_per_run_max: int = 8000
    runs_ahead_max: int = 2
    fetch_bytes_max: int = 5 * 1024 * 1024
    batch_bytes_max: int = 900_000
    failures_max: int = 20
    step_end_s_max: float = 4.0
    standby: bool = False

    @property
    def step_end_s(self) -> float:
        """How long a running step has to end."""
        return min(self.step_end_s_max, self.session_timeout_s / 2)

    def __post_init__(self) -> None:
        """Check the relations that the comments above promise."""
        if not self.transaction_timeout_s <= self.session_timeout_s < self.request_timeout_s:
            raise ValueError("timeouts must be: transaction <= session < request")
        if self.heartbeat_s * 3 > self.session_timeout_s:
            raise ValueError("three heartbeats must fit a session")
        if self.runs_ahead_max < 1:
            raise ValueError("a partition needs at least one run at a time")

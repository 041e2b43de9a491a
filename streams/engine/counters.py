"""What a worker has done and met since it started: one counter each, for logs and metrics."""

from dataclasses import asdict, dataclass

__all__ = ["Counters"]


@dataclass(slots=True)
class Counters:
    """Counted since start.

    Attributes:
        transactions: committed.
        records: source records in committed transactions.
        rows_restored: read from changelogs while taking partitions, as they come.
        links_read: the links among them.
        fetches: rounds of the fetching loop, with records or without.
        acquired: partitions taken, their state read back in full or from a mark on.
        gaps: runs that came after one that never reached its partition; sought back.
        stale_runs: runs of an older epoch, dropped because they come again.
        fenced: partitions that another worker took.
        outcomes_unknown: transactions whose end had to be found out.
        paused: partitions stopped because too much in them was bad. Alarm on any.
        chain_breaks: partitions whose links or offsets contradict each other. Alarm on any.
        transaction_seconds: the sum over committed transactions, from begin to the answer.
        last_step_records: how many records the last committed transaction was for.
    """

    transactions: int = 0
    records: int = 0
    rows_restored: int = 0
    links_read: int = 0
    fetches: int = 0
    acquired: int = 0
    gaps: int = 0
    stale_runs: int = 0
    fenced: int = 0
    outcomes_unknown: int = 0
    paused: int = 0
    chain_breaks: int = 0
    transaction_seconds: float = 0.0
    last_step_records: int = 0

    def __str__(self) -> str:
        return " ".join(f"{name}={round(value, 1)}" for name, value in asdict(self).items() if value)

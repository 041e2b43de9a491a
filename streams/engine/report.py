"""How an engine's partitions are now, for those who watch it; read from any thread, nothing is waited for."""

from dataclasses import dataclass

from streams.engine.worker import EngineApp

__all__ = ["PartitionReport", "report"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionReport:
    """One source partition that the group has assigned.

    Attributes:
        owned: its state is there and may be folded on.
        paused: too much in it was bad; it waits for a restart of the worker.
        working: it is being taken, folded, or has runs that wait.
        uncommitted: from where a transaction was tried that is not known to be in the log, see ``Protocol``.
    """

    topic: str
    partition: int
    owned: bool
    paused: bool
    working: bool
    uncommitted: tuple[int, str] | None = None

    @property
    def name(self) -> str:
        """``topic-partition``."""
        return f"{self.topic}-{self.partition}"


def report(app: EngineApp) -> list[PartitionReport]:
    """Give the partitions of `app`, by topic and number."""
    # Copied in one go: the worker's thread changes the mapping.
    partitions = dict(app.engine.partitions)
    return [
        PartitionReport(
            topic=tp.topic,
            partition=tp.partition,
            owned=one.owned,
            paused=one.paused,
            working=one.working,
            uncommitted=one.uncommitted,
        )
        for tp, one in sorted(partitions.items())
    ]

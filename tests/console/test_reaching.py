"""Waiting for a command's way through the stages: it ends on a busy installation, and says when it does not."""

from collections.abc import Mapping, Sequence

from console.reaching import wait_until_read
from infra.kafka.lag import PartitionLag


class Busy:
    """Groups that read a record a look, on logs that grow by one a look."""

    def __init__(self, *, reads: bool = True) -> None:
        self._reads = reads
        self._looks = 0

    def read(self, groups: Mapping[str, Sequence[str]]) -> list[PartitionLag]:
        """Look once more."""
        self._looks += 1
        end = 10 + self._looks
        committed = 7 + self._looks if self._reads else 7
        return [
            PartitionLag(
                group=group, topic=topic, partition=0, committed=committed, end=end, lag=end - committed
            )
            for group, topics in groups.items()
            for topic in topics
        ]


STAGES = [{"intake": ["source"]}, {"ledger": ["journal"]}]


def test_it_ends_though_more_keeps_coming() -> None:
    """What was there at the first look is read after a few more; the rest is not waited for."""
    assert wait_until_read(Busy(), stages=STAGES, seconds_max=10.0)


def test_it_says_when_nobody_reads() -> None:
    """A worker that is down is no reason to wait for ever."""
    assert not wait_until_read(Busy(reads=False), stages=STAGES, seconds_max=0.1)

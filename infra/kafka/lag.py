"""How far consumer groups are behind: per group, topic and partition.

The distance is counted to the end of the log, open transactions included, so that 0
means: nothing was left to read, and nobody was writing. Committed offsets are read
before ends: what is at its end then had been done when the ends were read.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self

from kafka import TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError
from msgspec import Struct

from infra.errors import OperatorError
from infra.kafka.consumers import admin, forget_coordinators
from infra.settings import Settings
from schemas.registry import topics

__all__ = ["LagError", "LagReader", "PartitionLag", "records_behind", "watched_groups"]

_RETRY_S_MAX: Final = 15
_RETRY_S: Final = 0.1
_PARTITIONS_FRESH_S: Final = 5


class LagError(OperatorError):
    """The lag cannot be told: a topic is missing, or the broker does not answer."""


class PartitionLag(Struct, frozen=True, kw_only=True):
    """How far one group is behind on one partition, in records (control records count).

    ``committed`` is the offset that the group reads next, None when it has none;
    ``end`` the offset that the next record written will get.
    """

    group: str
    topic: str
    partition: int
    committed: int | None
    end: int
    lag: int


def records_behind(*, committed: int | None, beginning: int, end: int) -> int:
    """Return the lag of one partition.

    Without a committed offset the whole log is still to be read; so it is with one
    beyond the end, which belongs to a log that was there before this one.
    """
    if committed is None or committed > end:
        return end - beginning
    return end - committed


class LagReader:
    """Reads lags with one connection that is kept, for those who ask every few milliseconds."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._admin = admin(bootstrap_servers=bootstrap_servers)
        self._known: dict[str, list[TopicPartition]] = {}
        self._known_until = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back; the reader is of no use after it."""
        self._admin.close()

    def read(self, groups: Mapping[str, Sequence[str]]) -> list[PartitionLag]:
        """Return the lag of each group on each partition of its topics (physical names).

        Raises:
            LagError: a topic does not exist; the broker does not answer within 15 s.
        """
        partitions = self._partitions(sorted({topic for names in groups.values() for topic in names}))
        wanted = {
            group: [one for topic in names for one in partitions[topic]] for group, names in groups.items()
        }
        if not any(wanted.values()):
            return []
        committed = self._ask(lambda: self._admin.list_group_offsets(wanted))
        ends = self._offsets([one for many in partitions.values() for one in many], OffsetSpec.LATEST)
        places = {
            (group, one): _offset(committed[group].get(one)) for group, many in wanted.items() for one in many
        }
        lost = {one for (_, one), place in places.items() if place is None or place > ends[one]}
        beginnings = self._offsets(sorted(lost), OffsetSpec.EARLIEST)
        return [
            _lag(group, one, committed=place, beginning=beginnings.get(one, 0), end=ends[one])
            for (group, one), place in places.items()
        ]

    def ends(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Return where partitions end, open transactions included.

        Raises:
            LagError: the broker does not answer within 15 s.
        """
        return self._offsets(partitions, OffsetSpec.LATEST)

    def committed_topics(self, *, group_prefix: str) -> dict[str, list[str]]:
        """Return the groups whose name begins so, with the topics that they have committed on."""
        names = [one["group_id"] for one in self._ask(self._admin.list_groups)]
        found = [name for name in names if name.startswith(group_prefix)]
        if not found:
            return {}
        offsets = self._ask(lambda: self._admin.list_group_offsets(dict.fromkeys(found)))
        return {name: sorted({one.topic for one in offsets[name]}) for name in found}

    def _partitions(self, names: list[str]) -> dict[str, list[TopicPartition]]:
        """Return the partitions of each topic, asked anew every 5 s (sources may grow)."""
        if time.monotonic() > self._known_until or not self._known.keys() >= set(names):
            self._known = self._described(names)
            self._known_until = time.monotonic() + _PARTITIONS_FRESH_S
        return {name: self._known[name] for name in names}

    def _described(self, names: list[str]) -> dict[str, list[TopicPartition]]:
        found = {}
        # Asked about no topic by name, the broker would describe them all.
        for one in self._ask(lambda: self._admin.describe_topics(names)) if names else ():
            if one["error_code"] != 0:
                raise LagError(f"Topic {one['name']} does not exist: cobranza topics apply")
            numbers = sorted(partition["partition_index"] for partition in one["partitions"])
            found[one["name"]] = [TopicPartition(one["name"], number) for number in numbers]
        return found

    def _offsets(self, partitions: Sequence[TopicPartition], spec: OffsetSpec) -> dict[TopicPartition, int]:
        if not partitions:
            return {}
        answer = self._ask(lambda: self._admin.list_partition_offsets(dict.fromkeys(partitions, spec)))
        return {one: found.offset for one, found in answer.items()}

    def _ask(self, question: Callable[[], Any]) -> Any:
        """Ask the broker, again while it says that it cannot answer yet (a coordinator starts)."""
        deadline = time.monotonic() + _RETRY_S_MAX
        while True:
            try:
                return question()
            except KafkaError as error:
                if not error.retriable:
                    raise
                if time.monotonic() > deadline:
                    raise LagError(f"The broker did not answer for {_RETRY_S_MAX} s: {error}") from error
            forget_coordinators(self._admin)
            time.sleep(_RETRY_S)


def watched_groups(settings: Settings, *, reader: LagReader) -> dict[str, list[str]]:
    """Return the groups of an installation with their topics: the two stages, and who else commits.

    The stages are there even before they first ran; notifiers and projector as soon as
    they have committed an offset.
    """
    groups = reader.committed_topics(group_prefix=settings.group(""))
    sources = [name for name, one in topics().items() if one.partitions == "source"]
    for stage, read in (("intake", sources), ("ledger", ["ledger.journal"])):
        groups[settings.group(stage)] = [settings.topic(name) for name in read]
    return dict(sorted(groups.items()))


def _lag(group: str, one: TopicPartition, *, committed: int | None, beginning: int, end: int) -> PartitionLag:
    return PartitionLag(
        group=group,
        topic=one.topic,
        partition=one.partition,
        committed=committed,
        end=end,
        lag=records_behind(committed=committed, beginning=beginning, end=end),
    )


def _offset(found: Any) -> int | None:
    return None if found is None or found.offset < 0 else int(found.offset)

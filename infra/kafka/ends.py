"""Where logs end for who reads committed records, and not a moment before what has been committed by now."""

import time
from collections.abc import Sequence
from typing import Final

from kafka import KafkaConsumer, TopicPartition

from infra.kafka.lag import LagReader

__all__ = ["decided_ends"]

# Markers are written within milliseconds, on a machine that is busy within a second; a transaction whose
# writer has died stays open for longer, and is none of what was committed.
_UNDECIDED_S_MAX: Final = 2.0
_LOOK_S: Final = 0.01


def decided_ends(
    reader: KafkaConsumer, partitions: Sequence[TopicPartition], *, bootstrap_servers: str
) -> dict[TopicPartition, int]:
    """Return the ends of the committed records, those of every transaction included that is over by now.

    Kafka answers that a transaction is over before it writes its markers, and until then tells a reader of
    an end before its records: who commits and then reads would not find them. What is open when this is
    asked is waited for, 2 s at most.

    Raises:
        LagError: the broker does not answer within 15 s.
    """
    with LagReader(bootstrap_servers) as logs:
        wanted = logs.ends(partitions)
    until_s = time.monotonic() + _UNDECIDED_S_MAX
    while True:
        ends: dict[TopicPartition, int] = reader.end_offsets(partitions)
        if all(ends[each] >= wanted[each] for each in partitions) or time.monotonic() > until_s:
            return ends
        time.sleep(_LOOK_S)

"""The one place where Kafka clients are made (kafka-python); a test forbids other consumers.

kafka-python's defaults read uncommitted records and start at the end of a topic: both
lose money here. The engine has its own clients (aiokafka) in ``streams/engine``.

**Positions and control records.** A transaction's marker takes an offset that no reader
sees. kafka-python 3.0 moves ``position()`` over markers and aborted records while it
reads on, so after the last record one more ``poll`` is needed: it returns nothing and
leaves the position at the end. ``commit()`` without arguments then commits that position
and the lag is 0; committing "last record + 1" stops one short of the end for ever.

**Joining a group.** A ``poll`` that ends while the group is being joined leaves that to the next one.
kafka-python 3.0.12 forgets it where the reason was news of the topics (a topic that it had not heard
of, new partitions) and the leader had dealt them out already: it then has no partitions, sends no
heartbeat, and polls nothing for ever. What was begun is a reason to go on here.

**An id that is given up.** A record that was sent and expires leaves unknown whether it is in the log: an idempotent
producer gives up its id, and begins again with another. kafka-python 3.0.12 gives it up and does not ask for another: it
then sends nothing for ever. Here it asks.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaTimeoutError
from kafka.producer.transaction_manager import TransactionState

from infra.kafka.header_names import read_any_name

__all__ = [
    "RECORD_BYTES_MAX",
    "acknowledged",
    "admin",
    "close_in_time",
    "consumer",
    "forget_coordinators",
    "positions",
    "producer",
]

# The dead-letter topics' limit (schemas/registry.py) and room for a batch's own bytes.
RECORD_BYTES_MAX: Final = 5 * 1024 * 1024 + 65_536
_log = logging.getLogger(__name__)
_CLIENT_ID: Final = "cobranza"
# One frozen worker's open transaction hides later records from readers until it times out.
_TRANSACTION_TIMEOUT_MS: Final = 10_000
# The default, 30 s, would leave clients away long after a broker is back.
_RECONNECT_MS_MAX: Final = 1_000
_BOOTSTRAP_MS_MAX: Final = 15_000
# kafka-python waits so long before it asks again for what it does not know yet: a topic it hears of
# for the first time, a coordinator. The default, 100 ms, is most of a short command's time.
_RETRY_BACKOFF_MS: Final = 20
# A producer of kafka-python 3.0.12 whose partition's leader, or transaction's coordinator, has died may stand still until its
# records expire: after 120 s by default, which is too long for a process that serves. What was not written by then is told,
# and is its caller's to write again; a clock opens a new producer, which finds the brokers that there are.
_SERVING: Final[dict[str, Any]] = {"request_timeout_ms": 10_000, "delivery_timeout_ms": 20_000}
# An answer takes milliseconds; who is told to stop must not wait for a coordinator that is not there.
_PLACES_S_MAX: Final = 2.0
# In between who waits for an acknowledgment hears whether it has to stop.
_MOMENT_S: Final = 0.5


def consumer(
    *topics: str,
    bootstrap_servers: str,
    group: str | None,
    records_max: int = 500,
    fetch_wait_ms_max: int = 500,
    **more: Any,
) -> KafkaConsumer:
    """Make a consumer: committed records only, from the earliest on, commits only when told.

    Args:
        topics: physical names to subscribe to; none: the caller assigns partitions.
        bootstrap_servers: ``host:port[,host:port]``.
        group: the consumer group, None for a reader that belongs to none.
        records_max: at most so many records per ``poll``.
        fetch_wait_ms_max: how long the broker may hold an empty answer back.
        more: other settings of kafka-python; the ones fixed here cannot be changed.
    """
    read_any_name()
    reader = KafkaConsumer(
        *topics,
        **more,
        client_id=_CLIENT_ID,
        bootstrap_servers=bootstrap_servers.split(","),
        group_id=group,
        reconnect_backoff_max_ms=_RECONNECT_MS_MAX,
        retry_backoff_ms=_RETRY_BACKOFF_MS,
        bootstrap_timeout_ms=_BOOTSTRAP_MS_MAX,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        allow_auto_create_topics=False,
        max_poll_records=records_max,
        fetch_max_wait_ms=fetch_wait_ms_max,
        max_partition_fetch_bytes=RECORD_BYTES_MAX,
    )
    if group is not None:
        _finish_joining(reader._coordinator)  # noqa: SLF001 - it has no public way
    return reader


def _finish_joining(coordinator: Any) -> None:
    """Have a coordinator join on where it has begun to (see above)."""
    has_reason = coordinator.need_rejoin
    coordinator.need_rejoin = lambda: coordinator.rejoining or has_reason()


def producer(
    *,
    bootstrap_servers: str,
    transactional_id: str | None = None,
    linger_ms: int = 0,
    retry_backoff_ms: int = _RETRY_BACKOFF_MS,
    compression: Literal["gzip"] | None = None,
    serves: bool = False,
    **more: Any,
) -> KafkaProducer:
    """Make a producer: idempotent, acknowledged by all replicas, murmur2 keys, large records.

    With a ``transactional_id`` the caller does ``init_transactions()`` first; that fences
    the one who had it before. ``serves``: of a process that has to hear of trouble soon, and may be told to stop: a
    record that is not written within 20 s is told so, and no answer is waited for longer than 10 s.
    """
    writer = KafkaProducer(
        **(_SERVING if serves else {}) | more,
        client_id=_CLIENT_ID,
        bootstrap_servers=bootstrap_servers.split(","),
        reconnect_backoff_max_ms=_RECONNECT_MS_MAX,
        retry_backoff_ms=retry_backoff_ms,
        bootstrap_timeout_ms=_BOOTSTRAP_MS_MAX,
        transactional_id=transactional_id,
        transaction_timeout_ms=_TRANSACTION_TIMEOUT_MS,
        acks=-1,
        enable_idempotence=True,
        allow_auto_create_topics=False,
        linger_ms=linger_ms,
        batch_size=128 * 1024,
        compression_type=compression,
        max_request_size=RECORD_BYTES_MAX,
    )
    if transactional_id is None:
        _ask_for_an_id_again(writer._transaction_manager)  # noqa: SLF001 - it has no public way
    return writer


def _ask_for_an_id_again(manager: Any) -> None:
    """Have a producer that gives its id up ask for another one (see above)."""
    give_up: Callable[[], None] = manager.reset_producer_id

    def given_up() -> None:
        give_up()
        manager._current_state = TransactionState.UNINITIALIZED  # noqa: SLF001 - it has no public way

    manager.reset_producer_id = given_up


def acknowledged(future: Any, *, stopping: Callable[[], bool]) -> None:
    """Wait until a record that was sent is in Kafka, or not to be: its producer bounds that; who is told to stop waits no more.

    Raises:
        KafkaError: it is not, or nobody knows.
    """
    while True:
        try:
            future.get(timeout=_MOMENT_S)
        except KafkaTimeoutError:
            if future.is_done or stopping():
                raise
        else:
            return


def close_in_time(writer: KafkaProducer, *, seconds_max: float) -> None:
    """Close a producer; what a broker that is away has not taken by then is left, and told."""
    try:
        writer.close(timeout=seconds_max)
    except KafkaTimeoutError as error:
        _log.warning("a producer is left with records that the broker has not taken: %r", error)


def admin(*, bootstrap_servers: str, **more: Any) -> KafkaAdminClient:
    """Make an admin client; it keeps a thread and connections until ``close()``."""
    return KafkaAdminClient(
        **more,
        client_id=_CLIENT_ID,
        bootstrap_servers=bootstrap_servers.split(","),
        reconnect_backoff_max_ms=_RECONNECT_MS_MAX,
        bootstrap_timeout_ms=_BOOTSTRAP_MS_MAX,
    )


def forget_coordinators(client: KafkaAdminClient) -> None:
    """Have an admin client ask anew which broker coordinates a group.

    kafka-python 3.0.12 keeps the first answer as long as the client lives, also after that broker has died.
    """
    client._manager.cluster._coordinators.clear()  # noqa: SLF001 - it has no public way


def positions(reader: KafkaConsumer, *, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
    """Return the next offset to read per partition, control records that were passed included.

    Where a group has read to is asked of its coordinator, once for each of its members' partitions; kafka-python waits
    for the answer without an end unless it is told how long.

    Raises:
        KafkaTimeoutError: the broker has not said it within two seconds, for all partitions together.
    """
    deadline_s = time.monotonic() + _PLACES_S_MAX
    places: dict[TopicPartition, int] = {}
    for one in partitions:
        left_ms = max(1, int(1000 * (deadline_s - time.monotonic())))
        place = reader.position(one, timeout_ms=left_ms)
        if place is None:
            raise KafkaTimeoutError(f"the broker does not say where {one.topic} {one.partition} is read from")
        places[one] = place
    return places

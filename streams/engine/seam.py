"""The private names of other libraries that the engine uses, checked before anything starts.

The engine was written on faust-streaming 0.15.3 and aiokafka 0.14.0. Another version may
look alike and lose money, so both are pinned; a worker on others refuses to start and says
what differs.
"""

import importlib
import importlib.metadata
from collections.abc import Iterator, Mapping

from streams.engine.faults import SeamChanged

__all__ = ["PINNED", "check_seam", "differences"]

PINNED: Mapping[str, str] = {"faust-streaming": "0.15.3", "aiokafka": "0.14.0"}

# module:class -> methods that are overridden or called
_METHODS: Mapping[str, tuple[str, ...]] = {
    "aiokafka.producer.sender:Sender": (
        "_do_add_partitions_to_txn",
        "_do_txn_commit",
        "_do_txn_offset_commit",
        "_fail_all",
        "_maybe_do_transactional_request",
        "_send_produce_req",
        "_find_coordinator",
    ),
    "aiokafka.producer.sender:AddPartitionsToTxnHandler": ("do", "handle_response"),
    "aiokafka.producer.sender:EndTxnHandler": ("do",),
    "aiokafka.producer.sender:TxnOffsetCommitHandler": (
        "create_request",
        "do",
        "handle_error",
        "handle_response",
    ),
    "aiokafka.producer.transaction_manager:TransactionManager": (
        "complete_transaction",
        "is_empty_transaction",
    ),
    "aiokafka.consumer.fetcher:PartitionRecords": ("_consumer_record",),
    "aiokafka.record.default_records:_DefaultRecordBatchPy": ("_read_msg",),
    "aiokafka.producer.message_accumulator:MessageAccumulator": ("fail_all", "flush_for_commit"),
    "aiokafka.consumer.fetcher:Fetcher": ("_create_fetch_waiter", "_notify", "seek_to"),
    "aiokafka.consumer.fetcher:FetchResult": ("getall", "has_more"),
    "aiokafka.consumer.fetcher:FetchError": ("check_raise",),
    "aiokafka.consumer.subscription_state:SubscriptionState": ("fetch_context",),
    "aiokafka.consumer.subscription_state:Assignment": ("state_value",),
    "aiokafka.consumer.group_coordinator:GroupCoordinator": ("request_rejoin",),
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread": ("_create_worker_consumer", "on_start"),
    "faust.transport.drivers.aiokafka:Consumer": ("_new_consumer_thread",),
    "faust.transport.consumer:Consumer": (
        "_drain_messages",
        "ack",
        "commit",
        "perform_seek",
        "verify_event_path",
    ),
    "faust.serializers.schemas:Schema": ("compile",),
    "faust.app.base:BootStrategy": ("_should_enable_kafka_producer",),
    "faust.tables.manager:TableManager": ("_update_channels", "on_start"),
    "faust.tables.recovery:Recovery": ("_resume_streams", "start"),
    "faust.app.base:App": ("_create_directories",),
}

# module:class.method -> attributes that it must set or read
_ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "aiokafka.consumer.fetcher:Fetcher.__init__": (
        "_closed",
        "_fetch_task",
        "_fetch_waiters",
        "_records",
        "_subscriptions",
        "_wait_consume_future",
    ),
    "aiokafka.consumer.fetcher:Fetcher._proc_fetch_request": ("MemoryRecords",),
    "aiokafka.consumer.fetcher:Fetcher._proc_offset_request": ("_isolation_level",),
    "aiokafka.consumer.fetcher:FetchResult.__init__": ("_assignment", "_partition_records"),
    "aiokafka.consumer.subscription_state:TopicPartitionState.__init__": ("_position", "timestamp"),
    "aiokafka.consumer.consumer:AIOKafkaConsumer.__init__": ("_coordinator", "_fetcher"),
    "aiokafka.consumer.group_coordinator:GroupCoordinator.__init__": ("coordinator_id",),
    "aiokafka.producer.producer:AIOKafkaProducer.__init__": (
        "_message_accumulator",
        "_sender",
        "_txn_manager",
    ),
    "aiokafka.producer.message_accumulator:BatchBuilder.__init__": ("_builder", "_relative_offset"),
    "aiokafka.consumer.fetcher:PartitionRecords._unpack_records": (
        "_consumer_record",
        "_records",
        "base_offset",
        "has_next",
        "is_control_batch",
        "is_transactional",
        "next_batch",
        "next_fetch_offset",
        "next_offset",
        "offset",
        "producer_id",
        "validate_crc",
    ),
    "aiokafka.producer.message_accumulator:MessageAccumulator.__init__": ("_batches", "_pending_batches"),
    "aiokafka.producer.message_accumulator:MessageBatch.__init__": ("_drain_waiter", "future"),
    "aiokafka.producer.sender:Sender.__init__": (
        "_acks",
        "_request_timeout_ms",
        "_sender_task",
        "_txn_manager",
    ),
    "aiokafka.producer.sender:BaseHandler.__init__": ("_default_backoff",),
    "aiokafka.producer.transaction_manager:TransactionManager.__init__": ("_transaction_waiter",),
    "faust.transport.consumer:Consumer.__init__": ("_unacked_messages", "can_resume_flow", "suspend_flow"),
    "faust.app.base:BootStrategy._should_enable_kafka_producer": ("enable_kafka_producer",),
    "faust.tables.manager:TableManager.on_start": ("_update_channels", "recovery"),
    "faust.tables.recovery:Recovery._resume_streams": ("on_rebalance_complete", "perform_seek"),
}


def check_seam() -> None:
    """Raise ``SeamChanged``, with every difference, unless the libraries are the pinned ones."""
    found = differences(versions={name: importlib.metadata.version(name) for name in PINNED})
    if found:
        raise SeamChanged("The engine does not fit the installed libraries:\n  " + "\n  ".join(found))


def differences(
    *,
    versions: Mapping[str, str],
    methods: Mapping[str, tuple[str, ...]] = _METHODS,
    attributes: Mapping[str, tuple[str, ...]] = _ATTRIBUTES,
) -> list[str]:
    """List what differs from what the engine was written on; empty when nothing does."""
    wrong = [
        f"{name} is {versions[name]}, the engine needs {pinned}"
        for name, pinned in PINNED.items()
        if versions[name] != pinned
    ]
    return [*wrong, *_missing_methods(methods), *_missing_attributes(attributes)]


def _missing_methods(methods: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for place, names in methods.items():
        owner = _find(place)
        yield from (f"{place}.{name} is gone" for name in names if not callable(getattr(owner, name, None)))


def _missing_attributes(attributes: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for place, names in attributes.items():
        owner, _, method = place.rpartition(".")
        function = getattr(_find(owner), method, None)
        known = function.__code__.co_names if function is not None else ()
        yield from (f"{place} does not use {name}" for name in names if name not in known)


def _find(place: str) -> object:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name, None)

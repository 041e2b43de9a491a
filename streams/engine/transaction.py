"""One transactional producer: fence, write a whole transaction, say how it ended.

A commit is sent once. aiokafka would send EndTxn again after a lost answer, and a delayed
first one can then commit a *later* transaction (KAFKA-17754); here a lost answer makes the
outcome unknown, and the caller finds it out. The same for the group's offset: a first
request that comes late would put an old offset into a later transaction of the same epoch.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any, cast

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    InvalidProducerEpoch,
    KafkaError,
    MessageSizeTooLargeError,
    NodeNotReadyError,
    ProducerFenced,
    RecordListTooLargeError,
)
from aiokafka.producer.sender import AddPartitionsToTxnHandler, EndTxnHandler, Sender, TxnOffsetCommitHandler

from streams.engine.batches import Batch, Filling
from streams.engine.faults import Fenced, OutcomeUnknown, OutputTooLarge
from streams.engine.options import EngineOptions

__all__ = ["Transactions"]

_log = logging.getLogger(__name__)
_CLOSE_DEADLINE_S = 3.0
# "Not yet" answers after a commit are routine here; aiokafka warns of each.
logging.getLogger("aiokafka.producer.sender").addFilter(lambda line: line.levelno > logging.WARNING)


class Transactions:
    """The transactions of one partition, under one transactional id."""

    def __init__(
        self, *, bootstrap_servers: Sequence[str], transactional_id: str, options: EngineOptions
    ) -> None:
        self._bootstrap_servers = list(bootstrap_servers)
        self._transactional_id = transactional_id
        self._options = options
        self._producer: _Producer | None = None

    async def init(self) -> None:
        """Take the transactional id: fences its last owner and ends his transaction.

        Raises:
            KafkaError, TimeoutError: the broker is not there (yet); it may be tried again.
        """
        await self.close()
        options = self._options
        self._producer = _Producer(
            bootstrap_servers=self._bootstrap_servers,
            client_id=self._transactional_id,
            transactional_id=self._transactional_id,
            acks="all",
            linger_ms=0,
            max_batch_size=options.batch_bytes_max,
            transaction_timeout_ms=int(options.transaction_timeout_s * 1000),
            request_timeout_ms=int(options.request_timeout_s * 1000),
            retry_backoff_ms=options.retry_backoff_ms,
        )
        try:
            await asyncio.wait_for(self._producer.start(), 2 * options.request_timeout_s)
        except AssertionError as error:
            # aiokafka's, when a broker that is starting names no node.
            raise KafkaError(f"{self._transactional_id}: {error}") from error

    async def partition_count(self, topic: str) -> int:
        """Ask how many partitions a topic has."""
        return len(await self._started.partitions_for(topic))

    def new_builder(self) -> Filling:
        """Make an empty batch for ``commit``."""
        return Filling(self._options.batch_bytes_max)

    async def commit(
        self, batches: Sequence[Batch], *, offsets: Mapping[tuple[str, int], int], group: str
    ) -> dict[tuple[str, int], int]:
        """Write batches and offsets in one transaction; return when it is committed.

        Returns:
            the offset after each partition's last record.

        Raises:
            Fenced: the transactional id was taken by another; nothing was committed.
            OutcomeUnknown: anything else; this producer must not be used again.
            OutputTooLarge: the broker refuses a batch for its size; nothing was committed.
        """
        producer = self._started
        try:
            await producer.begin_transaction()
            # Handed over without a pause between them: one request then adds all partitions.
            sends = [
                await producer.send_batch(one.builder, one.topic, partition=one.partition) for one in batches
            ]
            positions = {TopicPartition(*tp): offset for tp, offset in offsets.items()}
            _, *written = await _all(producer.send_offsets_to_transaction(positions, group), *sends)
            await asyncio.wait_for(producer.commit_transaction(), self._options.request_timeout_s)
        except (MessageSizeTooLargeError, RecordListTooLargeError) as error:
            raise OutputTooLarge(f"{self._transactional_id}: the broker refuses a batch: {error}") from error
        except (KafkaError, TimeoutError, AssertionError) as error:
            raise self._told(error) from error
        return {
            (one.topic, one.partition): one.offset + batch.builder.record_count()
            for one, batch in zip(written, batches, strict=True)
        }

    async def prove(self, *, topic: str, partition: int, group: str) -> None:
        """Return when the transactional id is still ours: a transaction is begun and aborted.

        Raises:
            Fenced: it was taken by another.
            OutcomeUnknown: it cannot be said; this producer must not be used again.
        """
        producer = self._started
        try:
            await producer.begin_transaction()
            await producer.send_offsets_to_transaction({TopicPartition(topic, partition): 0}, group)
            await asyncio.wait_for(producer.abort_transaction(), self._options.request_timeout_s)
        except (KafkaError, TimeoutError, AssertionError) as error:
            raise self._told(error) from error

    async def close(self) -> None:
        """Close the connections; an open transaction is left to the next owner's ``init``."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            await asyncio.wait_for(producer.stop(), _CLOSE_DEADLINE_S)
        except (KafkaError, TimeoutError, AssertionError) as error:
            # A producer that died raises its end again; one that waits for a broker would do so for long.
            _log.debug("closing %s: %r", self._transactional_id, error)
            await producer.give_up()
        producer.forget_failures()

    def _told(self, error: Exception) -> Fenced | OutcomeUnknown:
        """Say what an error means; an ``AssertionError`` is aiokafka's, once its sender has died."""
        if _is_fenced(error):
            return Fenced(self._transactional_id)
        return OutcomeUnknown(f"{self._transactional_id}: {error!r}")

    @property
    def _started(self) -> "_Producer":
        if self._producer is None:
            raise OutcomeUnknown(f"{self._transactional_id}: the producer was closed")
        return self._producer


class _Producer(AIOKafkaProducer):  # type: ignore[misc]  # aiokafka has no types
    """aiokafka's producer with a sender that ends a transaction once and waits briefly."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        plain = self._txn_sender()
        self._sender: Any = _CommitOnceSender(
            self.client,
            acks=plain._acks,
            txn_manager=plain._txn_manager,
            message_accumulator=plain._message_accumulator,
            retry_backoff_ms=settings["retry_backoff_ms"],
            request_timeout_ms=plain._request_timeout_ms,
        )

    def _txn_sender(self) -> Any:
        return self._sender

    async def give_up(self) -> None:
        """End what is under way, and close the connections: nobody waits for it any more."""
        await self._sender.give_up()
        await self.client.close()

    def forget_failures(self) -> None:
        """Mark the failure of an unfinished transaction as seen: it was handled."""
        waiter = self._txn_manager._transaction_waiter
        if waiter is not None and waiter.done() and not waiter.cancelled():
            waiter.exception()


class _CommitOnceSender(Sender):  # type: ignore[misc]
    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._under_way: set[asyncio.Task[Any]] = set()

    def _maybe_do_transactional_request(self) -> Any:
        task = super()._maybe_do_transactional_request()
        if task is not None:
            self._note(task)
        return task

    async def _send_produce_req(self, node_id: int, batches: Any) -> None:
        self._note(cast("asyncio.Task[Any]", asyncio.current_task()))
        await super()._send_produce_req(node_id, batches)

    def _note(self, task: asyncio.Task[Any]) -> None:
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def give_up(self) -> None:
        """Stop now: cancelled alone, it would wait for its requests, and some ask for ever where a broker is."""
        tasks = [task for task in (self._sender_task, *self._under_way) if task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._fail_waiting(KafkaError("the producer was closed"))

    async def _do_txn_commit(self, commit_result: Any) -> None:
        await self._message_accumulator.flush_for_commit()
        transaction = self._txn_manager
        if transaction.is_empty_transaction():
            transaction.complete_transaction()
            return
        node = await self._transaction_coordinator()
        if not await EndTxnHandler(self, commit_result).do(node):
            raise KafkaError("the answer to EndTxn is lost; a commit is never retried")

    async def _do_txn_offset_commit(self, offsets: Any, group_id: str) -> None:
        from aiokafka.client import CoordinationType

        if offsets:
            node = await self._find_coordinator(CoordinationType.GROUP, group_id)
            await _OffsetCommit(self, offsets, group_id).do(node)

    async def _do_add_partitions_to_txn(self, tps: Any) -> Any:
        return await _AddPartitions(self, tps).do(await self._transaction_coordinator())

    def _fail_all(self, task: Any) -> None:
        """Fail what was not sent, when the sender has died."""
        waiting = self._waiting()
        super()._fail_all(task)
        _see_failures(waiting)

    def _fail_waiting(self, why: KafkaError) -> None:
        waiting = self._waiting()
        self._message_accumulator.fail_all(why)
        _see_failures(waiting)

    def _waiting(self) -> list[Any]:
        accumulator = self._message_accumulator
        queued = (one for some in accumulator._batches.values() for one in some)
        return [*accumulator._pending_batches, *queued]

    async def _transaction_coordinator(self) -> Any:
        from aiokafka.client import CoordinationType

        return await self._find_coordinator(CoordinationType.TRANSACTION, self._txn_manager.transactional_id)


class _OffsetCommit(TxnOffsetCommitHandler):  # type: ignore[misc]
    async def do(self, node: Any) -> bool:
        """Send it; what was surely not sent or was answered may be sent again, nothing else."""
        try:
            answer = await self._sender.client.send(node, self.create_request(), group=self.group)
        except NodeNotReadyError:
            wait_s: float | None = self.handle_error()
        except KafkaError as error:
            raise KafkaError(
                f"the answer to TxnOffsetCommit is lost; it is never retried: {error!r}"
            ) from error
        else:
            wait_s = self.handle_response(answer)
        if wait_s is not None:
            await asyncio.sleep(wait_s)
        return wait_s is None


class _AddPartitions(AddPartitionsToTxnHandler):  # type: ignore[misc]
    def handle_response(self, resp: Any) -> float | None:
        """Wait as briefly for the last transaction's markers as for anything else."""
        wait_s: float | None = super().handle_response(resp)
        return None if wait_s is None else min(wait_s, self._default_backoff)


def _see_failures(batches: Sequence[Any]) -> None:
    """Take note of how batches failed, or each would be logged as never retrieved."""
    for batch in batches:
        for future in (batch.future, batch._drain_waiter):
            if future.done() and not future.cancelled():
                future.exception()


async def _all(*awaitables: Any) -> list[Any]:
    """Await every one, also after a failure; then raise the first, by preference a fencing."""
    results = await asyncio.gather(*awaitables, return_exceptions=True)
    failures = [one for one in results if isinstance(one, BaseException)]
    for failure in sorted(failures, key=_is_fenced, reverse=True):
        raise failure
    return results


def _is_fenced(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ProducerFenced | InvalidProducerEpoch):
            return True
        error = error.__cause__
    return False

"""A Faust transport that delivers runs: one message per partition and fetched run.

Faust keeps group membership, assignment, agents and streams. It commits nothing and seeks
nothing here: offsets are committed in the engine's transactions, positions are opened on
the ``Flow``.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar, cast

import aiokafka
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import ConsumerStoppedError
from faust.serializers.schemas import Schema
from faust.transport import drivers
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from streams.engine.boot import connected
from streams.engine.flow import Flow, Run
from streams.engine.options import EngineOptions

__all__ = [
    "SCHEME",
    "RunConsumer",
    "RunSchema",
    "Transport",
    "on_consumer_thread",
    "register",
    "tell_consumer_thread",
]

SCHEME = "runs"
_FETCH_WAIT_S = 1.0
_Result = TypeVar("_Result")


def register() -> None:
    """Let Faust find this transport by its scheme, ``runs://host:port``."""
    drivers.TRANSPORTS.aliases[SCHEME] = f"{__name__}:Transport"


class RunConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread that fetches; its consumer reads committed records and never resets a position."""

    flow: Flow

    async def on_start(self) -> None:
        """Start the consumer, all gates shut; ``BrokerAway`` when no broker comes."""
        if await connected(self._connect, pause=self.sleep, stopping=lambda: self.should_stop):
            self.flow = Flow(self._consumer, runs_ahead_max=self._options.runs_ahead_max)

    async def _connect(self) -> None:
        try:
            await super().on_start()
        except BaseException:
            if self._consumer is not None:
                await self._consumer.stop()
            raise

    @property
    def _options(self) -> EngineOptions:
        return _options_of(self.app)

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        conf, options = self.app.conf, self._options
        self._assignor = RoundRobinPartitionAssignor
        return aiokafka.AIOKafkaConsumer(
            client_id=conf.broker_client_id,
            group_id=conf.id,
            group_instance_id=conf.consumer_group_instance_id,
            bootstrap_servers=driver.server_list(transport.url, transport.default_port),
            partition_assignment_strategy=[RoundRobinPartitionAssignor],
            enable_auto_commit=False,
            # A reset would silently skip or repeat: positions come from the chain alone.
            auto_offset_reset="none",
            isolation_level="read_committed",
            max_poll_records=options.records_per_run_max,
            max_poll_interval_ms=int(conf.broker_max_poll_interval * 1000),
            max_partition_fetch_bytes=options.fetch_bytes_max,
            fetch_max_wait_ms=options.fetch_wait_ms_max,
            request_timeout_ms=int(options.request_timeout_s * 1000),
            session_timeout_ms=int(options.session_timeout_s * 1000),
            heartbeat_interval_ms=int(options.heartbeat_s * 1000),
            rebalance_timeout_ms=int(options.rebalance_timeout_s * 1000),
            check_crcs=True,
        )


class RunConsumer(driver.Consumer):
    """Delivers one Faust message per run; acknowledges, commits and seeks nothing."""

    _thread: RunConsumerThread

    def _new_consumer_thread(self) -> RunConsumerThread:
        return RunConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def _drain_messages(self, fetcher: Any) -> None:
        records_max = _options_of(self.app).records_per_run_max
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):
                fetching = self._thread.flow.fetch(wait_s=_FETCH_WAIT_S, records_max=records_max)
                runs = await on_consumer_thread(self, fetching)
                self._come_round()
                for run in runs:
                    # Partitions are opened before Faust resumes: what was fetched meanwhile must
                    # wait, not be dropped. What a *later* suspension drops is opened again after it.
                    if not self.flow_active:
                        await self.wait(self.can_resume_flow.wait())
                    await self.wait_first(self.callback(self._message(run)), self.suspend_flow.wait())
        except ConsumerStoppedError:
            if not self.app.should_stop:
                raise

    def _come_round(self) -> None:
        """Give a sign of life, unless nothing can come any more: whoever watches ends the worker."""
        if self._thread.flow.fetching:
            cast(Any, self.app).engine.counters.fetches += 1

    def _message(self, run: Run) -> ConsumerMessage:
        tp = TP(run.topic, run.partition)
        generation = self.app.consumer_generation_id
        return ConsumerMessage(
            run.topic,
            run.partition,
            run.after - 1,
            0.0,
            0,
            [],
            None,
            cast(Any, run),
            None,
            0,
            0,
            tp,
            generation_id=generation,
        )

    async def perform_seek(self) -> None:
        """Seek nothing: the engine has opened each partition where its chain ends."""

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:  # noqa: ARG002
        """Commit nothing: offsets are part of the engine's transactions."""
        return False

    def ack(self, message: Any) -> bool:
        """Let Faust forget the message."""
        message.acked = True
        self._unacked_messages.discard(message)
        return True

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Check nothing: Faust would look for commits that are not its own."""


class Transport(driver.Transport):
    """Faust's aiokafka transport with our consumer."""

    Consumer = RunConsumer


class RunSchema(Schema[Any, Any]):
    """Hands a run on as it is."""

    def compile(self, app: Any, **_: Any) -> Callable[..., Coroutine[Any, Any, Any]]:
        """Make the function that turns a message into an event."""
        create_event = app.create_event

        async def decode(message: ConsumerMessage, *, propagate: bool = False) -> Any:  # noqa: ARG001
            return create_event(None, message.value, _NO_HEADERS, message)

        return decode


_NO_HEADERS: Mapping[str, bytes] = {}


def _options_of(app: Any) -> EngineOptions:
    options: EngineOptions = app.engine_options
    return options


async def on_consumer_thread(consumer: RunConsumer, work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a coroutine of the ``Flow`` on the consumer's event loop and give its result."""
    future = asyncio.run_coroutine_threadsafe(work, consumer._thread.thread_loop)
    return await asyncio.wrap_future(future)


def tell_consumer_thread(consumer: RunConsumer, function: Callable[..., None], *args: Any) -> None:
    """Call a plain function of the ``Flow`` there, after what was asked before; not once it is gone."""
    loop = consumer._thread.thread_loop
    if not loop.is_closed():
        loop.call_soon_threadsafe(function, *args)

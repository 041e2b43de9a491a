"""The engine on a Faust app: takes and leaves partitions as the group assigns them.

    group assigns ─► Faust ─► on_rebalance_complete ─► take (all of them at once) ─► flow
    group revokes ─► Faust ─► on_partitions_revoked ─► the running step ends (bounded)
    runs ─► Faust agent ─► accept ─► the partition's task

Safety never rests on group membership: whoever initialised a transactional id last is the
only one who can commit. The group only says who should try.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import faust
from faust.types import TP

from streams.engine.actions import Run
from streams.engine.boot import NoProducer, NoTables
from streams.engine.counters import Counters
from streams.engine.fetched import keep_bytes
from streams.engine.options import EngineOptions
from streams.engine.pace import Turns
from streams.engine.partition import AnyStage, OwnedPartition
from streams.engine.seam import check_seam
from streams.engine.stage import StageSpec
from streams.engine.standby import Standby
from streams.engine.topic_ids import TopicIds
from streams.engine.transport import SCHEME, RunSchema, on_consumer_thread, register, tell_consumer_thread

__all__ = ["Engine", "EngineApp", "build_engine_app"]

_log = logging.getLogger(__name__)


class EngineApp(faust.App):
    """A Faust app that carries its engine."""

    engine_options: EngineOptions
    engine: "Engine"

    BootStrategy = NoProducer

    def _create_directories(self) -> None:
        """Create none: Faust's tables would keep files, and there are no such tables."""


def build_engine_app(
    *,
    group: str,
    spec: StageSpec,
    bootstrap_servers: str,
    options: EngineOptions | None = None,
    member: str | None = None,
) -> EngineApp:
    """Make a Faust app that runs one stage; nothing is connected before it starts.

    Args:
        group: the consumer group, and the beginning of every transactional id.
        spec: what is folded, from where to where.
        bootstrap_servers: ``host:port[,host:port]``.
        options: limits and timeouts.
        member: a name that no other worker of the group has. With one, a worker that comes
            back within the session timeout, also after a kill, has its partitions at once.

    Raises:
        SeamChanged: the installed libraries are not those that the engine was written on.
    """
    check_seam()
    register()
    keep_bytes()
    options = options or EngineOptions()
    app = EngineApp(
        group,
        broker=[f"{SCHEME}://{address}" for address in bootstrap_servers.split(",")],
        TableManager=NoTables,
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        autodiscover=False,
        stream_recovery_delay=0.0,
        stream_wait_empty=False,
        stream_buffer_maxsize=4096,
        broker_client_id=f"{group}-{member}" if member else group,
        broker_session_timeout=options.session_timeout_s,
        broker_heartbeat_interval=options.heartbeat_s,
        broker_request_timeout=options.request_timeout_s,
        consumer_group_instance_id=member,
    )
    app.engine_options = options
    app.engine = Engine(
        app, group=group, spec=spec, bootstrap_servers=bootstrap_servers.split(","), options=options
    )
    app.engine.register()
    return app


class Engine:
    """The partitions of one worker; implements ``PartitionSource`` on Faust's consumer."""

    def __init__(
        self,
        app: EngineApp,
        *,
        group: str,
        spec: StageSpec,
        bootstrap_servers: list[str],
        options: EngineOptions,
    ) -> None:
        self.counters = Counters()
        self._turns = Turns()
        self._app = app
        self._group, self._spec = group, spec
        self._bootstrap_servers, self._options = bootstrap_servers, options
        self._partitions: dict[TP, OwnedPartition] = {}
        topics = sorted({*spec.sources, *spec.targets})
        self._topic_ids = TopicIds(
            bootstrap_servers=bootstrap_servers, topics=topics, changelog=spec.changelog
        )
        self._is_member = False
        self._standby: Standby | None = None
        if options.standby and spec.changelog:
            self._standby = Standby(
                spec=spec,
                bootstrap_servers=bootstrap_servers,
                options=options,
                topic_ids=self._topic_ids,
                crash=self._stop_for,
            )

    def register(self) -> None:
        """Hang the engine on its app: one agent, and the hooks of rebalances and shutdown."""
        app: Any = self._app  # Faust's types know neither plain coroutines as agents nor as hooks
        topic = app.topic(*self._spec.sources, schema=RunSchema())
        app.agent(topic, name=f"{self._spec.name}-runs")(self._consume)
        app.on_rebalance_complete.connect(self._on_rebalance_complete, weak=False)
        app.on_partitions_revoked.connect(self._on_partitions_revoked, weak=False)
        app.on_before_shutdown.connect(self._on_before_shutdown, weak=False)

    @property
    def partitions(self) -> Mapping[TP, OwnedPartition]:
        """What this worker has now."""
        return self._partitions

    @property
    def copied(self) -> set[int]:
        """The partitions of other workers that this one has a complete copy of."""
        return self._standby.complete if self._standby is not None else set()

    @property
    def lacks(self) -> str:
        """What a worker without partitions waits for; "": it is a spare one, and takes over at once."""
        if not self._is_member:
            return "the group has assigned no partition"
        missing = self._standby.lacks if self._standby is not None else 0
        if missing is None:
            return "its copies are not begun"
        return f"{missing} of its copies are not complete" if missing else ""

    def answers(self) -> dict[str, int | None]:
        """Give what waits for the broker, with the moment of its last answer (ms; None: not yet). Any thread may ask.

        A partition that waits for records is asked for all the time: it has an answer many times a second, also
        where there is nothing. One that is worked on is not asked for. A worker without partitions has its copies;
        a group's coordinator is here while it is not known.
        """
        if not self._is_member:
            return {}
        partitions = dict(self._partitions)  # in one go: the worker's loop changes it
        waiting = [tp for tp, one in partitions.items() if one.owned and not (one.working or one.paused)]
        found = {f"{tp.topic}-{tp.partition}": self._flow.answered_ms(*tp) for tp in sorted(waiting)}
        if not partitions and self._standby is not None:
            found |= self._standby.answers
        return found if self._flow.coordinated else {**found, "the group's coordinator": None}

    async def _consume(self, stream: Any) -> None:
        async for event in stream.events():
            run: Run = event.value
            owned = self._partitions.get(TP(run.topic, run.partition))
            if owned is not None:
                owned.accept(run)
            else:
                self.counters.stale_runs += 1

    # -- rebalances -----------------------------------------------------------

    async def _on_partitions_revoked(self, _app: Any, revoked: set[TP], **_: Any) -> None:
        ending = [owned.revoke() for tp, owned in self._partitions.items() if tp in revoked]
        if not ending:
            return
        try:
            await asyncio.wait_for(asyncio.gather(*ending), self._options.step_end_s)
        except TimeoutError:
            _log.warning("a transaction did not end before its partition was revoked; the next owner ends it")

    async def _on_rebalance_complete(self, _app: Any, **_: Any) -> None:
        """Take what is assigned; Faust resumes fetching after this returns."""
        generation = self._app.consumer_generation_id
        mine = {TP(tp.topic, tp.partition) for tp in self._app.consumer.assignment()}
        gone = [tp for tp in self._partitions if tp not in mine]
        await asyncio.gather(*(self._partitions.pop(tp).drop() for tp in gone))
        self._topic_ids.forget()
        started = asyncio.get_running_loop().time()
        taking = [asyncio.create_task(self._take(tp)) for tp in mine]
        try:
            await asyncio.gather(*taking)
        except Exception as fault:  # noqa: BLE001 - whatever it is, it stops the worker
            _log.critical("%s: %s", type(fault).__name__, fault)
            for one in taking:
                one.cancel()
            await asyncio.wait(taking)
            await self._app.crash(fault)
            return
        self._is_member = True
        if self._standby is not None:
            self._standby.follow_all_but(tp.partition for tp in mine)
        took_s = asyncio.get_running_loop().time() - started
        _log.info("generation %s: %d partitions in %.2f s; %s", generation, len(mine), took_s, self.counters)

    async def _take(self, tp: TP) -> None:
        owned = self._partitions.get(tp) or self._new_partition(tp)
        self._partitions[tp] = owned
        await owned.take()

    def _new_partition(self, tp: TP) -> OwnedPartition:
        return OwnedPartition(
            topic=tp.topic,
            partition=tp.partition,
            spec=self._spec,
            group=self._group,
            bootstrap_servers=self._bootstrap_servers,
            source=self,
            options=self._options,
            counters=self.counters,
            turns=self._turns,
            topic_ids=self._topic_ids,
            open_stage=self._open_stage,
            crash=self._stop_for,
        )

    def _open_stage(self, topic: str, partition: int, counts: Mapping[str, int]) -> AnyStage:
        copy = self._standby.hand_over(partition) if self._standby is not None else None
        return copy or self._spec.open(topic, partition, counts)

    async def _stop_for(self, fault: BaseException) -> None:
        await self._app.crash(fault)

    async def _on_before_shutdown(self, _app: Any, **_: Any) -> None:
        """Let running steps end, then close the producers."""
        partitions, self._partitions = dict(self._partitions), {}
        if self._standby is not None:
            await self._standby.stop()
        await self._on_shutdown_of(list(partitions.values()))
        _log.info("stopped; %s", self.counters)

    async def _on_shutdown_of(self, partitions: list[OwnedPartition]) -> None:
        ending = [owned.revoke() for owned in partitions]
        if ending:
            await asyncio.wait(
                [asyncio.ensure_future(one) for one in ending], timeout=self._options.step_end_s
            )
        await asyncio.gather(*(owned.drop() for owned in partitions))

    # -- PartitionSource ------------------------------------------------------

    async def open(self, topic: str, partition: int, *, position: int) -> int:
        """See ``Flow.open``."""
        return await on_consumer_thread(self._consumer, self._flow.open(topic, partition, position=position))

    def shut(self, topic: str, partition: int) -> None:
        """See ``Flow.shut``."""
        tell_consumer_thread(self._consumer, self._flow.shut, topic, partition)

    def release(self, run: Run) -> None:
        """See ``Flow.release``."""
        tell_consumer_thread(self._consumer, self._flow.release, run)

    async def committed(self, topic: str, partition: int) -> int | None:
        """See ``Flow.committed``."""
        return await on_consumer_thread(self._consumer, self._flow.committed(topic, partition))

    async def rejoin(self) -> None:
        """See ``Flow.rejoin``."""
        await on_consumer_thread(self._consumer, self._flow.rejoin())

    @property
    def _consumer(self) -> Any:
        return self._app.consumer

    @property
    def _flow(self) -> Any:
        return self._consumer._thread.flow

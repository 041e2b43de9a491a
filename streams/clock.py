"""The clock: writes "it is now T" to every journal partition, never ahead of the facts (DESIGN 1).

    sample the sources' ends ─► wait until intake has committed past them ─► one transaction
                                └─ patience is over: the tick names the topics that lag

A source whose end nobody tells (a partition has no leader, the topic is gone) is asked for again while
the tick waits, and then counts as one that lags: what it holds may be missing, all others go on.

There is one clock per installation: its transactional id is the lock, and a second one
puts the first out of action. A journal is *live* or *played*, said by its first tick; this
refuses the other mode, and a time before the newest tick.
"""

import datetime
import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future
from functools import partial
from threading import Event, Thread
from typing import Any, Final, Self, TypeVar

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError, ProducerFencedError, RetriableError
from kafka.protocol.consumer import IsolationLevel

from infra.errors import OperatorError
from infra.kafka.consumers import admin, consumer, forget_coordinators, producer
from infra.settings import Settings
from schemas.journal import BROADCAST_KEY, JournalEntry, JournalMode, TickPassed, decode_entry, encode_entry
from streams.names import JOURNAL, SOURCES

__all__ = [
    "SOURCE",
    "Clock",
    "ClockError",
    "ClockStopped",
    "TickRefusedError",
    "behind",
    "in_time",
    "tick_for_ever",
    "united",
]

SOURCE: Final = "cobranza/clock"
_log = logging.getLogger(__name__)
_POLL_S: Final = 0.005
_READ_DEADLINE_S: Final = 60
_FIRST_LOOK_BACK: Final = 1_000
_RETRY_BACKOFF_MS: Final = 3
_REOPEN_AFTER_S: Final = 2.0

_ASK_DEADLINE_S: Final = 15.0
_ASK_AGAIN_S: Final = 0.1
# A broker that is frozen must not take up all of a tick's patience.
_ANSWER_MS_MAX: Final = 10_000
_LOOK_AGAIN_S: Final = 0.5
# Of questions, a topic each: kafka-python refuses what is more, five by default, as if the broker were away.
_AT_ONCE_MAX: Final = 50
# Of the 10 s in which a process has ended; its way out takes its time, too.
_STOP_S_MAX: Final = 6.0
_Answer = TypeVar("_Answer")

Positions = Mapping[TopicPartition, int]


class ClockError(OperatorError):
    """The clock cannot go on: another one has taken over, or topics are missing."""


class TickRefusedError(OperatorError):
    """This tick may not be: the journal has the other mode, or is ahead of it already."""


class ClockStopped(Exception):  # noqa: N818 - it is no error
    """The clock was told to stop while a tick waited; nothing was written."""


def behind(*, ends: Positions, committed: Positions) -> set[str]:
    """Name the topics with a partition that is not committed up to its end."""
    return {tp.topic for tp, end in ends.items() if committed.get(tp, 0) < end}


def united(
    known: Mapping[TopicPartition, str], told: Iterable[Mapping[str, Any]]
) -> dict[TopicPartition, str]:
    """Take what a broker tells of topics together with the partitions that are known; each with its topic's id.

    A topic's partitions only become more, and a broker may not have heard of the newest; only a topic that
    was made anew, with another id, may have fewer. One that is gone, or not told now, stays as it was.
    """
    found = dict(known)
    for one in told:
        if one["error_code"]:
            continue
        name, topic_id = one["name"], str(one["topic_id"])
        found = {tp: known_id for tp, known_id in found.items() if tp.topic != name or known_id == topic_id}
        found |= {TopicPartition(name, each["partition_index"]): topic_id for each in one["partitions"]}
    return found


class Clock:
    """The installation's clock in one mode; a context: it takes the lock, and leaves it.

    Args:
        settings: broker and names.
        mode: ``live`` or ``played``.
        patience_s: how long a tick waits for intake before it names who lags.
        stop: when it is set, a tick that waits gives up.
    """

    def __init__(
        self, settings: Settings, *, mode: JournalMode, patience_s: float = 60.0, stop: Event | None = None
    ) -> None:
        self._settings = settings
        self._mode = mode
        self._patience_s = patience_s
        self._stop = stop or Event()
        self._newest: TickPassed | None = None
        self._journal: list[TopicPartition] = []
        self._sources: dict[TopicPartition, str] = {}
        self._open: list[Any] = []

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def newest(self) -> TickPassed | None:
        """The newest tick in the journal, None when there is none yet."""
        return self._newest

    def open(self) -> None:
        """Put another clock out of action, and read the newest tick.

        Raises:
            TickRefusedError: the journal has the other mode.
            ClockError: topics are missing.
        """
        address = self._settings.brokers()
        try:
            self._producer: KafkaProducer = self._keep(
                producer(
                    bootstrap_servers=address,
                    transactional_id=self._settings.group("clock"),
                    retry_backoff_ms=_RETRY_BACKOFF_MS,
                    serves=True,
                )
            )
            self._producer.init_transactions()
            self._reader: KafkaConsumer = self._keep(consumer(bootstrap_servers=address, group=None))
            self._admin = self._keep(
                admin(
                    bootstrap_servers=address,
                    request_timeout_ms=_ANSWER_MS_MAX,
                    max_in_flight_requests_per_connection=_AT_ONCE_MAX,
                )
            )
            self._journal = self._partitions(JOURNAL)
            if self._mode == "played":
                # Asked for once: nobody else changes an installation that is played.
                self._sources = {tp: "" for name in SOURCES for tp in self._partitions(name)}
            self._newest = _newest_tick(self._reader, self._journal[0])
            self._refuse_other_mode()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connections; harmless when there are none."""
        while self._open:
            self._open.pop().close()

    def tick(self, at: datetime.datetime) -> TickPassed:
        """Write "it is now `at`" to every journal partition, once intake has read what there is.

        Returns the tick as written, with the (logical) topics that lag.

        Raises:
            TickRefusedError: `at` is before the newest tick.
            ClockError: another clock has taken over.
            ClockStopped: told to stop while waiting.
            KafkaError: whether it was written is unknown; ``open`` again to find out.
        """
        at = at.astimezone(datetime.UTC)
        if self._newest is not None and at < self._newest.at:
            raise TickRefusedError(
                f"The journal's time is {self._newest.at.isoformat()} already; {at.isoformat()} is before it."
            )
        tick = TickPassed(at=at, mode=self._mode, lagging=self._wait_for_intake())
        try:
            self._write(tick)
        except KafkaError as error:
            if not _is_fenced(error):
                raise
            raise ClockError("Another clock has taken over; there is one per installation.") from error
        self._newest = tick
        return tick

    def _write(self, tick: TickPassed) -> None:
        value = encode_entry(JournalEntry(tick, f"tick/{tick.at.isoformat()}", SOURCE))
        self._producer.begin_transaction()
        sent = [
            self._producer.send(tp.topic, key=BROADCAST_KEY, value=value, partition=tp.partition)
            for tp in self._journal
        ]
        self._producer.flush()
        for one in sent:
            one.get()
        self._producer.commit_transaction()

    def _wait_for_intake(self) -> tuple[str, ...]:
        """Wait until intake is past the present ends; name the topics where it is not in time, or nobody can say."""
        deadline = time.monotonic() + self._patience_s
        group = self._settings.group("intake")
        ends, missing, look_at = _Ends(self._admin), {self._settings.topic(name) for name in SOURCES}, 0.0
        while True:
            if (missing or ends.unread) and time.monotonic() >= look_at:
                missing = self._look_for_sources()
                ends.read(self._sources)
                look_at = time.monotonic() + _LOOK_AGAIN_S
            offsets = self._ask(lambda: self._admin.list_group_offsets(group)[group])
            committed = {tp: one.offset for tp, one in offsets.items()}
            late = behind(ends=ends.found, committed=committed) | ends.unread.keys() | missing
            if not late or time.monotonic() >= deadline:
                break
            if self._stop.wait(_POLL_S):
                raise ClockStopped
        for topic in sorted(missing):
            _log.warning("%s does not exist: cobranza topics apply", topic)
        for topic, why in ends.unread.items():
            _log.warning("the end of %s is not told for %g s: %s", topic, self._patience_s, why)
        if late:
            _log.warning("intake lags after %g s on %s", self._patience_s, ", ".join(sorted(late)))
        return tuple(name for name in SOURCES if self._settings.topic(name) in late)

    def _look_for_sources(self) -> set[str]:
        """Take up what partitions the sources have by now (they are others' topics); name those without any."""
        names = [self._settings.topic(name) for name in SOURCES]
        if self._mode == "live":
            self._sources = united(self._sources, self._ask(lambda: self._admin.describe_topics(names)))
        return set(names) - {tp.topic for tp in self._sources}

    def _ask(self, question: Callable[[], _Answer]) -> _Answer:
        """Ask the broker, again while it is only not ready yet (a coordinator that moves, new topics)."""
        deadline = time.monotonic() + _ASK_DEADLINE_S
        while True:
            try:
                return question()
            except RetriableError:
                if time.monotonic() > deadline:
                    raise
            forget_coordinators(self._admin)
            if self._stop.wait(_ASK_AGAIN_S):
                raise ClockStopped

    def _partitions(self, name: str) -> list[TopicPartition]:
        topic = self._settings.topic(name)
        numbers = self._reader.partitions_for_topic(topic)
        if not numbers:
            raise ClockError(f"Topic {topic} does not exist: cobranza topics apply")
        return [TopicPartition(topic, number) for number in sorted(numbers)]

    def _refuse_other_mode(self) -> None:
        if self._newest is not None and self._newest.mode != self._mode:
            raise TickRefusedError(
                f"The journal is {self._newest.mode}, its first tick said so; this clock is {self._mode}. "
                "Use another installation (COBRANZA_TOPIC_PREFIX, COBRANZA_DATA_DIR)."
            )

    def _keep(self, client: Any) -> Any:
        self._open.append(client)
        return client


def tick_for_ever(
    clock: Clock,
    *,
    stop: Event,
    now: Callable[[], datetime.datetime],
    every_s: float = 15.0,
    tell: Callable[[TickPassed | None], None] = lambda _: None,
) -> None:
    """Tick now and then every `every_s` seconds, until `stop` is set; the broker may come and go.

    ``tell`` is called after each round, with the tick that was written, None when there was none.

    Raises:
        ClockError: another clock has taken over.
    """
    while not stop.is_set():
        started = time.monotonic()
        try:
            tell(clock.tick(now()))
        except ClockStopped:
            return
        except TickRefusedError as error:
            # The machine's clock was set back: wait until it has caught up.
            _log.warning("%s", error)
            tell(None)
        except KafkaError as error:
            _log.warning("the broker does not do as asked, connecting again: %r", error)
            tell(None)
            _reopen(clock, stop=stop, tell=tell)
            continue
        stop.wait(max(0.0, every_s - (time.monotonic() - started)))


def in_time(work: Callable[[], None], *, stop: Event, seconds_max: float = _STOP_S_MAX) -> None:
    """Do what a clock does, until it ends; once `stop` is set it has so long to, and then is left where it is.

    kafka-python's calls cannot be cancelled, and some wait for minutes on a broker that is frozen. A clock
    that is left is one that was killed: its transaction is aborted, and the next one reads how far it came.

    Raises:
        Exception: what `work` raised.
    """
    done: Future[None] = Future()

    def ticking() -> None:
        try:
            _answer(done, work)
        finally:
            stop.set()

    thread = Thread(target=ticking, name="clock", daemon=True)
    thread.start()
    stop.wait()
    thread.join(seconds_max)
    if done.done():
        done.result()
    else:
        _log.warning("the broker does not answer: left after %g s, as if killed", seconds_max)


def _is_fenced(error: KafkaError) -> bool:
    """Whether the producer's id is another's now; what is sent after that is told wraps it (kafka-python 3.0.12)."""
    return any(isinstance(each, ProducerFencedError) for each in (error, *error.args))


class _Ends:
    """Where the sources end for a reader of committed records, and which of them nobody tells.

    A question about many partitions fails as a whole where one of them has no leader: then
    each topic is asked for apart, all at once, since who is frozen is waited for.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self.found: dict[TopicPartition, int] = {}
        self.unread: dict[str, str] = {}

    def read(self, partitions: Collection[TopicPartition]) -> None:
        """Ask for those that are not known yet; a broker that does not answer is not told from one without them."""
        self.found = {tp: end for tp, end in self.found.items() if tp in partitions}
        self.unread = {}
        wanted = set(partitions) - self.found.keys()
        if not wanted:
            return
        try:
            self.found |= self._offsets(wanted)
        except KafkaError:
            self._read_by_topic(wanted)

    def _read_by_topic(self, wanted: Collection[TopicPartition]) -> None:
        answers: dict[str, Future[dict[TopicPartition, int]]] = {tp.topic: Future() for tp in wanted}
        for topic, answer in answers.items():
            # No pool: its threads would keep a process that has to end until they are answered.
            one = {tp for tp in wanted if tp.topic == topic}
            Thread(target=_answer, args=(answer, partial(self._offsets, one)), daemon=True).start()
        for topic in sorted(answers):
            try:
                self.found |= answers[topic].result()
            except KafkaError as error:
                self.unread[topic] = repr(error)

    def _offsets(self, wanted: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        answer = self._client.list_partition_offsets(
            dict.fromkeys(wanted, OffsetSpec.LATEST), IsolationLevel.READ_COMMITTED, timeout_ms=_ANSWER_MS_MAX
        )
        return {tp: one.offset for tp, one in answer.items()}


def _answer(answer: Future[_Answer], question: Callable[[], _Answer]) -> None:
    try:
        answer.set_result(question())
    except Exception as error:  # noqa: BLE001 - whatever it is, who asked has to deal with it
        answer.set_exception(error)


def _reopen(clock: Clock, *, stop: Event, tell: Callable[[TickPassed | None], None]) -> None:
    """Connect again, as long as it takes; the newest tick is read anew."""
    clock.close()
    while not stop.wait(_REOPEN_AFTER_S):
        try:
            clock.open()
        except KafkaError as error:
            _log.warning("still no broker: %r", error)
            tell(None)
        else:
            return


def _newest_tick(reader: KafkaConsumer, tp: TopicPartition) -> TickPassed | None:
    """Look back from the journal's end, further each time: ticks are in every partition."""
    reader.assign([tp])
    start, end = reader.beginning_offsets([tp])[tp], reader.end_offsets([tp])[tp]
    upper, step = end, _FIRST_LOOK_BACK
    while upper > start:
        lower = max(start, upper - step)
        found = _last_tick_between(reader, tp, lower=lower, upper=upper)
        if found is not None:
            return found
        upper, step = lower, step * 4
    return None


def _last_tick_between(
    reader: KafkaConsumer, tp: TopicPartition, *, lower: int, upper: int
) -> TickPassed | None:
    reader.seek(tp, lower)
    found = None
    deadline = time.monotonic() + _READ_DEADLINE_S
    while reader.position(tp) < upper:
        for record in reader.poll(timeout_ms=100).get(tp, ()):
            if record.key == BROADCAST_KEY and record.offset < upper:
                event = decode_entry(record.value).event
                found = event if isinstance(event, TickPassed) else found
        if time.monotonic() > deadline:
            raise ClockError(f"{tp.topic}-{tp.partition} cannot be read between {lower} and {upper}.")
    return found

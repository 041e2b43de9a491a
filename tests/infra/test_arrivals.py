"""A projector that gets nothing says why: nothing is there, nothing comes, or nobody answers."""

import pytest
from kafka import TopicPartition
from kafka.errors import KafkaTimeoutError

from infra.kafka.arrivals import Arrivals

ONE, OTHER = TopicPartition("ledger.account", 0), TopicPartition("ledger.movement", 0)


class _Broker:
    """What a broker answers, and when it was asked."""

    def __init__(self) -> None:
        self.ends = {ONE: 5, OTHER: 7}
        self.is_away = False
        self.leaderless: set[TopicPartition] = set()
        self.asked_s: list[float] = []
        self.now_s = 0.0

    def __call__(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        self.asked_s.append(self.now_s)
        if self.is_away or self.leaderless.intersection(partitions):
            raise KafkaTimeoutError("2000 ms")
        return {each: self.ends[each] for each in partitions}


@pytest.fixture
def broker() -> _Broker:
    """Give a broker with twelve records."""
    return _Broker()


@pytest.fixture
def arrivals(broker: _Broker) -> Arrivals:
    """Give what looks on, by the broker's clock."""
    return Arrivals(broker, now_s=lambda: broker.now_s)


def _said(arrivals: Arrivals, broker: _Broker, *, at: dict[TopicPartition, int], for_s: int) -> list[str]:
    """Poll in vain every second; give what was said, each thing once."""
    said = []
    for _ in range(for_s):
        broker.now_s += 1
        said.append(arrivals.trouble(at))
    return list(dict.fromkeys(said))


def test_nothing_to_read_is_no_trouble_for_ever(arrivals: Arrivals, broker: _Broker) -> None:
    """At the ends of all logs there is nothing that could come."""
    assert [""] == _said(arrivals, broker, at={ONE: 5, OTHER: 7}, for_s=1000)


def test_a_broker_that_is_away_is_told_and_forgotten_when_it_is_back(
    arrivals: Arrivals, broker: _Broker
) -> None:
    """Issue 4, point 7: readiness means that work is taken; before, a projector without a broker was ready."""
    broker.is_away = True
    silent, told = _said(arrivals, broker, at={ONE: 5, OTHER: 7}, for_s=10)
    assert ("", True) == (silent, told.startswith("the broker does not answer: "))
    broker.is_away = False
    assert "" == _said(arrivals, broker, at={ONE: 5, OTHER: 7}, for_s=6)[-1]


def test_records_that_do_not_come_are_told(arrivals: Arrivals, broker: _Broker) -> None:
    """After half a minute; one that comes ends it at once."""
    assert [""] == _said(arrivals, broker, at={ONE: 3, OTHER: 7}, for_s=30)
    assert "none of 2 records came for 35 s (ledger.account 0)" in _said(
        arrivals, broker, at={ONE: 3, OTHER: 7}, for_s=10
    )
    assert "" == arrivals.trouble({ONE: 4, OTHER: 7})


def test_what_has_just_been_written_is_not_missing(arrivals: Arrivals, broker: _Broker) -> None:
    """After hours with nothing to do the waiting begins with the record."""
    assert [""] == _said(arrivals, broker, at={ONE: 5, OTHER: 7}, for_s=5000)
    broker.ends[ONE] = 6
    assert [""] == _said(arrivals, broker, at={ONE: 5, OTHER: 7}, for_s=20)


def _said_beside(arrivals: Arrivals, broker: _Broker, *, at: int, for_s: int) -> list[str]:
    """Get a record of the other partition every second, and none of this one; give what was said, each thing once."""
    said = []
    for _ in range(for_s):
        broker.now_s += 1
        broker.ends[OTHER] += 1
        said.append(arrivals.trouble({ONE: at, OTHER: broker.ends[OTHER]}))
    return list(dict.fromkeys(said))


def test_a_partition_that_is_stuck_is_told_beside_a_live_clock(arrivals: Arrivals, broker: _Broker) -> None:
    """As long as anything came, one that brought nothing was never looked at."""
    assert [""] == _said_beside(arrivals, broker, at=3, for_s=120)
    told = _said_beside(arrivals, broker, at=3, for_s=60)
    assert "none of 2 records came for 125 s (ledger.account 0)" in told
    assert "" not in told[1:]
    assert [""] == _said_beside(arrivals, broker, at=4, for_s=1)


def test_what_was_told_of_one_partition_stays_while_another_is_read(
    arrivals: Arrivals, broker: _Broker
) -> None:
    """Any record of any partition cleared it."""
    _said(arrivals, broker, at={ONE: 3, OTHER: 7}, for_s=40)
    assert "" not in _said_beside(arrivals, broker, at=3, for_s=60)
    assert "" == _said_beside(arrivals, broker, at=5, for_s=1)[-1]


def test_a_partition_without_a_leader_is_told_until_it_has_one(arrivals: Arrivals, broker: _Broker) -> None:
    """It came and went every fifteen seconds, with each record of the others."""
    broker.leaderless.add(ONE)
    silent, *told = _said_beside(arrivals, broker, at=5, for_s=100)
    assert "" == silent
    assert ["the broker does not answer: KafkaTimeoutError('2000 ms') (ledger.account 0)"] == told
    broker.leaderless.clear()
    assert "" == _said_beside(arrivals, broker, at=5, for_s=10)[-1]


def test_a_broker_that_does_not_answer_is_asked_every_ten_seconds(
    arrivals: Arrivals, broker: _Broker
) -> None:
    """Each time costs the reader the whole time-out, while other partitions have work for it."""
    broker.leaderless.add(ONE)
    _said_beside(arrivals, broker, at=5, for_s=40)
    assert [6.0, 16.0, 26.0, 36.0] == broker.asked_s


def test_partitions_that_are_read_are_not_asked_for(arrivals: Arrivals, broker: _Broker) -> None:
    """Their records are the answer."""
    broker.leaderless.add(OTHER)
    assert [""] == _said_beside(arrivals, broker, at=5, for_s=100)


def test_pauses_of_others_do_not_hide_a_partition_that_is_dead(arrivals: Arrivals, broker: _Broker) -> None:
    """A notifier rests now and then, and leaves those partitions out meanwhile: what is told of another one stays told."""
    broker.leaderless = {ONE}
    said = []
    for _ in range(20):
        said += _said(arrivals, broker, at={ONE: 5, OTHER: 7}, for_s=3)
        said += _said(arrivals, broker, at={ONE: 5}, for_s=2)
    assert "does not answer" in said[-1]
    first = next(number for number, each in enumerate(said) if each)
    assert all(said[first:])

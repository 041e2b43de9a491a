"""A projector that gets nothing says why: nothing is there, nothing comes, or nobody answers."""

import pytest
from kafka import TopicPartition
from kafka.errors import KafkaTimeoutError

from infra.projection.arrivals import Arrivals

ONE, OTHER = TopicPartition("ledger.account", 0), TopicPartition("ledger.movement", 0)


class _Broker:
    """What a broker answers, and when it was asked."""

    def __init__(self) -> None:
        self.ends = {ONE: 5, OTHER: 7}
        self.is_away = False
        self.now_s = 0.0

    def __call__(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        if self.is_away:
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
    assert "none of 2 records came for 35 s" in _said(arrivals, broker, at={ONE: 3, OTHER: 7}, for_s=10)
    assert "" == arrivals.trouble({ONE: 4, OTHER: 7})


def test_what_has_just_been_written_is_not_missing(arrivals: Arrivals, broker: _Broker) -> None:
    """After hours with nothing to do the waiting begins with the record."""
    assert [""] == _said(arrivals, broker, at={ONE: 5, OTHER: 7}, for_s=5000)
    broker.ends[ONE] = 6
    assert [""] == _said(arrivals, broker, at={ONE: 5, OTHER: 7}, for_s=20)

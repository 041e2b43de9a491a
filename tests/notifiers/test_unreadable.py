"""Records of the reminders' topic that are no reminders: put aside with the reason, counted, and held against nobody else."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from kafka.errors import KafkaTimeoutError
from sqlalchemy import Engine

from notifiers.reading import PutAside, aside_tally, sorted_out
from schemas.codec import ContractError
from schemas.dead_letters import read_dead_letter
from schemas.reminders import read_reminder
from tests.notifiers.sending import ScriptedChannel, dispatcher, know, reminder, states

GOOD = msgspec.json.encode(reminder())
SOURCE = "x.collections.reminder.v1"


@dataclass
class Record:
    """A record as a consumer gives it."""

    value: bytes | None
    key: bytes | None = b"acme:C1"
    partition: int = 0
    offset: int = 7
    headers: list[tuple[str, bytes]] = field(default_factory=lambda: [("ce_id", b"r1")])


@dataclass
class Topic:
    """Takes records, or breaks as a broker that is away."""

    is_away: bool = False
    taken: list[tuple[str, bytes, dict[str, Any]]] = field(default_factory=list)

    def send(self, topic: str, value: bytes, **more: Any) -> "Topic":
        """Take one."""
        self.taken.append((topic, value, more))
        return self

    def get(self, *, timeout: float) -> None:
        """Say whether it is written."""
        assert timeout
        if self.is_away:
            raise KafkaTimeoutError


@pytest.mark.parametrize(
    ("value", "reason", "detail"),
    [
        (None, "not_json", "no value"),
        (b"", "not_json", "truncated"),
        (b"\xff\xfe", "not_json", ""),
        (GOOD[:-3], "not_json", "truncated"),
        (GOOD.replace(b"acme:C1", b"acme:\xff"), "not_json", "utf-8"),
        (b"[]", "invalid", "object"),
        (b"[" * 100_000, "invalid", ""),
        (GOOD.replace(b"decided.v1", b"decided.v9"), "invalid", "$.type"),
        (GOOD.replace(b'"email"', b'"pigeon"'), "invalid", "$.deliveries"),
        (GOOD.replace(b'"account":"acme:C1"', b'"account":"nobody"'), "invalid", "$.account"),
        (GOOD.replace(b'"r1"', b'""'), "invalid", "$.id"),
        (GOOD.replace(b'"r1"', b'"r\\u00001"'), "invalid", "$.id"),
        (
            GOOD.replace(b'"tick":"2012-03-04T12:00:00Z"', b'"tick":"2012-03-04T12:00:00"'),
            "invalid",
            "$.tick",
        ),
        (GOOD.replace(b'"decision_version":5', b'"decision_version":99999999999999999999'), "invalid", ""),
    ],
)
def test_what_is_no_reminder_says_why(value: bytes | None, reason: str, detail: str) -> None:
    """The labels are intake's; an instant without zone, or a character that SQL does not keep, would end the loop later."""
    with pytest.raises(ContractError) as caught:
        read_reminder(value)
    assert reason == caught.value.reason
    assert detail in caught.value.detail


def test_the_records_behind_it_go_on(engine: Engine) -> None:
    """One poll: junk, a reminder, junk; the customer gets his mail, and each of the others is told and counted once."""
    polled = {"p": [Record(b"{"), Record(GOOD), Record(b"[]"), Record(None, key=b"\0mark")]}
    usable, refused = sorted_out(polled)
    topic, tally = Topic(), aside_tally(["email"], source=SOURCE)
    PutAside(topic, channel="email", source=SOURCE, target="x.dlq", tally=tally).put(refused)
    know(engine)
    loop = dispatcher(engine, channel=ScriptedChannel())
    loop.record(usable)
    loop.run(partitions=[0])
    assert {"r1/email": "accepted"} == states(engine)
    assert [("x.dlq", b"{"), ("x.dlq", b"[]")] == [(name, value) for name, value, _ in topic.taken]
    letter = read_dead_letter(topic.taken[0][2]["headers"])
    assert ("not_json", "notify-email", SOURCE, 7) == (
        letter.reason,
        letter.stage,
        letter.topic,
        letter.offset,
    )
    assert [1, 1] == [tally.count("notify-email", SOURCE, reason) for reason in ("not_json", "invalid")]


def test_what_kafka_does_not_take_is_not_passed_over() -> None:
    """The offset is not committed then: the record is read, and told, again."""
    tally = aside_tally(["sms"], source=SOURCE)
    aside = PutAside(Topic(is_away=True), channel="sms", source=SOURCE, target="x.dlq", tally=tally)
    with pytest.raises(KafkaTimeoutError):
        aside.put(sorted_out({"p": [Record(b"{")]})[1])
    assert 0 == tally.count("notify-sms", SOURCE, "not_json")

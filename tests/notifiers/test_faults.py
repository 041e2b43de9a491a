"""An error that nobody had foreseen stays with what it is about: everybody else's message goes, and it is told of."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
import structlog
from sqlalchemy import Engine

from infra.database.engine import reading
from infra.database.send_doubts import notes_of
from infra.database.send_values import Job
from notifiers.channel import Message, Receipt, UncertainError
from notifiers.dispatch import Dispatcher, sendings_tally
from notifiers.gates import law
from notifiers.gates.gate import Candidate, Wait
from schemas.facts import ReminderDecided
from schemas.fields import Channel
from schemas.law import LawTerms
from tests.notifiers.sending import (
    RENDERER,
    ScriptedChannel,
    ScriptedTracer,
    SettableClock,
    dispatcher,
    job_row,
    know,
    read,
    reminder,
    states,
)

ALL = ("r1", "r2", "r3")
OTHERS = {"r1/email": "accepted", "r3/email": "accepted"}


@dataclass
class Broken:
    """Whatever breaks over r2, until it is mended."""

    is_mended: bool = False
    seen: list[str] = field(default_factory=list)

    def over(self, name: str) -> None:
        """Break over r2."""
        self.seen.append(name)
        if name == "r2" and not self.is_mended:
            raise KeyError("what nobody foresaw")


@dataclass
class House:
    """A loop with a clock, and what it has told."""

    engine: Engine
    clock: SettableClock = field(default_factory=SettableClock)

    def __post_init__(self) -> None:
        """Know the account."""
        self.sendings = sendings_tally(channels=["email"])
        know(self.engine)

    def loop(
        self, channel: ScriptedChannel | None = None, *, terms: LawTerms | None = None, **more: Any
    ) -> Dispatcher:
        """Open the loop, with three reminders."""
        made = dispatcher(
            self.engine,
            channel=channel or ScriptedChannel(),
            clock=self.clock,
            sendings=self.sendings,
            **more,
        )
        made.record([read(msgspec.structs.replace(reminder(name), law=terms)) for name in ALL])
        return made

    def run(self, loop: Dispatcher) -> list[tuple[str, str, str]]:
        """Run until nothing moves; give which faults were told: event, reminder, where."""
        with structlog.testing.capture_logs() as told:
            while loop.run(partitions=[0]):
                pass
        return [
            (each["event"], each["reminder"], each["within"])
            for each in told
            if each["event"] == "send_broke"
        ]

    def faults(self) -> int:
        """Read how many were counted."""
        return self.sendings.count("email", "fault")


@pytest.fixture
def house(engine: Engine) -> House:
    """Give one on either database."""
    return House(engine)


def test_a_client_that_breaks_when_it_is_asked_leaves_the_doubt_open(house: House) -> None:
    """A library's error in `find` ended all channels: now the doubt stays, is asked about ever later, and ends when it is mended."""
    broken = Broken()

    class Tracer(ScriptedTracer):
        def find(self, message: Message) -> Receipt | None:
            broken.over(message.reminder)
            return super().find(message)

    tracer = Tracer(answers=[UncertainError("cut")] * 3, taken=set(ALL))
    loop = house.loop(tracer)
    told = house.run(loop)
    assert ([("send_broke", "r2", "find")], 1) == (told, house.faults())
    assert OTHERS | {"r2/email": "unknown"} == states(house.engine)
    waits = []
    for _ in range(3):
        ask_at = job_row(house.engine, "r2")["ask_at"]
        assert isinstance(ask_at, datetime.datetime)
        waits.append((ask_at - house.clock.now).total_seconds())
        house.clock.now = ask_at
        assert 0 == loop.look_after(partitions=[0])
    assert [30.0, 30.0, 60.0] == waits
    assert 4 == house.faults()
    broken.is_mended = True
    house.clock.pass_s(3_600)
    assert 1 == loop.look_after(partitions=[0])
    assert OTHERS | {"r2/email": "accepted"} == states(house.engine)
    with reading(house.engine) as connection:
        notes = notes_of(connection, reminder="r2", channel="email")
    assert ["no_answer", *["not_asked"] * 3, "asked"] == [each.what for each in notes]
    assert "asking the provider failed: KeyError" == notes[1].detail


def test_a_takeover_is_not_ended_by_a_client_that_breaks(house: House) -> None:
    """What a dead notifier left is cleared up one by one: each is taken, or held with its evidence."""
    broken = Broken()

    class Dies(ScriptedChannel):
        def send(self, message: Message) -> Receipt:
            raise KeyboardInterrupt

    class Tracer(ScriptedTracer):
        def find(self, message: Message) -> Receipt | None:
            broken.over(message.reminder)
            return super().find(message)

    for name in ALL:
        dead = dispatcher(house.engine, channel=Dies(), owner=f"dead-{name}", clock=house.clock)
        dead.record([read(reminder(name))])
        with pytest.raises(KeyboardInterrupt):
            dead.run(partitions=[0])
    heir = house.loop(Tracer(taken=set(ALL)), owner="heir")
    heir.recover(partitions=[0])
    assert OTHERS | {"r2/email": "unknown"} == states(house.engine)


def _writing(broken: Broken) -> Any:
    def render(asked: ReminderDecided, channel: Channel) -> Message:
        broken.over(asked.id)
        return RENDERER.message(asked, channel)

    return {"render": render}


def _gating(broken: Broken) -> Any:
    class Gate:
        def waits(self, candidates: Sequence[Candidate], *, now: datetime.datetime) -> Mapping[str, Wait]:
            for each in candidates:
                broken.over(each.job.reminder)
            return {}

    return {"gates": [Gate()]}


def _preparing(broken: Broken) -> Any:
    def prepare(jobs: Sequence[Job]) -> None:
        for each in jobs:
            broken.over(each.reminder)

    return {"prepare": prepare}


@pytest.mark.parametrize(("made_of", "within"), [(_writing, "write"), (_gating, "gate")])
def test_what_breaks_before_the_call_waits_alone(house: House, made_of: Any, within: str) -> None:
    """A text, a gate that breaks over one customer: the message waits, ever longer, and goes when that is mended. No try ends it."""
    broken = Broken()
    channel = ScriptedChannel()
    loop = house.loop(channel, **made_of(broken))
    assert [("send_broke", "r2", within)] == house.run(loop)
    assert OTHERS | {"r2/email": "scheduled"} == states(house.engine)
    for _ in range(10):  # MANNER gives up after three tries what a provider puts off
        house.clock.pass_s(60)
        house.run(loop)
    assert 11 == house.faults() == broken.seen.count("r2") - (within == "gate")
    assert OTHERS | {"r2/email": "scheduled"} == states(house.engine)
    broken.is_mended = True
    house.clock.pass_s(60)
    house.run(loop)
    assert sorted(ALL) == sorted(channel.asked)


def test_what_prepares_may_break_and_all_messages_go(house: House) -> None:
    """What it would have fetched is fetched when each is written."""
    loop = house.loop(**_preparing(Broken()))
    house.run(loop)
    assert (OTHERS | {"r2/email": "accepted"}, 1) == (states(house.engine), house.faults())


def test_a_mark_that_cannot_be_made_keeps_no_message_back(house: House) -> None:
    """It only tells doubts apart."""
    broken = Broken()

    class Marking(ScriptedChannel):
        def mark(self, message: Message) -> str:
            broken.over(message.reminder)
            return message.reminder

    assert [("send_broke", "r2", "send")] == house.run(house.loop(Marking()))
    assert OTHERS | {"r2/email": "accepted"} == states(house.engine)
    assert ["r1", "", "r3"] == [job_row(house.engine, name)["mark"] for name in ALL]


def test_upkeep_that_breaks_ends_nothing(house: House) -> None:
    """A print run that cannot be closed keeps no letter waiting."""

    class Tended(ScriptedChannel):
        def tend(self) -> None:
            raise ValueError("what nobody foresaw")

    loop = house.loop(Tended())
    loop.tend()
    house.run(loop)
    assert (OTHERS | {"r2/email": "accepted"}, 1) == (states(house.engine), house.faults())


def test_who_cannot_be_judged_by_the_law_is_not_written_to(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Quiet hours that cannot be told hold back this message; others go."""
    broken, judged = Broken(), law.allowed_at

    def allowed_at(engine: Engine, job: Job, **more: Any) -> datetime.datetime:
        broken.over(job.reminder)
        return judged(engine, job, **more)

    monkeypatch.setattr("notifiers.dispatch.allowed_at", allowed_at)
    channel = ScriptedChannel()
    loop = house.loop(channel, terms=LawTerms(profile="none", time_zone="UTC"))
    assert [("send_broke", "r2", "law")] == house.run(loop)
    assert (["r1", "r3"], OTHERS | {"r2/email": "scheduled"}) == (channel.asked, states(house.engine))
    broken.is_mended = True
    house.clock.pass_s(60)
    house.run(loop)
    assert ["r1", "r3", "r2"] == channel.asked

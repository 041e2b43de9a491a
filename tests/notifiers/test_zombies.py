"""A worker that is frozen with a message in its hands, replaced, and wakes: the provider is not called twice."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Engine

from infra.database.engine import reading
from infra.database.send_doubts import notes_of
from notifiers.channel import Message, Receipt, TemporaryError, Traits
from notifiers.dispatch import Dispatcher
from tests.notifiers.sending import (
    TICK,
    ScriptedChannel,
    SettableClock,
    dispatcher,
    job_row,
    know,
    read,
    reminder,
    states,
)


@dataclass
class Slow(ScriptedChannel):
    """A provider during whose calls something else happens."""

    meanwhile: Callable[[], None] = lambda: None

    def send(self, message: Message) -> Receipt:
        """Take it, and take long."""
        self.meanwhile()
        return super().send(message)


@dataclass
class Traced(ScriptedChannel):
    """A provider that can be asked, now and then, and shows late what it has."""

    traits: Traits = field(default_factory=lambda: Traits(provider="traced", settles_s=20.0))
    found: list[Receipt | Exception | None] = field(default_factory=list)

    def find(self, message: Message) -> Receipt | None:
        """Answer as told; then that it has nothing."""
        answer = self.found.pop(0) if self.found else None
        if isinstance(answer, Exception):
            raise answer
        return answer


def _left_in_the_middle(engine: Engine, heir: Dispatcher, *, clock: SettableClock) -> None:
    """Leave r1 with a worker that has written its intent and says nothing any more."""

    class Dead(ScriptedChannel):
        def send(self, message: Message) -> Receipt:
            raise KeyboardInterrupt

    dead = dispatcher(engine, channel=Dead(), owner="dead", clock=clock)
    know(engine)
    heir.record([read(reminder())])
    try:
        dead.run(partitions=[0])
    except KeyboardInterrupt:
        return
    raise AssertionError("it was to die")


def _words(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return [note.what for note in notes_of(connection, reminder="r1", channel="email")]


def test_frozen_with_a_claim_it_calls_nobody(engine: Engine) -> None:
    """Replaced between claim and intent: the intent finds that the claim is gone."""
    clock = SettableClock()
    heirs, old = ScriptedChannel(), ScriptedChannel()
    heir = dispatcher(engine, channel=heirs, owner="heir", clock=clock)

    def replaced(*_: object) -> None:
        heir.recover(partitions=[0])
        heir.run(partitions=[0])

    frozen = dispatcher(engine, channel=old, owner="old", clock=clock)
    carry, frozen._carry = frozen._carry, lambda *a, **k: (replaced(), carry(*a, **k))[1]  # type: ignore[method-assign, func-returns-value]
    know(engine)
    heir.record([read(reminder())])
    frozen.run(partitions=[0])
    assert (["r1"], [], {"r1/email": "accepted"}) == (heirs.asked, old.asked, states(engine))


@dataclass
class FreezingClock(SettableClock):
    """A clock of a worker that is frozen for half a minute between its intent and its call.

    After the intent it is read once to note when that was; what is read next is after the pause.
    """

    is_intended: Callable[[], bool] = lambda: False
    meanwhile: Callable[[], None] = lambda: None
    reads: int = 0

    def __call__(self) -> datetime.datetime:
        """Read it."""
        if self.reads < 2 and self.is_intended():
            self.reads += 1
            if self.reads == 2:
                self.pass_s(30)
                self.meanwhile()
        return self.now


def test_frozen_between_intent_and_call_it_does_not_call(engine: Engine) -> None:
    """The intent has become too old: not its own any more, it calls nobody and says so, which ends the doubt."""
    heirs, old = ScriptedChannel(), ScriptedChannel()
    heir = dispatcher(engine, channel=heirs, owner="heir", is_gone=lambda _: False)
    clock = FreezingClock(
        is_intended=lambda: states(engine) == {"r1/email": "sending"},
        meanwhile=lambda: heir.recover(partitions=[0]),
    )
    frozen = dispatcher(engine, channel=old, owner="old", clock=clock)
    know(engine)
    heir.record([read(reminder())])
    frozen.run(partitions=[0])
    assert ([], ["interrupted", "late_word"]) == (old.asked, _words(engine))
    assert {"r1/email": "scheduled"} == states(engine)
    heir.run(partitions=[0])
    assert (["r1"], {"r1/email": "accepted"}) == (heirs.asked, states(engine))


def test_frozen_and_not_replaced_it_goes_on(engine: Engine) -> None:
    """Nobody has taken its place: it looks at claim and account once more, at the next round, and calls once."""
    clock = FreezingClock(is_intended=lambda: states(engine) == {"r1/email": "sending"})
    channel = ScriptedChannel()
    frozen = dispatcher(engine, channel=channel, owner="old", clock=clock)
    know(engine)
    frozen.record([read(reminder())])
    frozen.run(partitions=[0])
    assert ([], {"r1/email": "scheduled"}) == (channel.asked, states(engine))
    frozen.run(partitions=[0])
    assert (["r1"], 1) == (channel.asked, job_row(engine)["attempts"])


def test_frozen_during_the_call_its_word_still_counts(engine: Engine) -> None:
    """Taken for dead while it was sending, it wakes with the provider's receipt: that ends the doubt."""
    clock = SettableClock()
    heir = dispatcher(
        engine, channel=(heirs := ScriptedChannel()), owner="heir", clock=clock, is_gone=lambda _: False
    )
    old = Slow(meanwhile=lambda: heir.recover(partitions=[0]))
    frozen = dispatcher(engine, channel=old, owner="old", clock=clock)
    know(engine)
    heir.record([read(reminder())])
    frozen.run(partitions=[0])
    row = job_row(engine)
    assert (["r1"], []) == (old.asked, heirs.asked)
    assert ("accepted", "id-r1", False) == (row["state"], row["provider_id"], row["published"])
    assert ["interrupted", "late_word"] == _words(engine)


def test_a_no_is_not_believed_while_the_worker_may_wake(engine: Engine) -> None:
    """The provider has not got it yet; a frozen worker may still bring it: held, and asked later, never sent again."""
    clock = SettableClock()
    channel = Traced()
    heir = dispatcher(engine, channel=channel, owner="heir", clock=clock, is_gone=lambda _: False)
    _left_in_the_middle(engine, heir, clock=clock)
    clock.pass_s(3600)
    heir.recover(partitions=[0])
    assert ({"r1/email": "unknown"}, []) == (states(engine), channel.asked)


def test_a_no_is_believed_of_the_dead_once_it_has_settled(engine: Engine) -> None:
    """Nobody can bring it any more, and the provider has had time to show it: it goes, once."""
    clock = SettableClock()
    channel = Traced()
    heir = dispatcher(engine, channel=channel, owner="heir", clock=clock)
    _left_in_the_middle(engine, heir, clock=clock)
    heir.recover(partitions=[0])
    assert {"r1/email": "unknown"} == states(engine)
    clock.pass_s(31)
    know(engine, clock=TICK)
    assert 1 == heir.look_after(partitions=[0])
    assert {"r1/email": "scheduled"} == states(engine)
    heir.run(partitions=[0])
    assert (["r1"], ["interrupted", "asked"]) == (channel.asked, _words(engine))


def test_a_provider_that_cannot_be_asked_is_asked_later(engine: Engine) -> None:
    """Away when the doubt came up; half a minute later it has the message: accepted, without a person."""
    clock = SettableClock()
    channel = Traced(found=[TemporaryError("away"), TemporaryError("away"), Receipt(provider_id="p-7")])
    heir = dispatcher(engine, channel=channel, owner="heir", clock=clock)
    _left_in_the_middle(engine, heir, clock=clock)
    heir.recover(partitions=[0])
    row = job_row(engine)
    assert ("unknown", clock.now + datetime.timedelta(seconds=30)) == (row["state"], row["ask_at"])
    clock.pass_s(31)
    heir.look_after(partitions=[0])
    assert {"r1/email": "unknown"} == states(engine)
    clock.pass_s(61)
    heir.look_after(partitions=[0])
    row = job_row(engine)
    assert ("accepted", "p-7", []) == (row["state"], row["provider_id"], channel.asked)
    assert ["interrupted", "not_asked", "asked"] == _words(engine)


def test_what_a_woken_worker_took_and_left_is_found_in_time(engine: Engine) -> None:
    """A worker that nobody replaced any more dies with a claim: its successor looks again every few seconds."""
    clock = SettableClock()
    gone: set[str] = set()
    channel = ScriptedChannel()
    heir = dispatcher(
        engine, channel=channel, owner="heir", clock=clock, is_gone=lambda job: job.owner in gone
    )
    heir.recover(partitions=[0])
    _left_in_the_middle(engine, heir, clock=clock)
    heir.look_after(partitions=[0])
    assert {"r1/email": "sending"} == states(engine)
    gone.add("dead")
    clock.pass_s(5)
    heir.look_after(partitions=[0])
    assert {"r1/email": "unknown"} == states(engine)


def test_held_for_a_minute_it_is_taken_for_gone(engine: Engine) -> None:
    """Where nobody can know whether a worker exists, a minute decides; what it held is in doubt."""
    clock = SettableClock()
    heir = dispatcher(engine, channel=ScriptedChannel(), owner="heir", clock=clock, is_gone=lambda _: False)
    _left_in_the_middle(engine, heir, clock=clock)
    clock.pass_s(59)
    heir.look_after(partitions=[0])
    assert {"r1/email": "sending"} == states(engine)
    clock.pass_s(5)
    heir.look_after(partitions=[0])
    assert {"r1/email": "unknown"} == states(engine)

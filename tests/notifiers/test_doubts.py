"""A call that ended without an answer, by a worker that lives on: the provider's word ends the doubt, without a person."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from sqlalchemy import Engine

from infra.database.engine import reading
from infra.database.send_doubts import notes_of
from infra.database.send_values import Job
from notifiers.channel import Message, Receipt, TemporaryError, Traits, UncertainError
from notifiers.dispatch import Dispatcher
from tests.notifiers.sending import (
    SettableClock,
    dispatcher,
    job_row,
    know,
    read,
    reminder,
    states,
)


def _nothing() -> None:
    """Nothing happens meanwhile."""


@dataclass
class Traced:
    """A provider that answers as told, keeps what it took, and can be asked; it may take 20 s to show what it has."""

    answers: list[Exception] = field(default_factory=list)
    meanwhile: Callable[[], None] = _nothing
    settles_s: float = 20.0
    takes: bool = False
    asked: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)

    @property
    def traits(self) -> Traits:
        """It may show late what it has."""
        return Traits(provider="traced", settles_s=self.settles_s)

    def send(self, message: Message) -> Receipt:
        """Take it; or answer as told, and take it only if so told."""
        self.asked.append(message.reminder)
        self.meanwhile()
        if self.answers:
            if self.takes:
                self.taken.append(message.reminder)
            raise self.answers.pop(0)
        self.taken.append(message.reminder)
        return Receipt(provider_id=f"id-{message.reminder}")

    def find(self, message: Message) -> Receipt | None:
        """Say whether it has it."""
        return Receipt(provider_id="found") if message.reminder in self.taken else None


def _nobody_is_gone(_: Job) -> bool:
    return False


def _at_work(engine: Engine, channel: Traced, *, clock: SettableClock, owner: str = "me") -> Dispatcher:
    """Give a worker that exists all the while, as every other one does."""
    return dispatcher(engine, channel=channel, owner=owner, clock=clock, is_gone=_nobody_is_gone)


def _words(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return [note.what for note in notes_of(connection, reminder="r1", channel="email")]


def _details(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return [note.detail for note in notes_of(connection, reminder="r1", channel="email")]


def _asked_by_hand(worker: Dispatcher) -> str:
    """Ask at once, as a person may (``cobranza deliveries ask``)."""
    job = worker._ledger.job("r1")
    assert job is not None
    return worker._arbiter.ask_about(job)


def test_no_answer_and_not_taken_goes_again_while_its_worker_lives_on(engine: Engine) -> None:
    """The line broke before the provider had it: asked half a minute later, it says no, and the message goes, once."""
    clock = SettableClock()
    channel = Traced(answers=[UncertainError("no answer")])
    worker = _at_work(engine, channel, clock=clock)
    know(engine)
    worker.record([read(reminder())])
    worker.run(partitions=[0])
    assert {"r1/email": "unknown"} == states(engine)
    clock.pass_s(31)
    assert 1 == worker.look_after(partitions=[0])
    worker.run(partitions=[0])
    assert ({"r1/email": "accepted"}, ["r1"]) == (states(engine), channel.taken)
    assert ["no_answer", "asked"] == _words(engine)


def test_no_answer_and_taken_is_accepted(engine: Engine) -> None:
    """The line broke after the provider had it, which it can say at once: nobody is asked, and nothing is sent again."""
    clock = SettableClock()
    channel = Traced(answers=[UncertainError("no answer")], takes=True)
    worker = _at_work(engine, channel, clock=clock)
    know(engine)
    worker.record([read(reminder())])
    worker.run(partitions=[0])
    assert ({"r1/email": "accepted"}, ["r1"]) == (states(engine), channel.asked)


def test_asked_before_the_provider_can_show_it_the_doubt_stays(engine: Engine) -> None:
    """A no counts only when what was handed over would be there to be seen; the note says until when."""
    clock = SettableClock()
    channel = Traced(answers=[UncertainError("no answer")], settles_s=90.0)
    worker = _at_work(engine, channel, clock=clock)
    know(engine)
    worker.record([read(reminder())])
    worker.run(partitions=[0])
    assert clock.now + datetime.timedelta(seconds=90) == job_row(engine)["ask_at"]
    clock.pass_s(89)
    assert ("cannot say", {"r1/email": "unknown"}) == (_asked_by_hand(worker), states(engine))
    said = "the provider has not got it, and may need 90 s to show what it has"
    assert said == _details(engine)[-1]
    clock.pass_s(200)
    assert 1 == worker.look_after(partitions=[0])
    assert {"r1/email": "scheduled"} == states(engine)


@pytest.mark.parametrize("settles_s", [0.0, 20.0])
def test_woken_without_an_answer_a_worker_says_that_its_call_is_over(
    engine: Engine, settles_s: float
) -> None:
    """Frozen in its call and replaced, it wakes to a broken line: from then on the provider's no counts, if at once or later."""
    clock = SettableClock()
    heirs = Traced(settles_s=settles_s)
    heir = _at_work(engine, heirs, clock=clock, owner="heir")
    old = Traced(
        answers=[UncertainError("no answer")],
        meanwhile=lambda: heir.recover(partitions=[0]),
        settles_s=settles_s,
    )
    frozen = _at_work(engine, old, clock=clock, owner="old")
    know(engine)
    heir.record([read(reminder())])
    frozen.run(partitions=[0])
    clock.pass_s(31)
    heir.look_after(partitions=[0])
    heir.run(partitions=[0])
    assert ({"r1/email": "accepted"}, ["r1"], []) == (states(engine), heirs.taken, old.taken)


def test_woken_to_a_refusal_for_now_a_worker_ends_the_doubt(engine: Engine) -> None:
    """Frozen in its call and replaced, it wakes to "try again later": it was surely not taken, and its heir may send it."""
    clock = SettableClock()
    heirs = Traced()
    heir = _at_work(engine, heirs, clock=clock, owner="heir")
    old = Traced(answers=[TemporaryError("429")], meanwhile=lambda: heir.recover(partitions=[0]))
    frozen = _at_work(engine, old, clock=clock, owner="old")
    know(engine)
    heir.record([read(reminder())])
    frozen.run(partitions=[0])
    assert {"r1/email": "scheduled"} == states(engine)
    heir.run(partitions=[0])
    assert ({"r1/email": "accepted"}, ["r1"]) == (states(engine), heirs.taken)
    assert ["interrupted", "late_word"] == _words(engine)


def test_while_a_frozen_worker_may_wake_asking_again_ends_nothing(engine: Engine) -> None:
    """It says nothing and is not known to be gone: the provider's no is noted as what it is, ever more seldom."""
    clock = SettableClock()
    heirs = Traced()
    heir = _at_work(engine, heirs, clock=clock, owner="heir")

    class Never(Traced):
        def send(self, message: Message) -> Receipt:
            """Come back after the test."""
            raise KeyboardInterrupt

    frozen = _at_work(engine, Never(), clock=clock, owner="old")
    know(engine)
    heir.record([read(reminder())])
    with pytest.raises(KeyboardInterrupt):
        frozen.run(partitions=[0])
    heir.recover(partitions=[0])
    for hours in (1, 1, 2):  # after as long again as the doubt is old
        clock.pass_s(hours * 3_600)
        assert 0 == heir.look_after(partitions=[0])
    assert ({"r1/email": "unknown"}, []) == (states(engine), heirs.asked)
    said = "the provider has not got it, and its worker may still bring it"
    assert [said] * 3 == _details(engine)[1:]

"""A provider that says how long it is to be left alone is not asked before, within a bound, by none of our partitions."""

import datetime
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from notifiers.channel import Message, Receipt, TemporaryError, UncertainError
from notifiers.dispatch import Dispatcher, Manner
from notifiers.gates.rate import Rate
from notifiers.outages import Outages
from notifiers.retry_after import asked_wait_s
from notifiers.worker import Worker
from tests.notifiers.sending import (
    MANNER,
    TICK,
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

YEAR_S = 365 * 86_400.0
DATE = ("Date", "Sun, 04 Mar 2012 12:00:00 GMT")


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ([("Retry-After", "120")], 120.0),
        ([("retry-after", " 7 ")], 7.0),
        ([("Retry-After", "Sun, 04 Mar 2012 12:10:00 GMT"), DATE], 600.0),
        ([("Retry-After", "Sun, 04 Mar 2012 14:10:00 +0200"), DATE], 600.0),
        ([("Retry-After", "Sun, 04 Mar 2012 11:00:00 GMT"), DATE], 0.0),
        ([("Retry-After", "Sun, 04 Mar 2012 12:10:00 GMT")], 0.0),
        ([("Retry-After", "Sun, 04 Mar 2012 12:10:00 GMT"), ("Date", "today")], 0.0),
        ([("Retry-After", "120.0")], 120.0),
        ([("Retry-After", "120, 120")], 120.0),
        ([("Retry-After", "soon, 60 ,300")], 300.0),
        ([("Retry-After", "60"), ("Retry-After", "300")], 300.0),
        ([("x-amz-retry-after", "1500"), ("Retry-After", "9")], 9.0),
        ([("x-amz-retry-after", "1500"), ("Retry-After", "1")], 1.5),
        ([("x-amz-retry-after", "0"), ("Retry-After", "120")], 120.0),
        ([("x-amz-retry-after", "0"), ("Retry-After", "Sun, 04 Mar 2012 12:10:00 GMT"), DATE], 600.0),
        ([("x-amz-retry-after", "soon"), ("Retry-After", "9")], 9.0),
        *(([("Retry-After", text)], 0.0) for text in ("", "-1", "1e3", ".", "inf", "nan", "soon", "١٢")),
        ([], 0.0),
    ],
)
def test_what_an_answer_asks_for(headers: list[tuple[str, str]], wait_s: float) -> None:
    """Seconds, an instant (from that of the answer: clocks differ), Amazon's milliseconds; what cannot be read asks for nothing."""
    assert wait_s == asked_wait_s(headers)


@pytest.mark.parametrize("said", ["9" * 10, "9" * 400, "Thu, 04 Mar 9999 12:00:00 GMT"])
def test_who_asks_for_ages_asks_for_no_less_than_the_bound(said: str) -> None:
    """A number that is too large is no word that cannot be read: what is set bounds it, a day at most."""
    assert YEAR_S == asked_wait_s([("Retry-After", said), DATE])


def throttled(wait_s: float, *, provider_down: bool = True, sender_refused: bool = False) -> TemporaryError:
    """Make a provider's answer that says when to come again."""
    return TemporaryError(
        "429", provider_down=provider_down, sender_refused=sender_refused, retry_after_s=wait_s
    )


@pytest.mark.parametrize(
    "answer",
    [throttled(600.0), throttled(600.0, sender_refused=True), throttled(600.0, provider_down=False)],
    ids=["of everybody", "of this company", "of this message"],
)
def test_it_is_not_asked_before(engine: Engine, answer: TemporaryError) -> None:
    """Our own wait would be ten seconds; the row says until when it waits, and then it goes."""
    clock, channel = SettableClock(), ScriptedChannel(answers=[answer])
    loop = dispatcher(engine, channel=channel, clock=clock)
    know(engine)
    loop.record([read(reminder())])
    loop.run(partitions=[0])
    assert clock.now + datetime.timedelta(seconds=600) == job_row(engine)["retry_at"]
    clock.pass_s(599)
    assert (0, ["r1"]) == (loop.run(partitions=[0]), channel.asked)
    clock.pass_s(2)
    loop.run(partitions=[0])
    assert {"r1/email": "accepted"} == states(engine)


def test_who_waits_as_he_was_asked_to_rests_and_is_ready(engine: Engine) -> None:
    """Once: who is refused again after that is up against a provider that takes nothing; so is who was told nothing."""
    clock, answers = SettableClock(), [throttled(600.0), throttled(600.0), TemporaryError("down")]
    loop = dispatcher(engine, channel=ScriptedChannel(answers=[*answers]), clock=clock)
    know(engine)
    loop.record([read(reminder())])
    assert ("", "") == words(loop)
    loop.run(partitions=[0])
    assert words(loop) == (
        "",
        "rests until 2012-03-04 12:10:00 UTC, as the provider has asked (Retry-After): no fault",
    )
    clock.pass_s(600)
    assert ("", "") == words(loop)
    loop.run(partitions=[0])
    down = "the provider takes nothing at present, and is tried again at 2012-03-04 12:20:00 UTC"
    assert (down, "") == words(loop)
    clock.pass_s(600)
    loop.run(partitions=[0])
    assert words(loop)[0].startswith("the provider takes nothing at present")


def test_who_keeps_to_the_pace_that_is_set_rests(engine: Engine) -> None:
    """One letter in a hundred seconds: the second waits, and nothing is wrong."""
    clock = SettableClock()
    pace = Rate(engine, provider="post", per_s=0.01)
    loop = dispatcher(engine, channel=ScriptedChannel(), clock=clock, gates=[pace])
    for number in range(2):
        know(engine, account=f"acme:C{number}")
        loop.record([read(reminder(f"r{number}", account=f"acme:C{number}"))])
    loop.run(partitions=[0])
    assert words(loop) == (
        "",
        "rests until 2012-03-04 12:01:40 UTC, at the pace that is set (COBRANZA_SEND_RATE_…): no fault",
    )


def words(loop: Dispatcher) -> tuple[str, str]:
    """Give what its worker says at `/readyz`: why it is not ready, and why it rests."""
    nothing: Any = None
    worker = Worker(
        reader=nothing, source="", outcomes=nothing, ledger=loop._ledger, dispatcher=loop,
        aside=nothing, still_present=nothing,
    )  # fmt: skip
    worker._partitions = [0]
    return worker._waiting_for()


def test_our_own_wait_holds_where_it_is_longer(engine: Engine) -> None:
    """A second is less than the ten that we wait."""
    clock, channel = SettableClock(), ScriptedChannel(answers=[throttled(1.0)])
    loop = dispatcher(engine, channel=channel, clock=clock, manner=replace(MANNER, retry_s_first=20.0))
    know(engine)
    loop.record([read(reminder())])
    loop.run(partitions=[0])
    assert clock.now + datetime.timedelta(seconds=10) == job_row(engine)["retry_at"]


@pytest.mark.parametrize(("bound_s", "wait_s"), [(3_600.0, 3_600.0), (90.0, 90.0), (0.0, 5.0)])
def test_nobody_has_us_wait_for_days(engine: Engine, bound_s: float, wait_s: float) -> None:
    """An hour by default: a provider that says a year is asked again; with 0 it is not heeded."""
    clock, channel = SettableClock(), ScriptedChannel(answers=[throttled(365 * 86_400.0)])
    manner: Manner = replace(MANNER, retry_after_s_max=bound_s)
    loop = dispatcher(engine, channel=channel, clock=clock, manner=manner)
    know(engine)
    loop.record([read(reminder())])
    loop.run(partitions=[0])
    assert clock.now + datetime.timedelta(seconds=wait_s) == job_row(engine)["retry_at"]


def test_all_partitions_wait(engine: Engine) -> None:
    """It speaks to us, not to one partition: what is of another one does not ask it a moment later."""
    clock, channel = SettableClock(), ScriptedChannel(answers=[throttled(600.0)])
    loop = dispatcher(engine, channel=channel, clock=clock)
    for number in range(3):
        account = f"acme:C{number}"
        know(engine, account=account, partition=number)
        loop.record([read(reminder(f"r{number}", account=account), partition=number)])
    while loop.run(partitions=[0, 1, 2]):
        pass
    assert (1, {0, 1, 2}) == (len(channel.asked), loop.closed)
    clock.pass_s(601)
    while loop.run(partitions=[0, 1, 2]):
        pass
    assert {"accepted"} == set(states(engine).values())


def test_who_has_not_tried_waits_no_longer_for_the_tries_of_others(engine: Engine) -> None:
    """One partition is refused four times; another one's first letter to fail waits ten seconds, not eighty."""
    clock, channel = SettableClock(), ScriptedChannel(answers=[throttled(1.0) for _ in range(5)])
    manner = replace(MANNER, retry_s_first=20.0, retry_s_max=1_000.0)
    loop = dispatcher(engine, channel=channel, clock=clock, manner=manner)
    know(engine)
    loop.record([read(reminder())])
    for wait_s in (10, 20, 40, 80):
        loop.run(partitions=[0, 1])
        assert clock.now + datetime.timedelta(seconds=wait_s) == job_row(engine)["retry_at"]
        assert {0, 1} == loop.closed
        clock.pass_s(2)
        assert {0} == loop.closed
        clock.pass_s(wait_s - 1)
    know(engine, account="acme:C2", partition=1)
    loop.record([read(reminder("r2", account="acme:C2"), partition=1)])
    loop.run(partitions=[1])
    assert clock.now + datetime.timedelta(seconds=10) == job_row(engine, "r2")["retry_at"]


def test_what_waited_for_another_s_try_waits_no_more_once_one_of_its_own_is_judged(engine: Engine) -> None:
    """It began to wait with the provider's word, and does not count as waiting when it has gone on."""
    clock, channel = SettableClock(), ScriptedChannel(answers=[throttled(600.0)])
    loop = dispatcher(engine, channel=channel, clock=clock)
    for number in range(2):
        know(engine, account=f"acme:C{number}", partition=number)
    loop.record([read(reminder("r0", account="acme:C0"), partition=0)])
    loop.record([read(reminder(name, account="acme:C1"), partition=1) for name in ("r1", "r2")])
    loop.run(partitions=[0, 1])
    assert 1 == len(channel.asked)
    assert all(job_row(engine, name)["waits_since"] is not None for name in ("r0", "r1", "r2"))
    clock.pass_s(601)
    while loop.run(partitions=[0, 1]):
        pass
    assert {"accepted"} == set(states(engine).values())


def test_a_try_side_by_side_with_one_that_stopped_all_counts() -> None:
    """Its own answer makes its own wait longer the next time; what it was told meanwhile holds, too."""
    clock = SettableClock()
    waits = {1: 10, 2: 20}
    outages = Outages[int](
        clock=clock, retry_at=lambda tries: clock.now + datetime.timedelta(seconds=waits[tries])
    )
    told = clock.now + datetime.timedelta(seconds=15)
    assert told == outages.rest(0, least=told) == outages.down(0)
    clock.pass_s(15)
    assert clock.now + datetime.timedelta(seconds=20) == outages.down(0)
    assert (True, False) == (outages.answered(0), outages.answered(0))
    outages.rest(1, least=clock.now)
    assert (True, False) == (outages.answered(1), outages.answered(1))


def test_of_answers_side_by_side_the_longest_wait_holds() -> None:
    """They are one outage, whichever of them comes first."""
    clock = SettableClock()
    outages = Outages[int](clock=clock, retry_at=lambda _: clock.now + datetime.timedelta(seconds=10))
    for wait_s, until_s in ((60, 60), (900, 900), (5, 900)):
        least = clock.now + datetime.timedelta(seconds=wait_s)
        assert clock.now + datetime.timedelta(seconds=until_s) == outages.down(0, least=least)
    assert clock.now + datetime.timedelta(seconds=900) == outages.down(0)


def test_a_question_about_a_doubt_heeds_it_too(engine: Engine) -> None:
    """The list of messages is throttled like the sending of one."""

    class Busy(ScriptedTracer):
        def find(self, message: Message) -> Receipt | None:
            raise throttled(1_800.0)

    clock = SettableClock(TICK)
    loop = dispatcher(engine, channel=Busy(answers=[UncertainError("cut")]), clock=clock)
    know(engine)
    loop.record([read(reminder())])
    loop.run(partitions=[0])
    row = job_row(engine)
    assert ("unknown", clock.now + datetime.timedelta(seconds=1_800)) == (row["state"], row["ask_at"])
    clock.pass_s(1_801)
    loop.look_after(partitions=[0])
    assert clock.now + datetime.timedelta(seconds=1_801) == job_row(engine)["ask_at"]


def test_once_a_question_is_refused_no_other_doubt_is_asked_about_before(engine: Engine) -> None:
    """Three in doubt, one question: fifty in a round would be what the provider has just asked us not to do."""

    class Busy(ScriptedTracer):
        questions = 0
        is_busy = False

        def find(self, message: Message) -> Receipt | None:
            self.questions += 1
            if self.is_busy:
                raise throttled(1_800.0)
            raise TemporaryError("the list cannot be read")

    clock, channel = SettableClock(TICK), Busy(answers=[UncertainError("cut")] * 3)
    loop = dispatcher(engine, channel=channel, clock=clock)
    for number in range(3):
        know(engine, account=f"acme:C{number}")
        loop.record([read(reminder(f"r{number}", account=f"acme:C{number}"))])
    while loop.run(partitions=[0]):
        pass
    assert (3, {"unknown"}) == (channel.questions, set(states(engine).values()))
    channel.is_busy, channel.questions = True, 0
    clock.pass_s(3_600)
    for _ in range(3):
        loop.look_after(partitions=[0])
        clock.pass_s(590)
    assert 1 == channel.questions
    clock.pass_s(60)
    loop.look_after(partitions=[0])
    assert 2 == channel.questions
    channel.is_busy = False
    clock.pass_s(7_200)
    loop.look_after(partitions=[0])
    assert 2 + 3 == channel.questions


class _Asked(ScriptedTracer):
    """A provider that counts the questions, and asks for half an hour without any while it is busy."""

    questions = 0
    is_busy = True

    def find(self, message: Message) -> Receipt | None:
        """Say when to come again; or that it has it."""
        self.questions += 1
        if self.is_busy:
            raise throttled(1_800.0)
        return Receipt(provider_id="found")


def test_a_persons_question_heeds_it_too_and_is_put_when_it_may_be(engine: Engine) -> None:
    """`cobranza deliveries ask` is another process: it does not ask, says so, and the notifier asks when the wait is over."""
    clock, provider = SettableClock(TICK), _Asked(answers=[UncertainError("cut")] * 2)
    notifier, person = (
        dispatcher(engine, channel=provider, clock=clock, owner=owner) for owner in ("notifier", "")
    )
    for number in range(2):
        know(engine, account=f"acme:C{number}")
        notifier.record([read(reminder(f"r{number}", account=f"acme:C{number}"))])
    while notifier.run(partitions=[0]):
        pass
    assert 1 == provider.questions
    wait_ends = clock.now + datetime.timedelta(seconds=1_800)
    clock.pass_s(600)
    asking = person._arbiter
    for name in ("r0", "r1"):
        job = person._ledger.job(name)
        assert job is not None
        assert ("asked later", wait_ends) == (asking.ask_about(job), asking.asks_not_before())
        assert wait_ends == job_row(engine, name)["ask_at"]
    assert 1 == provider.questions
    clock.pass_s(1_201)
    provider.is_busy = False
    notifier.look_after(partitions=[0])
    assert (3, {"accepted"}) == (provider.questions, set(states(engine).values()))


def test_after_a_start_the_provider_is_left_alone_as_before(engine: Engine) -> None:
    """A doubt that comes up meanwhile waits for its question, too; a bound that is less, or none, ends the wait."""
    clock, provider = SettableClock(TICK), _Asked(answers=[UncertainError("cut")] * 2)
    for number in range(2):
        know(engine, account=f"acme:C{number}")
        loop = dispatcher(engine, channel=provider, clock=clock, owner=f"start {number}")
        loop.record([read(reminder(f"r{number}", account=f"acme:C{number}"))])
        loop.recover(partitions=[0])
        loop.run(partitions=[0])
        clock.pass_s(60)
    assert (1, {"unknown"}) == (provider.questions, set(states(engine).values()))
    for bound_s in (600.0, 0.0):
        manner = replace(MANNER, retry_after_s_max=bound_s)
        heedless = dispatcher(engine, channel=provider, clock=clock, manner=manner)
        assert heedless._arbiter.asks_not_before() is None


def test_a_clock_that_was_set_back_does_not_have_it_wait_for_days(engine: Engine) -> None:
    """What was noted by the wrong clock is no wish of the provider's."""
    clock, provider = SettableClock(TICK), _Asked(answers=[UncertainError("cut")])
    know(engine)
    loop = dispatcher(engine, channel=provider, clock=clock)
    loop.record([read(reminder())])
    loop.run(partitions=[0])
    assert loop._arbiter.asks_not_before() is not None
    clock.pass_s(-86_400)
    assert loop._arbiter.asks_not_before() is None

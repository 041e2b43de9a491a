"""Every wait has an end: of a provider, a cap, the law, the read model; then the next channel has its turn. Who waits holds up nobody else."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import pytest
from sqlalchemy import Engine

from infra.database.engine import reading
from infra.database.queries.standing import standing
from notifiers import dispatch
from notifiers.channel import Message, Receipt, TemporaryError, UncertainError
from notifiers.dispatch import Dispatcher, Manner
from notifiers.gates.gate import Candidate, Gate, Wait
from schemas.law import LawTerms
from tests.notifiers.sending import (
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

MANNER = Manner(doubt="hold", attempts_max=3, retry_s_first=10.0, retry_s_max=7_200.0)
ROUND = datetime.timedelta(hours=6)
FIVE_DAYS = datetime.timedelta(days=5)


@dataclass
class Relay(ScriptedChannel):
    """A mail server that answers for now, by company; or, without one named, to all."""

    refused: dict[str, TemporaryError] = field(default_factory=dict)

    def send(self, message: Message) -> Receipt:
        """Take it, unless it is refused."""
        self.asked.append(message.reminder)
        error = self.refused.get(message.sender.company) or self.refused.get("")
        if error is not None:
            raise error
        return Receipt(provider_id="taken")


GREYLISTED = TemporaryError("451 4.7.1 we do not know you yet", sender_refused=True)
DOWN = TemporaryError("connection refused")


@dataclass
class Full:
    """A gate that puts everything off until the next day, or for longer; it says why as told."""

    why: str
    days: int = 1

    def waits(self, candidates: Sequence[Candidate], *, now: datetime.datetime) -> Mapping[str, Wait]:
        """Put off; of a played journal by the newest tick."""
        return {each.job.reminder: self._wait(each, now=now) for each in candidates}

    def _wait(self, candidate: Candidate, *, now: datetime.datetime) -> Wait:
        at = now if candidate.job.mode == "live" else candidate.job.clock_at or now
        today = at.replace(hour=0, minute=0)
        return Wait(until=today + datetime.timedelta(days=self.days), why=self.why, detail=f"no {self.why}")


@dataclass
class Pace:
    """A bucket that is always empty: the channel waits, and no row says so."""

    def waits(self, candidates: Sequence[Candidate], *, now: datetime.datetime) -> Mapping[str, Wait]:
        """Hold all of them for a second."""
        until = now + datetime.timedelta(seconds=1)
        wait = Wait(until=until, why="rate", detail="once a day", by="wall", holds="channel")
        return {each.job.reminder: wait for each in candidates}


def _loop(
    engine: Engine,
    channel: ScriptedChannel,
    clock: SettableClock,
    manner: Manner = MANNER,
    gates: Sequence[Gate] = (),
) -> Dispatcher:
    return dispatcher(engine, channel=channel, clock=clock, manner=manner, gates=gates)


def _live_days(
    loop: Dispatcher, engine: Engine, clock: SettableClock, *, days: float, is_reader_there: bool = True
) -> None:
    """Work through days of a live journal, a round in six hours; the read model is there, or stands still."""
    until = clock.now + datetime.timedelta(days=days)
    while clock.now < until:
        clock.now += ROUND
        if is_reader_there:
            know(engine, clock=clock.now)
        loop.look_after(partitions=[0])
        while loop.run(partitions=[0]):
            pass


def _end(engine: Engine) -> tuple[object, object, object]:
    row = job_row(engine)
    return row["state"], row["error_type"], row["detail"]


def _pass(loop: Dispatcher, clock: SettableClock, *, until: datetime.datetime) -> None:
    """Work as a notifier does, as if a round took six hours."""
    while clock.now < until:
        clock.now += ROUND
        loop.look_after(partitions=[0])
        while loop.run(partitions=[0]):
            pass


def _expiring(engine: Engine, *, now: datetime.datetime) -> int:
    with reading(engine) as connection:
        return standing(connection, now=now).deliveries_expiring["email"]


def test_a_sender_that_is_always_answered_4xx_holds_up_no_other_company(engine: Engine) -> None:
    """Its mails are the longest due, one partition, one connection: the other company's go in the same round."""
    clock, relay = SettableClock(), Relay(refused={"acme": GREYLISTED})
    loop = _loop(engine, relay, clock)
    know(engine)
    know(engine, account="other:C1")
    made = [reminder(f"r{number}") for number in range(4)]
    loop.record([read(each) for each in (*made, reminder("s1", account="other:C1"))])
    while loop.run(partitions=[0]):
        pass
    assert ({"scheduled"}, "accepted") == (
        {states(engine)[f"{each.id}/email"] for each in made},
        states(engine)["s1/email"],
    )
    assert (["r0", "s1"], set()) == (relay.asked, loop.closed)


def test_a_sender_that_is_refused_for_five_days_is_given_up(engine: Engine) -> None:
    """RFC 5321, 4.5.4.1: mail servers try for four or five days. Then R19: the delivery has failed, and the next channel is asked.

    A day before, the exporter tells how many; all that waited with it ends with it, tried itself or not.
    """
    clock, relay = SettableClock(), Relay(refused={"acme": GREYLISTED})
    loop = _loop(engine, relay, clock)
    know(engine)
    loop.record([read(reminder(f"r{number}")) for number in range(5)])
    loop.run(partitions=[0])
    began = clock.now
    assert 0 == _expiring(engine, now=clock.now)
    _pass(loop, clock, until=began + FIVE_DAYS - ROUND)
    assert {"scheduled"} == set(states(engine).values())
    assert 5 == _expiring(engine, now=clock.now)
    _pass(loop, clock, until=began + FIVE_DAYS + 2 * ROUND)
    assert {"failed"} == set(states(engine).values())
    row = job_row(engine, "r0")
    assert ("expired", "given up after 5 days: 451 4.7.1 we do not know you yet", "zoe@customer.example") == (
        row["error_type"],
        row["detail"],
        row["recipient"],
    )
    assert "expired" == job_row(engine, "r4")["error_type"]


def test_a_provider_that_is_down_for_days_is_waited_for_that_long(engine: Engine) -> None:
    """Four days without it fail nothing, a sixth would be too late for a reminder by any channel."""
    clock, relay = SettableClock(), Relay(refused={"": DOWN})
    loop = _loop(engine, relay, clock)
    know(engine)
    loop.record([read(reminder(f"r{number}")) for number in range(3)])
    loop.run(partitions=[0])
    _pass(loop, clock, until=clock.now + datetime.timedelta(days=4))
    assert {"scheduled"} == set(states(engine).values())
    _pass(loop, clock, until=clock.now + datetime.timedelta(days=1, hours=6))
    assert {"failed"} == set(states(engine).values())


def test_an_outage_that_ends_is_forgotten(engine: Engine) -> None:
    """What was due while the provider was down, and waits for something else since, has not waited for the provider."""
    clock, relay = SettableClock(), Relay(refused={"": DOWN})
    loop = _loop(engine, relay, clock)
    know(engine)
    know(engine, account="acme:C2", version=4)
    loop.record([read(reminder("r1")), read(reminder("behind", account="acme:C2"))])
    loop.run(partitions=[0])
    assert job_row(engine, "behind")["give_up_at"] is not None
    relay.refused.clear()
    _pass(loop, clock, until=clock.now + ROUND)
    assert ("accepted", None) == (states(engine)["r1/email"], job_row(engine, "behind")["give_up_at"])


def test_a_payment_ends_what_has_waited_too_long_as_superseded(engine: Engine) -> None:
    """R32 comes first: nobody gets a letter about what is paid."""
    clock, relay = SettableClock(), Relay(refused={"": DOWN})
    loop = _loop(engine, relay, clock)
    know(engine)
    loop.record([read(reminder())])
    loop.run(partitions=[0])
    know(engine, version=6)
    clock.now += FIVE_DAYS + ROUND
    loop.look_after(partitions=[0])
    assert {"r1/email": "superseded"} == states(engine)


def test_without_a_bound_it_waits_on(engine: Engine) -> None:
    """COBRANZA_SEND_WAIT_DAYS_MAX=0 is for who would rather wait than write otherwise."""
    clock, relay = SettableClock(), Relay(refused={"": DOWN})
    endless = Manner(doubt="hold", attempts_max=3, retry_s_first=10.0, retry_s_max=7_200.0, wait_days_max=0.0)
    loop = _loop(engine, relay, clock, endless)
    know(engine)
    loop.record([read(reminder())])
    loop.run(partitions=[0])
    _pass(loop, clock, until=clock.now + datetime.timedelta(days=9))
    assert {"r1/email": "scheduled"} == states(engine)


@pytest.mark.parametrize(
    ("channel", "doubt", "end"),
    [
        (ScriptedTracer(), "hold", ("failed", "provider_unavailable")),
        (ScriptedChannel(), "resend", ("unknown", "interrupted")),
    ],
    ids=["it can be asked, and never has it", "it cannot be asked, and is sent again"],
)
def test_calls_without_an_answer_have_an_end(
    engine: Engine, channel: ScriptedChannel, doubt: str, end: tuple[str, str]
) -> None:
    """A provider that never answers is not called for ever: after the tries it has failed, or a person is asked."""
    clock = SettableClock()
    channel = type(channel)(answers=[UncertainError("cut")] * 50)
    manner = Manner(
        doubt="hold" if doubt == "hold" else "resend", attempts_max=3, retry_s_first=10.0, retry_s_max=60.0
    )
    loop = _loop(engine, channel, clock, manner)
    know(engine)
    loop.record([read(reminder())])
    _pass(loop, clock, until=clock.now + datetime.timedelta(days=1))
    row = job_row(engine)
    assert (3, end) == (len(channel.asked), (row["state"], row["error_type"]))


def test_a_cap_that_is_reached_day_after_day_has_an_end(engine: Engine) -> None:
    """Tried on each of five days; the one after ends it, and a day before it is told."""
    clock = SettableClock()
    loop = _loop(engine, ScriptedChannel(), clock, gates=[Full("daily_cap")])
    know(engine)
    loop.record([read(reminder(mode="live"))])
    _live_days(loop, engine, clock, days=3)
    assert ("scheduled", 0) == (job_row(engine)["state"], _expiring(engine, now=clock.now))
    _live_days(loop, engine, clock, days=1.75)
    assert ("scheduled", 1) == (job_row(engine)["state"], _expiring(engine, now=clock.now))
    _live_days(loop, engine, clock, days=1)
    assert ("failed", "cap_reached", "given up after 5 days: no daily_cap") == _end(engine)


def test_the_law_asked_after_the_claim_has_the_same_end(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The register is asked when others can see that we are about to write: somebody is always first, for five days."""
    clock = SettableClock()
    monkeypatch.setattr(dispatch, "allowed_at", lambda *_, now, **__: now + datetime.timedelta(days=1))
    loop = _loop(engine, ScriptedChannel(), clock)
    know(engine)
    terms = LawTerms(profile="us", time_zone="UTC")
    loop.record([read(msgspec.structs.replace(reminder(mode="live"), law=terms))])
    _live_days(loop, engine, clock, days=5)
    assert "scheduled" == job_row(engine)["state"]
    _live_days(loop, engine, clock, days=1)
    state, error_type, detail = _end(engine)
    assert ("failed", "expired") == (state, error_type)
    assert str(detail).startswith("given up after 5 days: the law (us) allows it from")


def test_a_gate_that_says_when_is_taken_at_its_word(engine: Engine) -> None:
    """Reg F lets it again after seven days: it waits for them, is tried then, and only a second such wait ends it."""
    clock, seven = SettableClock(), Full("law", days=7)
    loop = _loop(engine, ScriptedChannel(), clock, gates=[seven])
    know(engine)
    loop.record([read(reminder(mode="live")), read(reminder("r2", mode="live"))])
    _live_days(loop, engine, clock, days=6)
    assert {"scheduled"} == set(states(engine).values())
    seven.waits = lambda candidates, *, now: {  # type: ignore[method-assign]
        each.job.reminder: Wait(until=now + ROUND, why="law", detail="again")
        for each in candidates
        if each.job.reminder == "r2"
    }
    _live_days(loop, engine, clock, days=1)
    assert {"r1/email": "accepted", "r2/email": "failed"} == states(engine)


def _put_off(
    engine: Engine, clock: SettableClock, gate: Full, *, down_from: float, back_at: float
) -> tuple[Dispatcher, datetime.datetime]:
    """Put a live delivery off day by day; the notifier is down between these days, and starts again. Give when it began."""
    began = clock.now
    loop = _loop(engine, ScriptedChannel(), clock, gates=[gate])
    know(engine)
    loop.record([read(reminder(name, mode="live")) for name in ("r1", "r2")])
    _live_days(loop, engine, clock, days=down_from)
    clock.now = began + datetime.timedelta(days=back_at)
    know(engine, clock=clock.now)
    again = _loop(engine, ScriptedChannel(), clock, gates=[gate])
    again.recover(partitions=[0])
    return again, began


@pytest.mark.parametrize("back_at", [6.52, 30.0])
def test_a_gates_word_is_kept_by_a_notifier_that_was_down_then(engine: Engine, back_at: float) -> None:
    """Reg F's seven days end while nobody is there: after the start it is tried, not given up untried."""
    clock, seven = SettableClock(), Full("law", days=7)
    again, _ = _put_off(engine, clock, seven, down_from=6, back_at=back_at)
    seven.waits = lambda *_, **__: {}  # type: ignore[method-assign]
    again.look_after(partitions=[0])
    assert "scheduled" == job_row(engine)["state"]
    again.run(partitions=[0])
    assert "accepted" == job_row(engine)["state"]


@pytest.mark.parametrize(("down_from", "back_at"), [(4.25, 5.3), (5.0, 9.0)])
def test_a_cap_of_the_last_day_is_one_by_a_notifier_that_was_down(
    engine: Engine, down_from: float, back_at: float
) -> None:
    """What it has waited for is told: a place of the day, not a turn; and the last try is made."""
    clock = SettableClock()
    again, _ = _put_off(engine, clock, Full("daily_cap"), down_from=down_from, back_at=back_at)
    again.look_after(partitions=[0])
    again.run(partitions=[0])
    assert ("failed", "cap_reached", "given up after 5 days: no daily_cap") == _end(engine)


def test_a_notifier_that_starts_over_and_over_gives_one_turn(engine: Engine) -> None:
    """The provider is down, too: an hour from the first start, not from each."""
    clock, seven = SettableClock(), Full("law", days=7)
    again, began = _put_off(engine, clock, seven, down_from=6, back_at=8)
    for minutes in range(0, 59, 10):
        clock.now = began + datetime.timedelta(days=8, minutes=minutes)
        again.recover(partitions=[0])
        again.look_after(partitions=[0])
        assert "scheduled" == job_row(engine)["state"]
    clock.now = began + datetime.timedelta(days=8, minutes=61)
    know(engine, clock=clock.now)
    again.recover(partitions=[0])
    again.look_after(partitions=[0])
    assert ("failed", "expired") == _end(engine)[:2]


def test_a_cap_of_a_played_journal_ends_by_its_days(engine: Engine) -> None:
    """A year is played in minutes: what counts are the company's days, as for the cap itself."""
    clock = SettableClock()
    loop = _loop(engine, ScriptedChannel(), clock, gates=[Full("daily_cap")])
    loop.record([read(reminder())])
    for day in range(5):
        know(engine, clock=TICK + datetime.timedelta(days=day))
        loop.run(partitions=[0])
    assert "scheduled" == job_row(engine)["state"]
    know(engine, clock=TICK + FIVE_DAYS)
    loop.run(partitions=[0])
    assert ("failed", "cap_reached") == _end(engine)[:2]


def test_a_read_model_that_stands_still_ends_it(engine: Engine) -> None:
    """R32 cannot be asked, so nothing may be sent; after five days nobody wants this text any more. Nothing was handed over."""
    clock, channel = SettableClock(), ScriptedChannel()
    loop = _loop(engine, channel, clock)
    know(engine, clock=TICK - datetime.timedelta(days=1))
    loop.record([read(reminder(mode="live"))])
    _live_days(loop, engine, clock, days=5, is_reader_there=False)
    assert ("scheduled", 1) == (job_row(engine)["state"], _expiring(engine, now=clock.now))
    _live_days(loop, engine, clock, days=0.5, is_reader_there=False)
    behind = "given up after 5 days: the read model is not as far as it needs (R32)"
    assert ("failed", "expired", behind) == _end(engine)
    assert [] == channel.asked


def test_a_pace_that_is_too_slow_ends_what_has_no_turn(engine: Engine) -> None:
    """A bucket that fills more slowly than it is emptied writes no row; what it holds back is given up all the same."""
    clock = SettableClock()
    loop = _loop(engine, ScriptedChannel(), clock, gates=[Pace()])
    know(engine)
    loop.record([read(reminder(mode="live"))])
    _live_days(loop, engine, clock, days=5)
    assert "scheduled" == job_row(engine)["state"]
    _live_days(loop, engine, clock, days=0.5)
    assert ("failed", "expired", "given up after 5 days: it had no turn") == _end(engine)


def test_a_clock_that_is_set_back_does_not_keep_a_channel_closed(engine: Engine) -> None:
    """A wait of seconds that would last a day longer: of a provider that was down, and of an empty bucket."""
    clock, relay = SettableClock(), Relay(refused={"": DOWN})
    loop = _loop(engine, relay, clock)
    loop.record([read(reminder()), read(reminder("r2"))])
    know(engine)
    loop.run(partitions=[0])
    assert {0} == loop.closed
    relay.refused.clear()
    clock.now -= datetime.timedelta(days=1)
    assert set() == loop.closed
    pace = Pace()
    paced = _loop(engine, relay, clock, gates=[pace])
    paced.run(partitions=[0])
    clock.now -= datetime.timedelta(days=1)
    pace.waits = lambda *_, **__: {}  # type: ignore[method-assign]
    paced.run(partitions=[0])
    assert "accepted" in states(engine).values()


@pytest.mark.parametrize(("days", "ends"), [(10.0, "scheduled"), (0.0, "scheduled"), (3.0, "failed")])
def test_a_changed_setting_holds_for_what_waits_already(engine: Engine, days: float, ends: str) -> None:
    """Who needs longer to mend a password sets ten days and starts again; the days count from when the wait began."""
    clock, relay = SettableClock(), Relay(refused={"": DOWN})
    loop = _loop(engine, relay, clock)
    know(engine)
    loop.record([read(reminder(name)) for name in ("r1", "r2")])
    loop.run(partitions=[0])
    began = clock.now
    _pass(loop, clock, until=began + datetime.timedelta(days=4))
    other = Manner(doubt="hold", attempts_max=3, retry_s_first=10.0, retry_s_max=7_200.0, wait_days_max=days)
    again = _loop(engine, relay, clock, other)
    again.recover(partitions=[0])
    _pass(again, clock, until=began + 2 * FIVE_DAYS - ROUND)
    assert {ends} == set(states(engine).values())
    _pass(again, clock, until=began + 2 * FIVE_DAYS + ROUND)
    assert {"failed" if days else "scheduled"} == set(states(engine).values())

"""What no provider takes waits, for days at most: then the next channel has its turn; and who waits holds up nobody else."""

import datetime
from dataclasses import dataclass, field

import pytest
from sqlalchemy import Engine

from infra.database.engine import reading
from infra.database.queries.standing import standing
from notifiers.channel import Message, Receipt, TemporaryError, UncertainError
from notifiers.dispatch import Dispatcher, Manner
from tests.notifiers.sending import (
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


def _loop(
    engine: Engine, channel: ScriptedChannel, clock: SettableClock, manner: Manner = MANNER
) -> Dispatcher:
    return dispatcher(engine, channel=channel, clock=clock, manner=manner)


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

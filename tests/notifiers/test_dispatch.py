"""What becomes of jobs, without Kafka: sent once, tried again, given up, or held for a person."""

import datetime

import pytest
import structlog
from sqlalchemy import Engine

from infra.database.send_ledger import SendLedger
from infra.database.send_values import Claim
from notifiers.channel import Message, PermanentError, Receipt, TemporaryError, Traits, UncertainError
from notifiers.dispatch import Manner
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


def test_a_fresh_job_is_sent_and_noted(engine: Engine) -> None:
    """The receipt, the recipient and the subject are on the row; a played outcome has the newest tick's time."""
    channel = ScriptedChannel()
    running = dispatcher(engine, channel=channel)
    later = TICK + datetime.timedelta(days=1)
    know(engine, clock=later)
    assert 1 == running.record([read(reminder())])
    assert 1 == running.run(partitions=[0])
    row = job_row(engine)
    assert ["r1"] == channel.asked
    assert ("accepted", "id-r1", "zoe@customer.example") == (
        row["state"],
        row["provider_id"],
        row["recipient"],
    )
    assert "Payment reminder: 3 documents – Samples & Signals Ltd" == row["subject"]
    assert later.isoformat() == row["occurred_at"]


def test_a_live_outcome_has_the_wall_clocks_time(engine: Engine) -> None:
    """DESIGN 4: now is the wall clock with a live journal."""
    clock = SettableClock(TICK + datetime.timedelta(seconds=7))
    running = dispatcher(engine, channel=ScriptedChannel(), clock=clock)
    know(engine)
    running.record([read(reminder(mode="live"))])
    running.run(partitions=[0])
    assert "2012-03-04T12:00:07.000+00:00" == job_row(engine)["occurred_at"]


def test_a_reminder_of_other_channels_is_none_of_ours(engine: Engine) -> None:
    """Each channel records its own deliveries."""
    running = dispatcher(engine, channel=ScriptedChannel())
    assert 0 == running.record([read(reminder(channels=("letter", "task")))])
    assert {} == states(engine)


def test_nothing_is_sent_after_the_account_changed(engine: Engine) -> None:
    """R32: a payment between decision and sending stops the message."""
    channel = ScriptedChannel()
    running = dispatcher(engine, channel=channel)
    running.record([read(reminder())])
    know(engine, version=6)
    assert 1 == running.run(partitions=[0])
    assert ([], {"r1/email": "superseded"}) == (channel.asked, states(engine))


def test_two_dispatchers_send_a_job_once(engine: Engine) -> None:
    """Whoever claims it sends it; the other one finds nothing to do."""
    first, second = ScriptedChannel(), ScriptedChannel()
    one = dispatcher(engine, channel=first, owner="one")
    two = dispatcher(engine, channel=second, owner="two")
    know(engine)
    for running in (one, two):
        running.record([read(reminder())])
    assert (1, 0) == (one.run(partitions=[0]), two.run(partitions=[0]))
    assert ["r1"] == first.asked + second.asked


def test_a_permanent_failure_is_an_outcome(engine: Engine) -> None:
    """Refused for good: failed, with the reason's label."""
    refusal = PermanentError(error_type="address_refused", detail="550 no such user")
    running = dispatcher(engine, channel=ScriptedChannel(answers=[refusal]))
    know(engine)
    running.record([read(reminder())])
    running.run(partitions=[0])
    row = job_row(engine)
    assert ("failed", "address_refused", "550 no such user") == (
        row["state"],
        row["error_type"],
        row["detail"],
    )


def test_an_answer_with_a_character_that_no_database_holds_ends_one_delivery(engine: Engine) -> None:
    """PostgreSQL refuses U+0000: one provider's answer must not end the sending of all others."""
    refusal = PermanentError(error_type="address_refused", detail="550 no\0such \udc80 user")
    running = dispatcher(engine, channel=ScriptedChannel(answers=[refusal]))
    know(engine)
    running.record([read(reminder()), read(reminder("r2"))])
    running.run(partitions=[0])
    assert "550 no\ufffdsuch \ufffd user" == job_row(engine)["detail"]
    assert {"r1/email": "failed", "r2/email": "accepted"} == states(engine)


def test_an_unknown_template_fails_for_good(engine: Engine) -> None:
    """There is no other text to fall back to: the detail names those that there are."""
    channel = ScriptedChannel()
    running = dispatcher(engine, channel=channel)
    know(engine)
    running.record([read(reminder(template="fourth"))])
    running.run(partitions=[0])
    row = job_row(engine)
    assert ("failed", "template_error", []) == (row["state"], row["error_type"], channel.asked)
    assert "there are: answer, correction, courtesy, first" in str(row["detail"])


def test_a_provider_that_is_down_closes_its_partition(engine: Engine) -> None:
    """The job waits half of its first 10 s at least; other jobs of the partition are not even tried."""
    clock = SettableClock()
    channel = ScriptedChannel(answers=[TemporaryError("connection refused")])
    running = dispatcher(engine, channel=channel, clock=clock)
    know(engine)
    running.record([read(reminder("r1")), read(reminder("r2"))])
    running.run(partitions=[0])
    assert ({0}, 0) == (running.closed, running.run(partitions=[0]))
    clock.pass_s(5)
    assert set() == running.closed
    running.run(partitions=[0])
    running.run(partitions=[0])
    assert {"r1/email": "accepted", "r2/email": "accepted"} == states(engine)


def test_one_mail_that_must_wait_holds_up_no_other(engine: Engine) -> None:
    """A full mailbox is not the provider's: the partition stays open."""
    busy = TemporaryError("452 mailbox full", provider_down=False)
    channel = ScriptedChannel(answers=[busy])
    running = dispatcher(engine, channel=channel)
    know(engine)
    running.record([read(reminder("r1")), read(reminder("r2"))])
    running.run(partitions=[0])
    running.run(partitions=[0])
    assert (set(), {"r1/email": "scheduled", "r2/email": "accepted"}) == (running.closed, states(engine))


def test_tries_are_limited(engine: Engine) -> None:
    """A message that is put off, where others are taken, has failed after `attempts_max`: provider_unavailable."""
    clock = SettableClock()
    channel = ScriptedChannel(answers=[TemporaryError("452 mailbox full", provider_down=False)] * 3)
    running = dispatcher(engine, channel=channel, clock=clock)
    know(engine)
    running.record([read(reminder())])
    for _ in range(3):
        running.run(partitions=[0])
        clock.pass_s(60)
    row = job_row(engine)
    assert ("failed", "provider_unavailable", "tried 3 times: 452 mailbox full") == (
        row["state"],
        row["error_type"],
        row["detail"],
    )


def test_a_day_without_a_provider_fails_nothing(engine: Engine) -> None:
    """A suspended account, a refused password (R19): no try counts, the waits grow, and all go when it is mended."""
    clock = SettableClock()
    channel = ScriptedChannel(answers=[TemporaryError("535 suspended")] * 1_000)
    manner = Manner(doubt="hold", attempts_max=3, retry_s_first=10.0, retry_s_max=3_600.0)
    running = dispatcher(engine, channel=channel, clock=clock, manner=manner)
    know(engine)
    running.record([read(reminder("r1")), read(reminder("r2")), read(reminder("r3"))])
    for _ in range(96):
        running.run(partitions=[0])
        clock.pass_s(900)
    assert {f"r{each}/email": "scheduled" for each in (1, 2, 3)} == states(engine)
    assert (0, "535 suspended") == (job_row(engine)["attempts"], job_row(engine)["detail"])
    assert len(channel.asked) < 60
    channel.answers = []
    clock.pass_s(1_800)
    running.run(partitions=[0])
    assert {f"r{each}/email": "accepted" for each in (1, 2, 3)} == states(engine)


def test_while_a_provider_is_down_a_payment_still_counts(engine: Engine) -> None:
    """R32: what has changed while a reminder waited ends it, superseded; the provider that is back never sees it."""
    clock = SettableClock()
    channel = ScriptedChannel(answers=[TemporaryError("down")])
    running = dispatcher(engine, channel=channel, clock=clock)
    know(engine)
    running.record([read(reminder())])
    running.run(partitions=[0])
    know(engine, version=6)
    clock.pass_s(5)
    running.run(partitions=[0])
    assert ({"r1/email": "superseded"}, ["r1"]) == (states(engine), channel.asked)


def test_what_a_provider_puts_off_is_counted_without_its_outages(engine: Engine) -> None:
    """An outage before a full mailbox takes none of the message's own tries."""
    clock = SettableClock()
    full = TemporaryError("452 mailbox full", provider_down=False)
    channel = ScriptedChannel(answers=[*[TemporaryError("down")] * 5, full, full])
    running = dispatcher(engine, channel=channel, clock=clock)
    know(engine)
    running.record([read(reminder())])
    for _ in range(8):
        running.run(partitions=[0])
        clock.pass_s(60)
    row = job_row(engine)
    assert ("accepted", 3) == (row["state"], row["attempts"])


def test_waits_double_and_are_spread() -> None:
    """10, 20, 40 s, at most 60; chance takes up to half of it away."""
    assert [5.0, 10.0, 20.0, 30.0] == [MANNER.wait_s(tries, jitter=0.0) for tries in (1, 2, 3, 9)]
    assert 9.0 == MANNER.wait_s(1, jitter=0.8)


@pytest.mark.parametrize(("doubt", "state"), [("hold", "unknown"), ("resend", "scheduled")])
def test_doubt_follows_the_channels_policy(engine: Engine, doubt: str, state: str) -> None:
    """No answer after the mail went out: held for a person, or sent again, as the settings say."""
    manner = Manner(
        doubt="hold" if doubt == "hold" else "resend", attempts_max=3, retry_s_first=1, retry_s_max=1
    )
    channel = ScriptedChannel(answers=[UncertainError("cut")])
    running = dispatcher(engine, channel=channel, manner=manner)
    know(engine)
    running.record([read(reminder())])
    running.run(partitions=[0])
    assert {"r1/email": state} == states(engine)


@pytest.mark.parametrize("at_once", [1, 4])
def test_a_fault_of_the_channel_costs_no_other_message_anything(engine: Engine, at_once: int) -> None:
    """It breaks over one message of four: that one is unknown, with its evidence; the others keep their receipts."""
    channel = _BreaksOverOne(at_once)
    running = dispatcher(engine, channel=channel)
    know(engine)
    running.record([read(reminder(f"r{each}")) for each in range(4)])
    with structlog.testing.capture_logs() as told:
        while running.run(partitions=[0]):
            pass
    assert {f"r{each}/email": "unknown" if each == 1 else "accepted" for each in range(4)} == states(engine)
    row = job_row(engine, "r1")
    assert ("interrupted", "Payment reminder: 3 documents – Samples & Signals Ltd", "breaking") == (
        row["error_type"],
        row["subject"],
        row["provider"],
    )
    assert str(row["detail"]).endswith("the channel failed: ValueError")
    broke = [each for each in told if each["event"] == "send_broke"]
    assert [("r1", "send", "no idea")] == [
        (each["reminder"], each["within"], str(each["exc_info"])) for each in broke
    ]


@pytest.mark.parametrize(("taken", "state"), [(True, "accepted"), (False, "scheduled")])
def test_a_channel_that_can_say_is_asked(engine: Engine, taken: bool, state: str) -> None:
    """Doubt ends where the provider knows: it took the message, or it may have it again."""
    channel = ScriptedTracer(answers=[UncertainError("cut")], taken={"r1"} if taken else set())
    running = dispatcher(engine, channel=channel)
    know(engine)
    running.record([read(reminder())])
    running.run(partitions=[0])
    assert {"r1/email": state} == states(engine)


@pytest.mark.parametrize(
    ("channel", "state"),
    [
        (ScriptedChannel(), "unknown"),
        (ScriptedTracer(), "scheduled"),
        (ScriptedTracer(taken={"r1"}), "accepted"),
    ],
    ids=["cannot say", "not taken", "taken"],
)
def test_a_successor_clears_up_what_was_interrupted(
    engine: Engine, channel: ScriptedChannel, state: str
) -> None:
    """A job found in `sending`: asked, else held; never sent blindly."""
    running = dispatcher(engine, channel=channel, owner="heir")
    dead = dispatcher(engine, channel=_Dies(), owner="dead")
    know(engine)
    dead.record([read(reminder())])
    with pytest.raises(KeyboardInterrupt):
        dead.run(partitions=[0])
    running.recover(partitions=[0])
    assert {"r1/email": state} == states(engine)


def test_what_was_only_claimed_is_never_in_doubt(engine: Engine) -> None:
    """A worker that dies before it writes its intent has handed over nothing: its jobs simply go on."""
    dead = SendLedger(engine, channel="email", owner="dead", reader_age_s_max=60.0)
    heir = dispatcher(engine, channel=(channel := ScriptedChannel()), owner="heir")
    know(engine)
    heir.record([read(reminder())])
    dead.claim([Claim(reminder="r1", occurred_at="t")], now=TICK)
    heir.recover(partitions=[0])
    heir.run(partitions=[0])
    assert (["r1"], {"r1/email": "accepted"}, 1) == (
        channel.asked,
        states(engine),
        job_row(engine)["attempts"],
    )


class _BreaksOverOne(ScriptedChannel):
    def __init__(self, at_once: int) -> None:
        super().__init__()
        self.traits = Traits(provider="breaking", at_once=at_once)

    def send(self, message: Message) -> Receipt:
        """Fail over r1 as no channel should."""
        if message.reminder == "r1":
            raise ValueError("no idea")
        return super().send(message)


class _Dies(ScriptedChannel):
    def send(self, message: Message) -> Receipt:
        """Die while sending."""
        raise KeyboardInterrupt

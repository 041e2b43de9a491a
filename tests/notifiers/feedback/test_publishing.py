"""B-14: each word becomes an outcome, a command or a dead letter, once; and an address goes on the list or off it."""

import datetime
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
import structlog
from kafka.errors import KafkaTimeoutError
from sqlalchemy import Engine, select, update

from infra.database.engine import reading, writing
from infra.database.feedback import FeedbackInbox, Word
from infra.database.send_doubts import notes_of
from infra.database.send_ledger import NewJob, SendLedger
from infra.database.send_tables import send_jobs
from infra.database.suppressions import Suppression, suppress, suppressed, suppression_lines
from notifiers.channel import Message
from notifiers.feedback.publishing import FeedbackPublisher
from notifiers.feedback.suppressing import sparing, suppressing
from schemas.codec import decode_source
from schemas.commands import OptIn, OptOut, RecordReply
from schemas.dead_letters import read_dead_letter
from schemas.envelope import from_headers
from schemas.events import Contact
from schemas.facts import ReminderDecided
from schemas.fields import Channel as ChannelName
from schemas.outcomes import OutcomeReported
from tests.notifiers.sending import (
    CONTACT,
    RENDERER,
    ScriptedChannel,
    dispatcher,
    job_row,
    know,
    merge,
    read,
    reminder,
)

NOW = datetime.datetime(2026, 2, 3, 12, tzinfo=datetime.UTC)
FATE = Word(
    word="ses/1/bounced/zoe", source="ses", said="bounced", channel="email", occurred_at="2026-02-03T11:00:00.000+00:00",
    reminder="r1", error_type="address_bounced", address="Zoe@customer.example", detail="550",
)  # fmt: skip
REPLY = Word(
    word="twilio/SM1/reply", source="twilio", said="reply", channel="sms", occurred_at="2026-02-03T11:00:00.000+00:00",
    address="+34600000000", reply="I paid",
)  # fmt: skip


@dataclass
class Office:
    """The inbox with its publisher, a Kafka that keeps what it is given, and a clock."""

    engine: Engine
    now: datetime.datetime = NOW
    down: bool = False
    sent: list[tuple[str, bytes, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Open it."""
        self.inbox = FeedbackInbox(self.engine)
        self.publisher = FeedbackPublisher(
            inbox=self.inbox,
            sender=self,
            topic_name=lambda name: f"t.{name}",
            clock=lambda: self.now,
            patience_s=600,
        )

    def send(self, topic: str, value: bytes, **more: Any) -> "Office":
        """Be Kafka's producer."""
        if self.down:
            raise KafkaTimeoutError("away")
        self.sent.append((topic, value, more))
        return self

    def get(self, timeout: float) -> None:
        """Be the future of what was sent."""

    def hear(self, *words: Word) -> int:
        """Take words, and deal with what waits."""
        self.inbox.take(words, received_at=self.now)
        return self.publisher.step()

    def said(self) -> list[Any]:
        """What was sent to source topics, as events; what intake would read."""
        found = []
        for topic, value, more in self.sent:
            if not topic.endswith(".dlq"):
                envelope, data = from_headers(more["headers"], value)
                found.append(decode_source(envelope.type, data))
        return found

    def delivered(
        self, name: str = "r1", *, channel: Any = "email", published: bool = True, **changes: Any
    ) -> None:
        """Have a delivery that was accepted."""
        made = reminder(name, channels=(channel,), mode="live", **changes)
        job = NewJob(
            reminder=made.id, account=made.account, company=made.company, partition=0, mode=made.mode, tick=made.tick,
            not_before=made.tick, decision_version=5, reminder_json=msgspec.json.encode(made).decode(),
        )  # fmt: skip
        SendLedger(self.engine, channel=channel, owner="w", reader_age_s_max=60).record([job])
        recipient = {"email": CONTACT.email, "sms": CONTACT.phone}.get(channel, ", ".join(CONTACT.address))
        with writing(self.engine) as connection:
            connection.execute(
                update(send_jobs)
                .where(send_jobs.c["reminder"] == name)
                .values(state="accepted", published=published, provider_id=f"P-{name}", recipient=recipient, occurred_at="2026-02-03T10:00:00+00:00")
            )  # fmt: skip


@pytest.fixture
def office(engine: Engine) -> Office:
    """Give an office."""
    return Office(engine)


def test_a_bounce_is_one_outcome_however_often_it_is_told(office: Office) -> None:
    """Ten times the same event, and the same word by another way: one outcome, with the address as we know it."""
    office.delivered()
    for _ in range(10):
        office.hear(FATE)
    assert 1 == office.hear(msgspec.structs.replace(FATE, word="dsn/r1/bounced", source="dsn"))
    first, again = office.said()
    assert (
        OutcomeReported(
            company="acme", customer="C1", occurred_at=FATE.occurred_at, reminder="r1", channel="email", status="bounced",
            error_type="address_bounced", detail="550", address="zoe@customer.example",
        )
        == first
    )  # fmt: skip
    # Told by another way it has the same id, and the ledger's natural key absorbs it.
    assert msgspec.structs.replace(again) == first
    ids = {dict(more["headers"])["ce_id"] for _, _, more in office.sent}
    assert {b"r1/email/bounced"} == ids
    assert {"said": 2} == office.inbox.counts()


def test_by_the_providers_id(office: Office) -> None:
    """Without our tag, the provider's own name of the delivery does."""
    office.delivered()
    office.hear(msgspec.structs.replace(FATE, reminder="", provider_id="P-r1"))
    assert ["r1"] == [each.reminder for each in office.said()]


def test_a_rehearsals_address_is_not_the_customers(office: Office) -> None:
    """What went to the sandbox and bounced there says nothing of the customer's address."""
    office.delivered()
    office.hear(msgspec.structs.replace(FATE, address="sandbox@acme.example"))
    assert ["sandbox@acme.example"] == [each.address for each in office.said()]


def test_sender_is_heard_first(office: Office) -> None:
    """A word of a delivery whose own outcome is not in Kafka waits for it, but not for ever."""
    office.delivered(published=False)
    assert 0 == office.hear(FATE)
    office.now += datetime.timedelta(seconds=601)
    assert 1 == office.publisher.step()
    assert ["bounced"] == [each.status for each in office.said()]


@pytest.mark.parametrize("said", ["delivered", "bounced"])
def test_a_providers_word_ends_a_doubt(office: Office, said: Any) -> None:
    """R19: nobody knew whether it went out; who says what became of it has had it, and it is not sent again."""
    office.delivered()
    with writing(office.engine) as connection:
        connection.execute(
            update(send_jobs).values(state="unknown", provider_id="", error_type="interrupted")
        )
    office.hear(msgspec.structs.replace(FATE, said=said, provider_id="ses-9"))
    with reading(office.engine) as connection:
        row = connection.execute(select(send_jobs)).one()
        words = notes_of(connection, reminder="r1", channel="email")
    assert ("accepted", "ses-9", False, "") == (row.state, row.provider_id, row.published, row.error_type)
    assert [("said", "provider (ses)")] == [(each.what, each.author) for each in words]


def test_nobodys_word_is_a_dead_letter_and_can_be_tried_again(office: Office) -> None:
    """It waits for the patience; then it is aside where people look, and found again once its delivery is there."""
    assert 0 == office.hear(FATE)
    office.now += datetime.timedelta(seconds=601)
    assert 1 == office.publisher.step()
    [(topic, value, more)] = office.sent
    assert "t.notify.outcome.v1.dlq" == topic
    assert FATE == msgspec.json.decode(value, type=Word)
    letter = read_dead_letter(more["headers"])
    assert ("unknown_delivery", "feedback") == (letter.reason, letter.stage)
    assert {"dead": 1} == office.inbox.counts()
    office.delivered()
    assert 1 == office.inbox.retry([], now=office.now)
    assert 1 == office.publisher.step()
    assert ["bounced"] == [each.status for each in office.said()]


def test_a_word_over_which_it_breaks_keeps_no_other_back(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One bounce that cannot be read ended all channels, again at each start: now it waits, then it is a dead letter."""
    office.delivered()
    found = office.inbox.job_of

    def job_of(word: Word) -> Any:
        if word.word == "broken":
            raise KeyError("what nobody foresaw")
        return found(word)

    monkeypatch.setattr(office.inbox, "job_of", job_of)
    with structlog.testing.capture_logs() as told:
        assert 1 == office.hear(msgspec.structs.replace(FATE, word="broken"), FATE)
    assert [("feedback_broke", "broken", "r1")] == [
        (each["event"], each["word"], each["reminder"]) for each in told if each["event"] != "feedback"
    ]
    assert ["bounced"] == [each.status for each in office.said()]
    assert {"said": 1, "waiting": 1} == office.inbox.counts()
    office.now += datetime.timedelta(seconds=59)
    assert 0 == office.publisher.step()  # left alone for a minute, not looked at twice a second
    office.now += datetime.timedelta(seconds=602)
    assert 1 == office.publisher.step()
    letter = read_dead_letter(office.sent[-1][2]["headers"])
    assert ("fault", True) == (letter.reason, "broke by KeyError" in letter.detail)
    monkeypatch.undo()
    assert 1 == office.inbox.retry([], now=office.now)
    assert 1 == office.publisher.step()
    assert {"said": 2} == office.inbox.counts()


def test_nothing_is_lost_while_kafka_is_away(office: Office) -> None:
    """It waits in SQL, and is said once when Kafka is back."""
    office.delivered()
    office.down = True
    with pytest.raises(KafkaTimeoutError):
        office.hear(FATE)
    assert {"waiting": 1} == office.inbox.counts()
    office.down = False
    assert 0 == office.publisher.step()  # still in hand
    office.now += datetime.timedelta(seconds=61)
    assert 1 == office.publisher.step()
    assert ["bounced"] == [each.status for each in office.said()]


def test_two_publishers_do_not_say_it_both(office: Office) -> None:
    """What one has in hand the other leaves alone."""
    office.delivered()
    office.inbox.take([FATE], received_at=office.now)
    assert 1 == len(office.inbox.claim(now=NOW, until=NOW + datetime.timedelta(seconds=60), limit=10))
    assert 0 == office.publisher.step()


@pytest.mark.parametrize("said", ["delayed", "unclear"])
def test_what_decides_nothing_is_noted(office: Office, said: Any) -> None:
    """A delay, a word that is neither yes nor no: kept, and nothing follows."""
    office.delivered()
    assert 1 == office.hear(msgspec.structs.replace(FATE, said=said))
    assert ([], {"noted": 1}) == (office.sent, office.inbox.counts())


@pytest.mark.parametrize(
    ("said", "error", "company", "other"),
    [
        ("bounced", "address_bounced", True, True),
        ("bounced", "address_suppressed", True, True),
        ("bounced", "", True, True),  # said by hand: as the ledger reads it
        ("complained", "complaint", True, False),
        ("bounced", "bounce_gave_up", False, False),
        ("bounced", "content_refused", False, False),
        ("delivered", "", False, False),
    ],
)
def test_who_is_not_written_to_any_more(
    office: Office, said: Any, error: Any, company: bool, other: bool
) -> None:
    """An address that is not there is so for all; a complaint is about one company; a full mailbox is nobody's end."""
    office.delivered()
    office.hear(msgspec.structs.replace(FATE, said=said, error_type=error))
    with reading(office.engine) as connection:
        found = [
            suppressed(connection, channel="email", address="ZOE@customer.example", company=each) is not None
            for each in ("acme", "beta")
        ]
    assert [company, other] == found


def test_suppressed_addresses_are_not_written_to(office: Office) -> None:
    """The delivery has failed before anything is sent, so that the ledger takes another way (R19)."""
    office.delivered()
    screen = suppressing(office.engine)
    assert {} == screen([reminder("r2")], "email")
    office.hear(FATE)
    other = Contact(name="Other", email="other@customer.example")
    refused = screen([reminder("r2"), reminder("r3", contact=other), reminder("r4")], "email")
    assert {"r2", "r4"} == set(refused)
    assert {"address_suppressed"} == {each.error_type for each in refused.values()}
    assert {} == screen([reminder("r2", channels=("letter",))], "letter")


def test_a_round_s_messages_are_screened_as_late_as_can_be(office: Office) -> None:
    """Who says stop while others' messages are written is not written to any more; the others are."""
    other = Contact(name="Other", email="other@customer.example")
    channel = ScriptedChannel()
    office.delivered()
    for name in ("r2", "r3"):
        know(office.engine, account=f"acme:{name}")

    def stopping(made: ReminderDecided, by: ChannelName) -> Message:
        office.hear(FATE)
        return RENDERER.message(made, by)

    sending = dispatcher(office.engine, channel=channel, render=stopping, screen=suppressing(office.engine))
    sending.record(
        read(reminder(name, account=f"acme:{name}", contact=contact))
        for name, contact in (("r2", CONTACT), ("r3", other))
    )
    sending.run(partitions=[0])
    assert ["r3"] == channel.asked
    assert ("failed", "address_suppressed") == tuple(
        job_row(office.engine, "r2")[each] for each in ("state", "error_type")
    )


def test_stop_opts_out_every_account_that_was_written_to_there(office: Office) -> None:
    """One number, two customers: both are asked no more by SMS, and the number is on the list."""
    office.delivered("r1", channel="sms")
    office.delivered("r2", channel="sms", account="acme:C2")
    office.delivered("r3", channel="sms", account="acme:C2")
    stop = msgspec.structs.replace(REPLY, said="stop", reply="BAJA", error_type="opted_out")
    office.hear(stop)
    office.hear(stop)
    asked = office.said()
    assert [("C1", "sms"), ("C2", "sms")] == [(each.customer, each.channel) for each in asked]
    assert all(isinstance(each, OptOut) for each in asked)
    assert all("BAJA" in each.reason for each in asked)
    assert suppressing(office.engine)([reminder("r4", channels=("sms",))], "sms")


def test_start_opts_in_again(office: Office) -> None:
    """And takes the number off the list."""
    office.delivered("r1", channel="sms")
    office.hear(msgspec.structs.replace(REPLY, said="stop", error_type="opted_out"))
    office.hear(msgspec.structs.replace(REPLY, said="start", word="twilio/SM2/reply"))
    assert [OptOut, OptIn] == [type(each) for each in office.said()]
    assert {} == suppressing(office.engine)([reminder("r4", channels=("sms",))], "sms")


def test_start_lifts_what_stop_has_set_and_no_more(office: Office) -> None:
    """START is the reader's word on STOP, and a number that writes is in service; what a person set for another reason stays."""
    office.delivered("r1", channel="sms")
    office.hear(msgspec.structs.replace(REPLY, said="stop", error_type="opted_out"))
    more = [("", "number_unreachable", "twilio"), ("globex", "by hand", "ana")]
    with writing(office.engine) as connection:
        for company, reason, source in more:
            entry = Suppression(
                channel="sms", address=REPLY.address, company=company, reason=reason, source=source, since=NOW
            )
            suppress(connection, entry)
    office.hear(msgspec.structs.replace(REPLY, said="start", word="twilio/SM2/reply"))
    with reading(office.engine) as connection:
        left = suppression_lines(connection, lines_max=9)
    assert [("globex", "by hand")] == [(each.company, each.reason) for each in left]


def test_what_a_carrier_says_of_stop_ends_with_start(office: Office) -> None:
    """Known by its refusal alone (Twilio's 21610): START opts in each account that was to be written to there."""
    office.delivered("r1", channel="sms")
    refused = msgspec.structs.replace(
        REPLY, word="twilio/SM1/failed", said="failed", reminder="r1", error_type="opted_out", reply=""
    )
    office.hear(refused)
    office.hear(msgspec.structs.replace(REPLY, said="start", word="twilio/SM2/reply"))
    assert [OutcomeReported, OptIn] == [type(each) for each in office.said()]
    with reading(office.engine) as connection:
        assert suppressed(connection, channel="sms", address=REPLY.address, company="acme") is None


def test_stop_and_start_reach_the_customer_that_lives(office: Office) -> None:
    """SEMANTICS 2.6: C1 was merged into C2, and that into C3: both the account that was written to and C3 hear it."""
    office.delivered("r1", channel="sms")
    merge(office.engine, "acme:C1", into="C2")
    merge(office.engine, "acme:C2", into="C3")
    office.hear(msgspec.structs.replace(REPLY, said="stop", error_type="opted_out"))
    office.hear(msgspec.structs.replace(REPLY, said="start", word="twilio/SM2/reply"))
    assert [(OptOut, "C1"), (OptOut, "C3"), (OptIn, "C1"), (OptIn, "C3")] == [
        (type(each), each.customer) for each in office.said()
    ]


def test_a_reply_and_a_complaint_of_a_merged_customer(office: Office) -> None:
    """The task is where somebody looks; the delivery's fate stays with its reminder, and the opt-out goes along."""
    office.delivered("r1", channel="sms")
    office.delivered("r2", account="acme:C1")
    merge(office.engine, "acme:C1", into="C2")
    office.hear(REPLY)
    complaint = {
        "word": "ses/2/complained",
        "reminder": "r2",
        "said": "complained",
        "error_type": "complaint",
    }
    office.hear(msgspec.structs.replace(FATE, **complaint))
    said = [(type(each), each.customer) for each in office.said()]
    assert [(RecordReply, "C2"), (OutcomeReported, "C1"), (OptOut, "C2")] == said


def test_two_that_were_merged_into_each_other_keep_their_words(office: Office) -> None:
    """They keep what they have, too: no word runs in a circle."""
    office.delivered("r1", channel="sms")
    merge(office.engine, "acme:C1", into="C2")
    merge(office.engine, "acme:C2", into="C1")
    office.hear(REPLY)
    assert ["C1"] == [each.customer for each in office.said()]


def test_stop_of_nobody_we_know_is_heeded(office: Office) -> None:
    """Who has never been written to and says stop will not be: the number is on the list."""
    assert 1 == office.hear(msgspec.structs.replace(REPLY, said="stop", error_type="opted_out"))
    assert suppressing(office.engine)([reminder("r4", channels=("sms",))], "sms")


def test_other_replies_go_to_a_person(office: Office) -> None:
    """To the account that was written to last, with the reminder that it answers."""
    tick = datetime.datetime(2026, 2, 1, tzinfo=datetime.UTC)
    office.delivered("r1", channel="sms", tick=tick)
    office.delivered("r2", channel="sms", account="acme:C2", tick=tick + datetime.timedelta(days=1))
    office.hear(REPLY)
    [reply] = office.said()
    assert isinstance(reply, RecordReply)
    assert ("C2", "r2", "I paid", "+34600000000") == (
        reply.customer,
        reply.reminder,
        reply.text,
        reply.address,
    )


def test_reply_of_nobody_is_a_dead_letter(office: Office) -> None:
    """Somebody should read it all the same."""
    assert 0 == office.hear(REPLY)
    office.now += datetime.timedelta(seconds=601)
    assert 1 == office.publisher.step()
    assert ["t.notify.outcome.v1.dlq"] == [topic for topic, _, _ in office.sent]


_BOSS = Contact(role="director", email="boss@customer.example")


@pytest.mark.parametrize(("said", "error"), [("bounced", "address_bounced"), ("complained", "complaint")])
def test_what_became_of_a_copy_is_no_fate_of_the_mail(office: Office, said: Any, error: Any) -> None:
    """B-13: whom it is for has it, so no level is given back and nobody is opted out; that address gets no more copies."""
    office.delivered(cc=(_BOSS,))
    assert 1 == office.hear(
        msgspec.structs.replace(FATE, said=said, error_type=error, address="Boss@customer.example")
    )
    assert [] == office.said()
    made = reminder(cc=(_BOSS, Contact(email="eva@customer.example")))
    written = sparing(RENDERER.message, engine=office.engine)(made, "email")
    assert ["eva@customer.example"] == [each.email for each in written.cc]
    assert {} == suppressing(office.engine)([made], "email")

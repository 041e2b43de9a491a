"""Twilio under the send ledger: what was lost on the way is found again, or sent again, and nobody gets it twice."""

import datetime
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import Engine, update

from infra.database.engine import reading, writing
from infra.database.queries.tracing import flights_of, ids_of_others
from infra.database.send_doubts import Doubts, Note, notes_of
from infra.database.send_ledger import SendLedger
from infra.database.send_tables import send_jobs
from infra.errors import OperatorError
from infra.settings import Settings
from notifiers.assembly import open_channel, utc_now
from notifiers.channel import Channel, Message, TracingChannel, traits_of
from notifiers.dispatch import Dispatcher
from notifiers.settings import SendSettings
from notifiers.sms.account import TwilioAccount
from notifiers.sms.twilio import TwilioChannel
from tests.notifiers.sending import (
    RENDERER,
    TICK,
    SettableClock,
    dispatcher,
    job_row,
    know,
    read,
    reminder,
    states,
)
from tests.notifiers.sms.twilio_server import ACCOUNT, SERVICE, TwilioServer

Loop = Callable[[str], Dispatcher]


class DiesAfter(TwilioChannel):
    """The worker ends when the provider has the message, before it has said so to anybody."""

    def send(self, message: Message) -> None:  # type: ignore[override]
        """Hand it over, and die."""
        super().send(message)
        raise KeyboardInterrupt


class DiesBefore(TwilioChannel):
    """The worker ends when the intent is written, before it has said anything to the provider."""

    def send(self, message: Message) -> None:  # type: ignore[override]
        """Die."""
        raise KeyboardInterrupt


@pytest.fixture
def clock() -> SettableClock:
    """Give a wall clock an hour after the reminders were decided."""
    return SettableClock(TICK + datetime.timedelta(hours=1))


@pytest.fixture
def server(httpserver: HTTPServer, clock: SettableClock) -> TwilioServer:
    """Give a provider that takes everything."""
    return TwilioServer(httpserver, now=clock())


def channel(engine: Engine, server: TwilioServer, kind: type[TwilioChannel] = TwilioChannel) -> TwilioChannel:
    """Open a channel whose ledger is this database's."""
    account = TwilioAccount(
        account_sid=ACCOUNT, secret="s3cret", messaging_service_sid=SERVICE, url=server.url, timeout_s=60
    )
    return kind(
        account,
        of_others=lambda ids, name: ids_of_others(engine, ids, channel="sms", reminder=name),
        flights=lambda mark, address, name: flights_of(
            engine, mark, address=address, channel="sms", reminder=name
        ),
    )


def loop(
    engine: Engine,
    server: TwilioServer,
    clock: SettableClock,
    *,
    owner: str,
    kind: type[TwilioChannel] = TwilioChannel,
) -> Dispatcher:
    """Make a loop of SMS."""
    made = channel(engine, server, kind)
    return dispatcher(engine, channel=made, name="sms", owner=owner, clock=clock)


def recorded(engine: Engine, running: Dispatcher, *names: str) -> None:
    """Let the read model know the account, and the loop its reminders."""
    know(engine)
    running.record([read(reminder(name, channels=("sms",))) for name in names])


@pytest.mark.parametrize("kind", [DiesAfter, DiesBefore])
def test_a_worker_that_died_leaves_one_message(
    engine: Engine, server: TwilioServer, clock: SettableClock, kind: type[TwilioChannel]
) -> None:
    """Its heir asks: what is listed was taken; what is not, after a minute, is sent. Once, either way."""
    dead = loop(engine, server, clock, owner="dead", kind=kind)
    recorded(engine, dead, "r1")
    with pytest.raises(KeyboardInterrupt):
        dead.run(partitions=[0])
    heir = loop(engine, server, clock, owner="heir")
    heir.recover(partitions=[0])
    for _ in range(10):
        clock.pass_s(60)
        heir.look_after(partitions=[0])
        heir.run(partitions=[0])
    assert {"r1/sms": "accepted"} == states(engine)
    assert 1 == len(server.taken)
    assert server.taken[0]["sid"] == job_row(engine, "r1", channel="sms")["provider_id"]


def test_a_lost_answer_ends_by_asking(engine: Engine, server: TwilioServer, clock: SettableClock) -> None:
    """The provider cannot be asked at once; later it says that it has the message."""
    running = loop(engine, server, clock, owner="me")
    recorded(engine, running, "r1")
    server.loses = True
    running.run(partitions=[0])
    server.loses = False
    assert {"r1/sms": "unknown"} == states(engine)
    clock.pass_s(90)
    assert 1 == running.look_after(partitions=[0])
    assert {"r1/sms": "accepted"} == states(engine)
    assert 1 == len(server.requests)


def test_a_gateway_that_gave_up_is_asked_until_it_is_sure(
    engine: Engine, server: TwilioServer, clock: SettableClock
) -> None:
    """502, and nothing is listed: held at first, sent when a minute has shown that nothing came of it."""
    running = loop(engine, server, clock, owner="me")
    recorded(engine, running, "r1")
    server.refusals.append((502, 0))
    running.run(partitions=[0])
    assert {"r1/sms": "unknown"} == states(engine)
    clock.pass_s(90)
    assert 1 == running.look_after(partitions=[0])
    running.run(partitions=[0])
    assert {"r1/sms": "accepted"} == states(engine)
    assert (2, 1) == (len(server.requests), len(server.taken))


class Desk:
    """One phone that two customers have, a provider whose answers get lost, and hours that go by."""

    def __init__(self, engine: Engine, server: TwilioServer, clock: SettableClock) -> None:
        self.engine, self.server, self.clock = engine, server, clock
        self.loop = loop(engine, server, clock, owner="me")

    def lose(self, name: str, *, text: str = "", is_taken: bool) -> None:
        """Hand one over, whose answer does not come."""
        self.server.now = self.clock.now
        know(self.engine, clock=self.clock.now)
        made = reminder(name, channels=("sms",), mode="live", not_before=TICK)
        self.loop.record([read(msgspec.structs.replace(made, text=text))])
        self.server.loses = is_taken
        if not is_taken:
            self.server.refusals.append((502, 0))
        self.loop.run(partitions=[0])
        self.server.loses = False
        assert "unknown" == states(self.engine)[f"{name}/sms"]

    def ask(self, *, after_s: float = 4_000.0) -> None:
        """Let time go by, have the provider asked, and send what may be sent again."""
        self.clock.pass_s(after_s)
        self.server.now = self.clock.now
        know(self.engine, clock=self.clock.now)
        self.loop.look_after(partitions=[0])
        while self.loop.run(partitions=[0]):
            pass

    def ids(self) -> dict[str, object]:
        """Read which message each accepted delivery is said to have."""
        rows = {
            name.removesuffix("/sms"): job_row(self.engine, name.removesuffix("/sms"), channel="sms")
            for name, state in states(self.engine).items()
            if state == "accepted"
        }
        return {name: row["provider_id"] for name, row in rows.items()}


@pytest.fixture
def desk(engine: Engine, server: TwilioServer, clock: SettableClock) -> Desk:
    """Give one."""
    return Desk(engine, server, clock)


def test_two_doubts_of_one_number_are_told_apart_by_their_texts(desk: Desk) -> None:
    """Neither blocks the other: what is listed was taken, what is not goes again, each once."""
    desk.lose("r1", text="first words", is_taken=True)
    desk.lose("r2", text="other words", is_taken=False)
    desk.ask()
    first, second = desk.server.taken
    assert {"r1": first["sid"], "r2": second["sid"]} == desk.ids()
    assert ["first words", "other words"] == [each["body"] for each in desk.server.taken]


def test_two_of_the_same_words_that_were_both_taken_have_a_message_each(desk: Desk) -> None:
    """Two messages, two deliveries: whichever is asked about first, no message is given twice."""
    desk.lose("r1", is_taken=True)
    desk.lose("r2", is_taken=True)
    desk.ask()
    assert {"r1", "r2"} == desk.ids().keys()
    assert {each["sid"] for each in desk.server.taken} == set(desk.ids().values())


@pytest.mark.parametrize("taken", ["r1", "r2"])
def test_two_of_the_same_words_are_told_apart_by_their_hours(desk: Desk, taken: str) -> None:
    """One of them was taken, hours from the other: the message is of the one that was under way then; the other goes again."""
    desk.lose("r1", is_taken=taken == "r1")
    desk.clock.pass_s(3 * 3_600)
    desk.lose("r2", is_taken=taken == "r2")
    desk.ask(after_s=5 * 3_600)
    first, second = desk.server.taken
    other = "r2" if taken == "r1" else "r1"
    assert {taken: first["sid"], other: second["sid"]} == desk.ids()


def test_two_of_the_same_words_at_the_same_time_are_for_a_person(desk: Desk) -> None:
    """One message, and nobody can say whose: both are held, with what there is; what a person says of one decides no other."""
    desk.lose("r1", is_taken=False)
    desk.lose("r2", is_taken=True)
    desk.ask()
    assert {"r1/sms": "unknown", "r2/sms": "unknown"} == states(desk.engine)
    with reading(desk.engine) as connection:
        word = notes_of(connection, reminder="r1", channel="sms")[-1]
    [taken] = desk.server.taken
    assert "not_asked" == word.what
    for part in ("1 messages", str(taken["sid"]), "2 deliveries", "(r1, r2)"):
        assert part in word.detail
    said = Note(at=desk.clock.now, author="Ana", what="said", detail="she has it")
    Doubts(desk.engine, channel="sms").resolve("r2", said="accepted", occurred_at="t", note=said)
    desk.ask(after_s=3 * 3_600)
    assert {"r1/sms": "unknown", "r2/sms": "accepted"} == states(desk.engine)
    assert 1 == len(desk.server.taken)


def test_a_message_of_one_that_is_still_under_way_is_given_to_nobody(desk: Desk) -> None:
    """A frozen notifier may wake with its answer: until it is known to be gone, no doubt of the same words ends by its message."""
    desk.lose("r1", is_taken=False)
    desk.lose("r2", is_taken=True)
    with writing(desk.engine) as connection:
        values = {"state": "sending", "owner": "frozen", "held_since": desk.clock.now}
        connection.execute(update(send_jobs).where(send_jobs.c.reminder == "r2").values(**values))
    desk.clock.pass_s(4_000)
    job = SendLedger(desk.engine, channel="sms", owner="", reader_age_s_max=60.0).job("r1")
    assert job is not None
    assert "cannot say" == desk.loop._arbiter.ask_about(job)
    with reading(desk.engine) as connection:
        word = notes_of(connection, reminder="r1", channel="sms")[-1]
    assert word.detail.endswith("another delivery says the same to this number just now: r2")


def test_several_go_at_once(engine: Engine, server: TwilioServer, clock: SettableClock) -> None:
    """Four threads, a connection each; every message is taken once."""
    running = loop(engine, server, clock, owner="me")
    recorded(engine, running, *(f"r{number}" for number in range(12)))
    while running.run(partitions=[0]):
        pass
    assert {"accepted"} == set(states(engine).values())
    assert (12, 12) == (len(server.taken), len({str(each["sid"]) for each in server.taken}))


def test_an_installation_opens_its_channel(
    engine: Engine, server: TwilioServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By variables; what is missing is named."""
    for name, value in {
        "ACCOUNT_SID": ACCOUNT,
        "AUTH_TOKEN": "s3cret",
        "SENDER": "+15005550006",
        "URL": server.url,
        "STATUS_URL": "https://pay.example/hooks",
    }.items():
        monkeypatch.setenv(f"COBRANZA_SEND_TWILIO_{name}", value)
    settings, send = Settings(data_dir=tmp_path), SendSettings(sms="twilio")

    def opened() -> Channel:
        return open_channel("sms", settings=settings, send=send, engine=engine, clock=utc_now)

    traits = traits_of(opened())
    assert ("twilio", ACCOUNT + "/+15005550006", 60.0) == (traits.provider, traits.endpoint, traits.settles_s)
    assert isinstance(opened(), TracingChannel)
    opened().send(RENDERER.message(reminder("r1", channels=("sms",)), "sms"))
    monkeypatch.delenv("COBRANZA_SEND_TWILIO_STATUS_URL")
    monkeypatch.setenv("COBRANZA_PUBLIC_URL", "https://pay.example/c")
    opened().send(RENDERER.message(reminder("r2", channels=("sms",)), "sms"))
    assert [
        "https://pay.example/hooks?reminder=r1",
        "https://pay.example/c/hooks/twilio/status?reminder=r2",
    ] == [asked["StatusCallback"] for asked in server.requests]
    monkeypatch.delenv("COBRANZA_SEND_TWILIO_SENDER")
    with pytest.raises(OperatorError, match="one of messaging_service_sid and sender"):
        opened()
    monkeypatch.setenv("COBRANZA_SEND_TWILIO_AUTH_TOKEN", "")
    with pytest.raises(OperatorError, match="auth_token are needed"):
        opened()
    monkeypatch.setenv("COBRANZA_SEND_TWILIO_MESSAGING_SERVICE_SID", "service")
    with pytest.raises(OperatorError, match="COBRANZA_SEND_TWILIO_MESSAGING_SERVICE_SID"):
        opened()

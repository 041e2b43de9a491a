"""Twilio under the send ledger: what was lost on the way is found again, or sent again, and nobody gets it twice."""

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import Engine

from infra.database.queries.tracing import ids_of_others, in_flight_to
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
        account_sid=ACCOUNT, secret="s3cret", messaging_service_sid=SERVICE, url=server.url, timeout_s=0.5
    )
    return kind(
        account,
        of_others=lambda ids, name: ids_of_others(engine, ids, channel="sms", reminder=name),
        in_flight=lambda phone, name: in_flight_to(engine, phone, channel="sms", reminder=name),
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
    """The provider was too slow to be asked at once; later it says that it has the message."""
    running = loop(engine, server, clock, owner="me")
    recorded(engine, running, "r1")
    server.silent.set()
    running.run(partitions=[0])
    server.released.set()
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


def test_two_of_the_same_words_are_for_a_person(
    engine: Engine, server: TwilioServer, clock: SettableClock
) -> None:
    """Both answers are lost, one message is listed: nobody can say whose it is, so nothing is sent again."""
    running = loop(engine, server, clock, owner="me")
    recorded(engine, running, "r1", "r2")
    server.refusals += [(502, 0)]
    server.silent.set()
    running.run(partitions=[0])
    server.released.set()
    running.run(partitions=[0])
    clock.pass_s(90)
    running.look_after(partitions=[0])
    found = states(engine)
    assert "unknown" in found.values()
    assert len(server.taken) <= 2


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

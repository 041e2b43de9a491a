"""SMS by Twilio against a stand-in: what each answer means, what no answer means, and what is found again."""

import datetime
import logging
import re
from collections.abc import Callable, Collection, Sequence

import msgspec
import pytest
from pytest_httpserver import HTTPServer
from twilio.base.exceptions import TwilioException

from infra.database.queries.tracing import Flight
from infra.ports import free_port
from notifiers.channel import Message, PermanentError, TemporaryError, TracingChannel, UncertainError
from notifiers.sms.account import TwilioAccount
from notifiers.sms.twilio import TwilioChannel
from schemas.events import Contact
from tests.notifiers.sending import CONTACT, RENDERER, TICK, SettableClock, reminder
from tests.notifiers.sms.twilio_server import ACCOUNT, MESSAGES, SERVICE, TwilioServer, cutting_server

PHONE = "+34600000000"


class Ledger:
    """What the send ledger knows: ids of other deliveries, and which are in flight."""

    def __init__(self) -> None:
        self.others: set[str] = set()
        self.flying: list[Flight] = []

    def of_others(self, ids: Collection[str], _reminder: str) -> Collection[str]:
        """Give those that are others'."""
        return self.others.intersection(ids)

    def flights(self, _mark: str, _address: str, _reminder: str) -> Sequence[Flight]:
        """List them."""
        return self.flying


@pytest.fixture
def clock() -> SettableClock:
    """Give a wall clock an hour after the reminder was decided."""
    return SettableClock(TICK + datetime.timedelta(hours=1))


@pytest.fixture
def server(httpserver: HTTPServer, clock: SettableClock) -> TwilioServer:
    """Give a provider that takes everything."""
    return TwilioServer(httpserver, now=clock())


@pytest.fixture
def ledger() -> Ledger:
    """Give a ledger without other deliveries."""
    return Ledger()


Open = Callable[..., TwilioChannel]


@pytest.fixture
def opened(server: TwilioServer, ledger: Ledger) -> Open:
    """Give a function that opens a channel to the stand-in."""

    def open_(**more: object) -> TwilioChannel:
        plain = TwilioAccount(
            account_sid=ACCOUNT, secret="s3cret", messaging_service_sid=SERVICE, url=server.url, timeout_s=60
        )
        account = msgspec.structs.replace(plain, **more)
        return TwilioChannel(account, of_others=ledger.of_others, flights=ledger.flights)

    return open_


def message(contact: Contact = CONTACT, *, name: str = "r1", country: str = "") -> Message:
    """Make an SMS."""
    made = RENDERER.message(reminder(name, contact=contact, channels=("sms",)), "sms")
    return msgspec.structs.replace(made, country=country)


def _phone(number: str) -> Contact:
    return msgspec.structs.replace(CONTACT, phone=number)


def test_a_message_is_handed_over_whole(server: TwilioServer, opened: Open) -> None:
    """Recipient, text, service, validity, and a callback that names the reminder; the receipt has the provider's id."""
    channel = opened(status_url="https://pay.example/hooks/twilio", validity_s=600)
    receipt = channel.send(message(name="r/1"))
    assert "SM" + "0" * 32 == receipt.provider_id
    (asked,) = server.requests
    assert {
        "To": PHONE,
        "Body": message(name="r/1").text,
        "MessagingServiceSid": SERVICE,
        "ValidityPeriod": "600",
        "SmartEncoded": "False",
        "StatusCallback": "https://pay.example/hooks/twilio?reminder=r%2F1",
    } == {name: value if name != "SmartEncoded" else value.capitalize() for name, value in asked.items()}
    assert [(ACCOUNT, "s3cret")] == server.authorized


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (400, {"code": "SMS-7", "message": "no"}, PermanentError),
        (401, {"code": "AUTH-1", "message": "who?"}, TemporaryError),
        (500, {"code": "OOPS", "message": "we failed"}, UncertainError),
        (400, {"type": "t", "title": "no", "status": 400, "code": 21211, "detail": "To"}, PermanentError),
        (401, {"type": "t", "title": "who?", "status": 401, "code": 20003}, TemporaryError),
        (500, {"type": "t", "title": "we failed", "status": "late", "code": "x"}, UncertainError),
    ],
)
def test_a_refusal_is_read_in_whatever_form(
    httpserver: HTTPServer, opened: Open, status: int, answer: dict[str, object], kind: type[Exception]
) -> None:
    """A code that is no number, and the newer form of problems (RFC 9457): the status speaks, and nothing breaks."""
    httpserver.clear()
    httpserver.expect_request(MESSAGES).respond_with_json(answer, status=status)
    with pytest.raises(kind):
        opened().send(message())


def test_the_clients_own_error_is_in_doubt(monkeypatch: pytest.MonkeyPatch, opened: Open) -> None:
    """It has no status by which to know that nothing was taken."""
    channel = opened()

    def fail(*_: object, **__: object) -> None:
        raise TwilioException("it broke")

    monkeypatch.setattr(channel._wire, "request", fail)
    with pytest.raises(UncertainError, match="it broke"):
        channel.send(message())


def test_a_sender_of_ones_own_and_an_api_key(server: TwilioServer, opened: Open) -> None:
    """Without a service the message names its sender; a key signs for the account."""
    channel = opened(messaging_service_sid="", sender="+15005550006", key_sid="SK1")
    channel.send(message())
    assert "+15005550006" == server.requests[0]["From"]
    assert "MessagingServiceSid" not in server.requests[0]
    assert "StatusCallback" not in server.requests[0]
    assert [("SK1", "s3cret")] == server.authorized


def test_a_number_is_dialled_in_the_customers_country(server: TwilioServer, opened: Open) -> None:
    """'9 6123 4567' in Chile is +56961234567."""
    opened().send(message(_phone("9 6123 4567"), country="CL"))
    assert "+56961234567" == server.requests[0]["To"]


@pytest.mark.parametrize(
    ("phone", "country", "error_type"),
    [
        ("", "CL", "address_missing"),
        ("call Ana", "CL", "address_refused"),
        ("961234567", "", "address_refused"),
        ("123", "CL", "address_refused"),
        ("+44 20 7946 0000", "", "address_refused"),
    ],
)
def test_what_is_no_mobile_number_is_not_sent(
    server: TwilioServer, opened: Open, phone: str, country: str, error_type: str
) -> None:
    """No number, no country, too short, a landline in London: refused here, and nothing is paid for."""
    with pytest.raises(PermanentError) as refused:
        opened().send(message(_phone(phone), country=country))
    assert error_type == refused.value.error_type
    assert [] == server.requests


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((400, 21610), PermanentError),
        ((401, 20003), TemporaryError),
        ((429, 20429), TemporaryError),
        ((503, 0), TemporaryError),
        ((500, 0), UncertainError),
        ((502, 0), UncertainError),
    ],
)
def test_refusals(
    server: TwilioServer, opened: Open, answer: tuple[int, int], error: type[Exception]
) -> None:
    """STOP, a wrong token, too many, down, nobody knows; each is asked once, and the next message goes."""
    server.refusals.append(answer)
    channel = opened()
    with pytest.raises(error):
        channel.send(message())
    assert 1 == len(server.requests)
    assert channel.send(message(name="r2")).provider_id


@pytest.mark.parametrize("status", [429, 503])
def test_how_long_it_is_to_be_left_alone_is_told(httpserver: HTTPServer, opened: Open, status: int) -> None:
    """Retry-After of a refusal, of a sending and of the list alike; that of an answer before says nothing of the next one."""
    httpserver.clear()
    busy = {"code": 20429, "message": "too many", "status": status}
    httpserver.expect_ordered_request(MESSAGES).respond_with_json(
        busy, status=status, headers={"Retry-After": "120"}
    )
    httpserver.expect_ordered_request(MESSAGES).respond_with_json(busy, status=status)
    httpserver.expect_ordered_request(MESSAGES).respond_with_json(
        busy, status=status, headers={"Retry-After": "30"}
    )
    channel = opened()
    for wait_s in (120.0, 0.0):
        with pytest.raises(TemporaryError) as caught:
            channel.send(message())
        assert wait_s == caught.value.retry_after_s
    with pytest.raises(TemporaryError) as caught:
        channel.find(message())
    assert 30.0 == caught.value.retry_after_s


def test_what_is_taken_as_failed_has_failed(opened: Open, server: TwilioServer) -> None:
    """The provider takes some messages and says at once that they go nowhere."""
    take = server.take
    server.take = lambda **asked: take(**asked, status="failed", error_code=30006, error_message="landline")  # type: ignore[method-assign]
    with pytest.raises(PermanentError, match="code 30006"):
        opened().send(message())


def test_no_connection_is_no_message(opened: Open) -> None:
    """Nothing was said: it waits, and all of the channel with it."""
    with pytest.raises(TemporaryError):
        opened(url=f"http://127.0.0.1:{free_port()}").send(message())


def test_a_proxy_that_lets_nothing_through_is_no_message(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tunnel to the provider was never there: no SMS is in doubt by it."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(TemporaryError):
        opened(url="https://api.twilio.example").send(message())


def test_a_proxy_that_refuses_the_tunnel_is_no_message(
    opened: Open, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """407 on CONNECT: a person mends the proxy's password, and nothing is in doubt until then."""
    monkeypatch.setenv("https_proxy", httpserver.url_for("/"))
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    httpserver.expect_request(re.compile(".*"), method="CONNECT").respond_with_data("who?", status=407)
    with pytest.raises(TemporaryError, match="Tunnel connection failed"):
        opened(url="https://api.twilio.example").send(message())


def test_a_proxy_that_hangs_up_after_the_message_is_nobody_knows(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had the whole message, and may have handed it on: a second one would be sent for nothing."""
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with cutting_server() as proxy:
        monkeypatch.setenv("http_proxy", proxy)
        with pytest.raises(UncertainError):
            opened(url="http://api.twilio.example").send(message())


def test_no_answer_in_time_is_asked_once(server: TwilioServer, opened: Open) -> None:
    """The provider took it and was slow: nobody knows, and no second request is made."""
    server.silent = True
    with pytest.raises(UncertainError):
        opened(timeout_s=0.3).send(message())
    server.released.set()
    assert server.answered.wait(60)  # on a busy machine it may be read after its sender has gone
    assert 1 == len(server.requests)


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"HTTP/1.1 201 CREATED\r\nContent-Length: 500\r\nContent-Type: application/json\r\n\r\n{",
        b"HTTP/1.1 201 CREATED\r\nContent-Length: 1\r\nContent-Type: application/json\r\n\r\n{",
    ],
)
def test_a_cut_answer_is_nobody_knows(opened: Open, first: bytes) -> None:
    """Hung up on before, within, or instead of the answer."""
    with cutting_server(first) as url, pytest.raises(UncertainError):
        opened(url=url).send(message())


def test_a_lost_answer_is_found(server: TwilioServer, opened: Open) -> None:
    """After a crash the list is asked for number and text: it has the message, whose id is given."""
    opened().send(message())
    after = opened()
    assert isinstance(after, TracingChannel)
    found = after.find(message())
    assert found is not None
    assert server.taken[0]["sid"] == found.provider_id


def test_a_trial_accounts_words_are_no_other_text(server: TwilioServer, opened: Open) -> None:
    """They stand before ours."""
    server.take(to=PHONE, body=f"Sent from your Twilio trial account - {message().text}")
    assert opened().find(message()) is not None


def test_what_is_not_listed_is_not_there(server: TwilioServer, opened: Open) -> None:
    """Another text, an older message, an answer of the customer's: none is ours. It takes a minute to be sure."""
    channel = opened()
    server.take(to=PHONE, body="something else")
    server.take(to=PHONE, body=message().text, at=TICK - datetime.timedelta(days=1))
    server.take(to=PHONE, body=message().text, direction="inbound")
    assert channel.find(message()) is None
    assert 60.0 == channel.traits.settles_s


def test_another_deliverys_message_is_not_ours(server: TwilioServer, opened: Open, ledger: Ledger) -> None:
    """Two customers with one phone and the same words: the message that has an owner is not given away."""
    taken = server.take(to=PHONE, body=message().text)
    ledger.others = {taken["sid"]}
    assert opened().find(message()) is None


def test_it_does_not_guess(server: TwilioServer, opened: Open, ledger: Ledger) -> None:
    """One message that two deliveries may have brought, or two that one may have: a person decides, who is told what is there."""
    mark = opened().mark(message())
    taken = server.take(to=PHONE, body=message().text)
    flight = Flight(reminder="r2", mark=mark, since=TICK, until=None, is_over=True)
    ledger.flying = [flight, msgspec.structs.replace(flight, reminder="r1")]
    with pytest.raises(TemporaryError, match=r"1 messages .* 2 deliveries .* \(r1, r2\)") as caught:
        opened().find(message())
    assert str(taken["sid"]) in caught.value.detail
    ledger.flying = []
    server.take(to=PHONE, body=message().text)
    with pytest.raises(TemporaryError, match=r"2 messages .* 1 deliveries"):
        opened().find(message())


def test_what_is_found_has_the_text_that_was_sent(server: TwilioServer, opened: Open, ledger: Ledger) -> None:
    """A template that was changed since makes no message one that was not taken."""
    taken = server.take(to=PHONE, body="as it was written then")
    then = opened().mark(msgspec.structs.replace(message(), text="as it was written then"))
    ledger.flying = [Flight(reminder="r1", mark=then, since=TICK, until=None, is_over=False)]
    found = opened().find(message())
    assert found is not None
    assert taken["sid"] == found.provider_id


def test_it_says_when_it_cannot_say(server: TwilioServer, opened: Open) -> None:
    """The list is refused, is too long, or keeps no texts."""
    server.unlisted.append((401, 20003))
    with pytest.raises(TemporaryError, match="refused"):
        opened().find(message())
    server.take(to=PHONE, body="")
    with pytest.raises(TemporaryError, match="keeps no texts"):
        opened().find(message())
    server.taken *= 1000
    with pytest.raises(TemporaryError, match="1000 messages"):
        opened().find(message())
    with pytest.raises(TemporaryError, match="cannot be read"):
        opened(url=f"http://127.0.0.1:{free_port()}").find(message())


def test_what_has_no_number_was_never_taken(opened: Open) -> None:
    """A crash while a bad number was refused leaves nothing in doubt."""
    assert opened().find(message(_phone("call Ana"))) is None


def test_nothing_of_a_message_is_logged(
    opened: Open, caplog: pytest.LogCaptureFixture, server: TwilioServer
) -> None:
    """Neither number nor text: logs are kept longer and read by more people."""
    caplog.set_level(logging.DEBUG)
    opened().send(message())
    server.refusals.append((400, 21614))
    with pytest.raises(PermanentError):
        opened().send(message(name="r2"))
    said = caplog.text
    assert PHONE not in said
    assert PHONE.removeprefix("+") not in said
    assert message().text[:30] not in said

"""Letters by a print-and-post service (S0-08): priced before, asked for afterwards, and never two of one."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine

from notifiers.channel import Cost, Message, PermanentError, TemporaryError, UncertainError
from notifiers.paper.post import PostalLetter, PostChannel, Posted, PostOptions
from notifiers.paper.post_http import HttpPost, PostServer
from schemas.events import Contact
from tests.notifiers.certificates import certificate_of
from tests.notifiers.paper.post_office import PostOffice, post_office
from tests.notifiers.sending import RENDERER, SettableClock, dispatcher, know, read, reminder, states
from tests.notifiers.tls_servers import listening, presenting


@pytest.fixture
def office() -> Iterator[PostOffice]:
    """Give a service on this machine."""
    with post_office() as opened:
        yield opened


def channel(office: PostOffice, *, key: str = "secret", price_max: Cost | None = None) -> PostChannel:
    """Make the channel to it."""
    server = PostServer(url=office.url, user="desk", key=key, timeout_s=60)
    return PostChannel(HttpPost(server), options=PostOptions(), price_max=price_max)


class _ImpatientPost(HttpPost):
    """Waits a moment for what is said to a letter; for all else as long as a busy machine takes."""

    def submit(self, letter: PostalLetter) -> Posted:
        return HttpPost(msgspec.structs.replace(self._server, timeout_s=0.5)).submit(letter)


def letter(name: str = "r1", *, contact: Contact | None = None) -> Message:
    """Write a letter."""
    made = (
        reminder(name, channels=("letter",), contact=contact)
        if contact
        else reminder(name, channels=("letter",))
    )
    return RENDERER.message(made, "letter")


def test_a_letter_is_posted_with_its_address_and_its_price(office: PostOffice) -> None:
    """S0-08: PDF, address as in the window, reference; the receipt has the service's id and what it charges."""
    receipt = channel(office).send(letter())
    assert ("L-1", Cost(currency="EUR", micros=850_000, parts=1)) == (receipt.provider_id, receipt.cost)
    assert ["Samples & Signals Ltd", "Zoë Ñandú", "Calle 1", "28001 Madrid"] != office.letters["r1"][
        "recipient"
    ]
    assert ["Corner Bakery Ltd", "Zoë Ñandú", "Calle 1", "28001 Madrid"] == office.letters["r1"]["recipient"][
        "lines"
    ]


def test_the_price_is_known_before_a_letter_is_handed_over(office: PostOffice) -> None:
    """A quote hands nothing over, and is asked once for letters of one kind."""
    sender = channel(office)
    assert Cost(currency="EUR", micros=850_000, parts=1) == sender.quote(letter())
    assert ({}, ["POST /quotes"]) == (office.letters, office.asked)
    sender.send(letter("r1"))
    sender.send(letter("r2"))
    assert 1 == office.asked.count("POST /quotes")


def test_a_letter_that_is_too_dear_is_not_sent(office: PostOffice) -> None:
    """provider_refused, so that the next channel has its turn (R19)."""
    limit = Cost(currency="EUR", micros=500_000)
    with pytest.raises(PermanentError) as caught:
        channel(office, price_max=limit).send(letter())
    assert ("provider_refused", {}) == (caught.value.error_type, office.letters)
    assert "1 sheets cost EUR 0.8500, at most EUR 0.5000 is allowed" == caught.value.detail


@pytest.mark.parametrize(
    ("status", "code", "error_type"),
    [
        (400, "address_unknown", "address_refused"),
        (422, "address_incomplete", "address_refused"),
        (413, "document_too_large", "content_refused"),
        (422, "document_fonts", "content_refused"),
        (422, "country_not_served", "provider_refused"),
    ],
)
def test_what_is_refused_for_good(office: PostOffice, status: int, code: str, error_type: str) -> None:
    """Each refusal has a closed type; the detail has the service's words."""
    office.answers = [(status, code)]
    with pytest.raises(PermanentError) as caught:
        channel(office).send(letter())
    assert (error_type, {}) == (caught.value.error_type, office.letters)
    assert f"{status}: {code}: {code} was asked for" == caught.value.detail


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (402, "credit_exhausted"),
        (403, "suspended"),
        (404, "no_such_path"),
        (408, "slow"),
        (429, "too_many"),
        (503, "down"),
    ],
)
def test_what_is_refused_for_now_stops_the_channel(office: PostOffice, status: int, code: str) -> None:
    """No credit left, too many requests, closed: certainly not taken, and no other letter fares better."""
    office.answers = [(status, code)]
    sender = channel(office)
    with pytest.raises(TemporaryError) as caught:
        sender.send(letter())
    assert (True, {}) == (caught.value.provider_down, office.letters)
    assert sender.send(letter()).provider_id == "L-1"  # once it is mended


@pytest.mark.parametrize("status", [429, 503])
def test_how_long_a_service_is_to_be_left_alone_is_told(office: PostOffice, status: int) -> None:
    """Retry-After: of a letter, of a question about one."""
    office.answers, office.retry_after = [(status, "busy")], "300"
    sender = channel(office)
    with pytest.raises(TemporaryError) as caught:
        sender.send(letter())
    assert 300.0 == caught.value.retry_after_s
    office.quiet = [(status, "busy")]
    with pytest.raises(TemporaryError) as caught:
        sender.find(letter())
    assert 300.0 == caught.value.retry_after_s


def test_a_wrong_key_stops_the_channel(office: PostOffice) -> None:
    """401: nothing goes until a person has mended it, and the key is in no message."""
    with pytest.raises(TemporaryError) as caught:
        channel(office, key="wrong").send(letter())
    assert caught.value.provider_down
    assert "wrong" not in caught.value.detail


def test_an_answer_that_does_not_come_is_asked_for(office: PostOffice) -> None:
    """The letter was taken, and nothing was said: the same."""
    office.answers = ["silent after"]
    server = PostServer(url=office.url, user="desk", key="secret", timeout_s=60)
    sender = PostChannel(_ImpatientPost(server), options=PostOptions())
    with pytest.raises(UncertainError):
        sender.send(letter())
    assert office.is_silent.wait(60)  # on a busy machine it may be taken after its sender has gone
    found = sender.find(letter())
    assert found is not None
    assert ("L-1", 1) == (found.provider_id, office.submitted())


@pytest.mark.parametrize("trouble", ["drop after", "garbage after"])
def test_a_lost_answer_is_asked_for(office: PostOffice, trouble: str) -> None:
    """The letter was taken and nobody said so: uncertain, and found by its reference."""
    office.answers = [trouble]  # type: ignore[list-item]  # a parameter is any text
    sender = channel(office)
    with pytest.raises(UncertainError):
        sender.send(letter())
    found = sender.find(letter())
    assert found is not None
    assert ("L-1", 1) == (found.provider_id, office.submitted())


@pytest.mark.parametrize("trouble", ["drop before", (500, "oops"), (502, "gateway"), (504, "late")])
def test_an_unclear_answer_to_a_letter_that_was_not_taken(office: PostOffice, trouble: object) -> None:
    """Uncertain, and the service says that it has no such letter: it goes again."""
    office.answers = [trouble]  # type: ignore[list-item]
    sender = channel(office)
    with pytest.raises(UncertainError):
        sender.send(letter())
    assert sender.find(letter()) is None
    assert "L-1" == sender.send(letter()).provider_id


def test_a_letter_that_was_taken_is_not_handed_over_again(office: PostOffice) -> None:
    """After trouble the same worker asks first; another one is told 409 and asks then. One letter is posted."""
    office.answers = ["drop after"]
    sender = channel(office)
    with pytest.raises(UncertainError):
        sender.send(letter())
    assert "L-1" == sender.send(letter()).provider_id
    assert 1 == office.submitted()
    assert "L-1" == channel(office).send(letter()).provider_id
    assert ["r1"] == list(office.letters)


def test_an_outage_leaves_one_letter_in_doubt(office: PostOffice) -> None:
    """While the service answers no question, nothing more is handed over: the others wait."""
    office.answers, office.quiet = [(500, "oops")], [(500, "oops")] * 3
    sender = channel(office)
    with pytest.raises(UncertainError):
        sender.send(letter("r1"))
    for name in ("r2", "r3"):
        with pytest.raises(TemporaryError):
            sender.send(letter(name))
    assert 1 == office.submitted()


def test_no_service_is_for_later(office: PostOffice) -> None:
    """Nobody listens: not sent."""
    server = PostServer(url="http://127.0.0.1:9/v1", user="desk", key="secret", timeout_s=60)
    with pytest.raises(TemporaryError):
        PostChannel(HttpPost(server), options=PostOptions()).send(letter())


def test_letters_and_keys_travel_by_https_only() -> None:
    """Another scheme is refused at start, but for this machine."""
    with pytest.raises(ValueError, match="https"):
        HttpPost(PostServer(url="http://print.example/v1", user="", key=""))


def test_certificates_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for each letter: that took as long as to write three of them. Nobody listens, which is for later."""
    made: list[ssl.SSLContext] = []
    trusting = ssl.create_default_context

    def counted() -> ssl.SSLContext:
        made.append(trusting())
        return made[-1]

    monkeypatch.setattr(ssl, "create_default_context", counted)
    service = HttpPost(PostServer(url="https://127.0.0.1:9/v1", user="desk", key="key"))
    for _ in range(3):
        with pytest.raises(TemporaryError):
            service.status("r1")
    assert [(True, ssl.CERT_REQUIRED)] == [(each.check_hostname, each.verify_mode) for each in made]


def test_a_changed_file_of_certificates_needs_no_restart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The service shows a new certificate, and the file of those we trust gets it: the second next question is answered."""
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    old, new = certificate_of(tmp_path / "old"), certificate_of(tmp_path / "new")
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(old.read_bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    context = presenting(new)

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as inside:
            inside.recv(65_536)
            inside.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"letters":[]}')

    with listening(serve) as url:
        service = HttpPost(PostServer(url=f"{url}/v1", user="desk", key="secret", timeout_s=60))
        for _ in range(2):
            with pytest.raises(TemporaryError, match="CERTIFICATE_VERIFY_FAILED"):
                service.status("r1")
        trusted.write_bytes(new.read_bytes())
        with pytest.raises(TemporaryError, match="CERTIFICATE_VERIFY_FAILED"):
            service.status("r1")
        assert service.status("r1") is None


def test_without_an_address_nothing_is_posted(office: PostOffice) -> None:
    """R27: address_missing."""
    with pytest.raises(PermanentError) as caught:
        channel(office).send(letter(contact=Contact(name="Nobody")))
    assert ("address_missing", []) == (caught.value.error_type, office.asked)


@pytest.mark.parametrize(
    "trouble", ["drop before", "drop after", "garbage after", (500, "oops"), (503, "down"), (429, "many")]
)
def test_one_letter_through_the_loop(sqlite_engine: Engine, office: PostOffice, trouble: object) -> None:
    """Whatever goes wrong at the first try, in the end the service has the letter once, and the ledger knows it."""
    know(sqlite_engine)
    office.answers = [trouble]  # type: ignore[list-item]
    clock = SettableClock()
    loop = dispatcher(sqlite_engine, channel=channel(office), name="letter", clock=clock)
    loop.record([read(reminder(channels=("letter",)))])
    for _ in range(3):
        loop.look_after(partitions=[0])
        loop.run(partitions=[0])
        clock.pass_s(100)
    assert ({"r1/letter": "accepted"}, ["r1"]) == (states(sqlite_engine), list(office.letters))

"""SES over TLS: what broke before a byte of the request was out may go again, what broke afterwards nobody knows."""

import socket
from pathlib import Path

import pytest

from notifiers.channel import TemporaryError, UncertainError
from notifiers.mail.ses import SesChannel, ses_channel
from notifiers.mail.settings import SesSettings
from tests.notifiers.certificates import certificate_of
from tests.notifiers.mail.test_ses import message
from tests.notifiers.sending import SettableClock
from tests.notifiers.tls_servers import (
    BREAKS_IN_A_HANDSHAKE,
    Serve,
    breaking_after,
    listening,
    presenting,
    tunnelled,
)


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give credentials that open nothing, and no proxy."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    for name in ("https_proxy", "HTTPS_PROXY", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Give a certificate of this machine, with its key."""
    return certificate_of(tmp_path)


def channel_to(url: str, *, timeout_s: float = 60.0) -> SesChannel:
    """Make a channel."""
    settings = SesSettings(region="eu-west-1", endpoint_url=url, timeout_s=timeout_s)
    return ses_channel(settings, clock=SettableClock())


@pytest.mark.parametrize("serve", BREAKS_IN_A_HANDSHAKE.values(), ids=BREAKS_IN_A_HANDSHAKE)
def test_a_handshake_that_fails_is_no_mail(serve: Serve) -> None:
    """No request is written before it has ended: the mail may go again, and is not held for a person."""
    with listening(serve) as url, pytest.raises(TemporaryError, match="nothing was said") as caught:
        channel_to(url).send(message())
    assert caught.value.provider_down


def test_a_certificate_that_is_not_trusted_is_no_mail(certificate: Path) -> None:
    """All of the channel waits, and the detail says to whoever looks what is to be mended."""
    context, heard = presenting(certificate), []

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as inside:
            heard.append(inside.recv(1))

    with listening(serve) as url, pytest.raises(TemporaryError, match="CERTIFICATE_VERIFY_FAILED") as caught:
        channel_to(url).send(message())
    assert caught.value.provider_down
    assert [] == [each for each in heard if each]


def test_a_file_of_certificates_that_is_not_there_is_no_mail(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is just being exchanged, or named wrongly: nothing has left."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate.with_name("gone.pem")))
    with listening(lambda connection: connection.recv(65_536)) as url, pytest.raises(TemporaryError):
        channel_to(url).send(message())


def test_a_handshake_that_never_ends_is_no_mail() -> None:
    """A server that is there and says nothing: not a word of ours was on its way either."""

    def serve(connection: socket.socket) -> None:
        while connection.recv(65_536):
            pass

    with listening(serve) as url, pytest.raises(TemporaryError) as caught:
        channel_to(url, timeout_s=0.3).send(message())
    assert caught.value.provider_down


def _refusing(connection: socket.socket) -> None:
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")


@pytest.mark.parametrize("serve", [tunnelled, _refusing], ids=["no TLS behind it", "it lets nothing through"])
def test_a_proxys_tunnel_that_leads_nowhere_is_no_mail(monkeypatch: pytest.MonkeyPatch, serve: Serve) -> None:
    """It is asked to let us through before anything is said."""
    with listening(serve) as url:
        monkeypatch.setenv("https_proxy", url.replace("https", "http"))
        with pytest.raises(TemporaryError, match="nothing was said"):
            channel_to("https://email.ses.example").send(message())


def test_a_connection_that_breaks_within_the_exchange_is_in_doubt(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SES had the mail; then came what is no TLS. A second mail would be sent for nothing."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    heard: list[bytes] = []
    serve = breaking_after(b"FromEmailAddress", certificate=certificate, heard=heard)
    with listening(serve) as url, pytest.raises(UncertainError):
        channel_to(url).send(message())
    assert 1 == len(heard)


def test_behind_a_proxy_a_connection_that_breaks_within_the_exchange_is_in_doubt(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the tunnel, too: SES had the mail."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    context, heard = presenting(certificate), []

    def serve(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with context.wrap_socket(connection, server_side=True) as inside:
            said = b""
            while b"FromEmailAddress" not in said:
                said += inside.recv(65_536)
            heard.append(said)

    with listening(serve) as url:
        monkeypatch.setenv("https_proxy", url.replace("https", "http"))
        with pytest.raises(UncertainError):
            channel_to("https://localhost").send(message())
    assert 1 == len(heard)

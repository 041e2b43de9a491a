"""DKIM: what we sign, another program verifies; and what was changed on its way does not verify."""

import base64
from collections.abc import Callable
from pathlib import Path

import dkim
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from notifiers.channel import Attachment
from notifiers.mail.mime import MailSender, mail_of
from notifiers.mail.signature import DkimError, DkimSigner
from notifiers.mail.smtp import SmtpChannel, SmtpServer
from tests.notifiers.mail_server import MailServer
from tests.notifiers.sending import RENDERER, TICK, SettableClock, reminder

RSA = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
AT_S = int(TICK.timestamp())
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
Dns = Callable[..., bytes]


def pem(key: Key, form: PrivateFormat = PrivateFormat.PKCS8) -> bytes:
    """Write a key as its file holds it."""
    return key.private_bytes(Encoding.PEM, form, NoEncryption())


def dns_of(key: rsa.RSAPrivateKey) -> Dns:
    """Answer for the one name at which this key's public half stands."""
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    record = f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}".encode()
    return lambda name, timeout=5: record if name == b"s1._domainkey.company.example." else b""


def signer(key: rsa.RSAPrivateKey) -> DkimSigner:
    """Make a signer for company.example."""
    return DkimSigner(domain="company.example", selector="s1", key=pem(key))


def content() -> bytes:
    """Make a mail with everything: names beyond ASCII, long lines, a file, a way to unsubscribe."""
    made = msgspec.structs.replace(
        RENDERER.message(reminder(), "email"),
        subject="Recordatorio: factura Ñ 0379, que venció hace tiempo y sigue sin pagar, según nuestros libros",
        unsubscribe_url="https://cobranza.example/u/1",
        attachments=(Attachment(name="Ñ.pdf", media_type="application/pdf", content=b"\x00" * 500),),
    )
    return mail_of(made, sender=MailSender(), dated=TICK).content


def test_a_signed_mail_verifies() -> None:
    """RFC 6376, checked by another implementation; the mail itself is untouched."""
    signed = signer(RSA).signed(content(), at_s=AT_S)
    assert signed.endswith(content())
    assert dkim.verify(signed, dnsfunc=dns_of(RSA))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"Subject: ", b"Subject: x"),
        (b"<zoe@customer.example>", b"<eve@customer.example>"),
        (b"cobranza.example/u/1", b"evil.example/u/1"),
        (b"From: ", b"From: <eve@evil.example>\r\nFrom: "),
        (b"AAAA\r\n", b"AAAB\r\n"),
    ],
    ids=["subject", "recipient", "unsubscribe", "second sender", "attachment"],
)
def test_a_changed_mail_does_not(before: bytes, after: bytes) -> None:
    """What it says, to whom, from whom, and where unsubscribing leads (RFC 8058) is under the signature."""
    signed = signer(RSA).signed(content(), at_s=AT_S)
    assert before in signed
    head, _, rest = signed.partition(b"\r\nFrom: ")
    changed = (b"\r\nFrom: " + rest).replace(before, after, 1)
    assert not dkim.verify(head + changed, dnsfunc=dns_of(RSA))


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_both_kinds_of_key_files_are_read(tmp_path: Path, form: PrivateFormat) -> None:
    """``openssl genrsa`` writes the one or the other."""
    file = tmp_path / "key.pem"
    file.write_bytes(pem(RSA, form))
    made = DkimSigner.from_file(file, domain="company.example", selector="s1")
    assert dkim.verify(made.signed(content(), at_s=AT_S), dnsfunc=dns_of(RSA))


@pytest.mark.parametrize(
    "key",
    [
        b"nonsense",
        pem(RSA)[:200],
        pem(ec.generate_private_key(ec.SECP256R1())),
    ],
    ids=["no key", "half a key", "another kind"],
)
def test_a_key_that_nobody_could_verify_is_refused_by_its_file(tmp_path: Path, key: bytes) -> None:
    """At the start, by name, and without a letter of what is in it."""
    file = tmp_path / "key.pem"
    file.write_bytes(key)
    with pytest.raises(DkimError) as caught:
        DkimSigner.from_file(file, domain="company.example", selector="s1")
    assert str(file) in str(caught.value)
    assert all(line not in str(caught.value) for line in key.decode().splitlines())


def test_a_key_that_is_not_there_is_said(tmp_path: Path) -> None:
    """The error names the file."""
    with pytest.raises(DkimError, match=r"key\.pem cannot be read: No such file"):
        DkimSigner.from_file(tmp_path / "key.pem", domain="company.example", selector="s1")


def test_a_signature_survives_the_way(tmp_path: Path) -> None:
    """Through a real server: dots, line ends and long lines arrive as they were signed."""
    made = msgspec.structs.replace(
        RENDERER.message(reminder(), "email"), text=".\n..\nFrom here on\n\n  spaces \n\n\n", html=""
    )
    with MailServer() as server:
        channel = SmtpChannel(
            SmtpServer(host="127.0.0.1", port=server.port, security="none", timeout_s=60.0),
            sender=MailSender(),
            clock=SettableClock(),
            signer=signer(RSA),
        )
        channel.send(made)
        channel.close()
    ((_, arrived),) = server.mails
    assert dkim.verify(arrived, dnsfunc=dns_of(RSA))

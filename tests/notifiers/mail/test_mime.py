"""A reminder as a mail: what a reader's program finds in it, and that it is the same mail each time."""

import datetime
import email
import email.policy
from email.message import EmailMessage

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifiers.channel import Attachment, Message, PermanentError, Sender
from notifiers.mail.mime import MailSender, mail_of
from schemas.events import Contact
from tests.notifiers.sending import RENDERER, TICK, reminder

OWN = MailSender(address="cobranza@provider.example")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=500)


def message(**changes: object) -> Message:
    """Make a mail's message."""
    return msgspec.structs.replace(RENDERER.message(reminder(), "email"), **changes)


def read(made: Message, *, sender: MailSender = OWN) -> EmailMessage:
    """Read a message's mail as a mail program does."""
    content = mail_of(made, sender=sender, dated=TICK).content
    assert content.isascii()
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert max(map(len, content.split(b"\r\n"))) <= 998
    return email.message_from_bytes(content, policy=email.policy.default)


def test_a_mail_without_attachments_is_text_and_html() -> None:
    """Text first, HTML as the better alternative; no part around them."""
    mail = read(message())
    assert "multipart/alternative" == mail.get_content_type()
    assert ["text/plain", "text/html"] == [each.get_content_type() for each in mail.iter_parts()]


@given(TEXTS)
def test_any_text_arrives(text: str) -> None:
    """Whatever a person has written (R19): signs, scripts, lines; a control character is not lost."""
    mail = read(message(text=text, html=""))
    found = mail.get_payload(decode=True)
    assert isinstance(found, bytes)
    lines = found.decode().split("\r\n")
    sent = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert lines in (sent, [*sent, ""])


def test_attachments_keep_their_bytes_and_names() -> None:
    """S4-14, S4-15: the invoice and its XML, with names beyond ASCII, after the text."""
    files = (
        Attachment(
            name="Factura Nº 0379 – Ñandú.pdf", media_type="application/pdf", content=bytes(range(256)) * 40
        ),
        Attachment(name="0379.xml", media_type="application/xml", content="<x>ñ</x>".encode()),
    )
    mail = read(message(attachments=files))
    assert "multipart/mixed" == mail.get_content_type()
    first, *attached = mail.iter_parts()
    assert "multipart/alternative" == first.get_content_type()
    assert [(each.name, each.media_type, each.content) for each in files] == [
        (each.get_filename(), each.get_content_type(), each.get_payload(decode=True)) for each in attached
    ]
    assert ["attachment"] * 2 == [each.get_content_disposition() for each in attached]


def test_a_logo_is_a_part_of_the_html() -> None:
    """S4-18: shown where the HTML names it, and not listed as a file; the invoice is."""
    logo = Attachment(name="logo.png", media_type="image/png", content=b"\x89PNG", content_id="logo@cobranza")
    invoice = Attachment(name="0379.pdf", media_type="application/pdf", content=b"%PDF")
    mail = read(message(html='<img src="cid:logo@cobranza">', attachments=(logo, invoice)))
    body, attached = mail.iter_parts()
    text, related = body.iter_parts()
    html, picture = related.iter_parts()
    assert ("text/plain", "multipart/related", "text/html") == (
        text.get_content_type(),
        related.get_content_type(),
        html.get_content_type(),
    )
    assert ("<logo@cobranza>", "inline", b"\x89PNG") == (
        picture["Content-ID"],
        picture.get_content_disposition(),
        picture.get_payload(decode=True),
    )
    assert "0379.pdf" == attached.get_filename()
    alone = read(message(html='<img src="cid:logo@cobranza">', attachments=(logo,)))
    assert "multipart/alternative" == alone.get_content_type()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\temp\\a.pdf", "C_temp_a.pdf"),
        ("a\r\nX: y.pdf", "a X_ y.pdf"),
        ("", "attachment"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
    ],
)
def test_a_file_name_is_no_path(name: str, expected: str) -> None:
    """What a company calls a file can lead nowhere."""
    mail = read(message(attachments=(Attachment(name=name, media_type="application/pdf", content=b"x"),)))
    assert [expected] == [each.get_filename() for each in mail.iter_attachments()]


def test_a_media_type_that_is_none_is_a_plain_file() -> None:
    """It cannot add a header, nor be taken for a part of the mail."""
    odd = "text/html\r\nX-Bad: 1"
    mail = read(message(attachments=(Attachment(name="a", media_type=odd, content=b"x"),)))
    (attached,) = mail.iter_attachments()
    assert ("application/octet-stream", None) == (attached.get_content_type(), attached["X-Bad"])


def test_the_same_reminder_is_the_same_mail() -> None:
    """Byte for byte, boundaries too; another reminder's are others."""
    attached = Attachment(name="a.pdf", media_type="application/pdf", content=b"x")
    made = message(attachments=(attached,))
    first, again = (mail_of(made, sender=OWN, dated=TICK).content for _ in range(2))
    other = mail_of(msgspec.structs.replace(made, reminder="r2"), sender=OWN, dated=TICK).content
    assert first == again
    assert first != other


def test_unsubscribing_is_one_press() -> None:
    """RFC 8058: two header fields; without a link none of them."""
    url = "https://cobranza.example/u/abcdef?x=1&y=2"
    mail = read(message(unsubscribe_url=url))
    assert (f"<{url}>", "List-Unsubscribe=One-Click") == (
        mail["List-Unsubscribe"],
        mail["List-Unsubscribe-Post"],
    )
    assert None is read(message())["List-Unsubscribe"]
    assert None is read(message(unsubscribe_url="javascript:alert(1)"))["List-Unsubscribe"]


def test_one_sender_for_all_companies_is_answered_to_the_company() -> None:
    """The server may send for one domain only: From is its, Reply-To the company's own."""
    mail = read(message(), sender=MailSender(address="cobranza@provider.example", always=True))
    assert "Samples & Signals Ltd <cobranza@provider.example>" == mail["From"]
    assert "Samples & Signals Ltd <billing@company.example>" == mail["Reply-To"]
    assert None is read(message())["Reply-To"]


def test_what_bounces_is_reported_elsewhere() -> None:
    """The envelope's sender is a mailbox that a program reads; the customer sees and answers the company."""
    made = mail_of(message(), sender=MailSender(bounces="bounces@provider.example"), dated=TICK)
    assert "bounces@provider.example" == made.sender
    assert made.content.startswith(b"From: Samples & Signals Ltd <billing@company.example>\r\n")


@pytest.mark.parametrize("own", ["", "not an address"])
def test_a_company_without_a_usable_address_sends_nothing(own: str) -> None:
    """Nobody could answer: refused, and not the customer's fault."""
    made = message(sender=Sender(company="acme", name="Acme", email=own))
    with pytest.raises(PermanentError) as caught:
        mail_of(made, sender=MailSender(), dated=TICK)
    assert "provider_refused" == caught.value.error_type


def test_a_text_that_no_encoding_holds_is_refused() -> None:
    """Half a character stays here; neighbours go on."""
    with pytest.raises(PermanentError) as caught:
        mail_of(message(text="\ud800"), sender=OWN, dated=TICK)
    assert "content_refused" == caught.value.error_type


def test_an_international_address_stands_as_it_is() -> None:
    """RFC 6532: a domain beyond ASCII is written in ASCII, a local part cannot be."""
    domain = mail_of(message(contact=Contact(email="a@ñandú.example")), sender=OWN, dated=TICK)
    local = mail_of(message(contact=Contact(email="ñandú@customer.example")), sender=OWN, dated=TICK)
    assert ("a@xn--and-6ma2c.example", False) == (domain.recipient, domain.is_international)
    assert ("ñandú@customer.example", True) == (local.recipient, local.is_international)
    assert "To: ñandú@customer.example\r\n".encode() in local.content


def test_the_date_is_the_senders_clock() -> None:
    """In UTC, as a mail program reads it."""
    assert TICK == read(message())["Date"].datetime
    assert datetime.UTC == read(message())["Date"].datetime.tzinfo


COPIES = (
    Contact(role="finance", name="Núñez, Eva", email="eva@customer.example"),
    Contact(role="director", email="boss@customer.example"),
)


def test_copies_stand_in_the_mail_and_in_the_envelope() -> None:
    """B-13: who gets a copy, and whom it is for, see each other; one field, whatever the names."""
    made = message(cc=COPIES)
    fields = read(made)
    assert [1, 1] == [len(fields.get_all(name) or []) for name in ("To", "Cc")]
    assert ["eva@customer.example", "boss@customer.example"] == [
        each.addr_spec for each in fields["Cc"].addresses
    ]
    assert "Núñez, Eva" == fields["Cc"].addresses[0].display_name
    mail = mail_of(made, sender=OWN, dated=TICK)
    assert ("eva@customer.example", "boss@customer.example") == mail.copies


def test_an_address_that_is_none_is_no_reason_not_to_write() -> None:
    """B-13: a copy is left out where it cannot go; the mail goes, and so do the others."""
    bad = (Contact(email="no address"), Contact(email="ñandú@customer.example"), COPIES[1])
    mail = mail_of(message(cc=bad), sender=OWN, dated=TICK)
    assert ("boss@customer.example",) == mail.copies
    assert "Cc" not in read(message())

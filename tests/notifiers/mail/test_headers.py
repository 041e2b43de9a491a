"""Header fields: whatever a company or a customer is called, the mail says it, and no server objects."""

import re
from email.header import decode_header, make_header

from hypothesis import example, given
from hypothesis import strategies as st

from notifiers.mail.headers import mailbox_field, one_line, parameter, plain_field, text_field

ENCODED_WORD = re.compile(r"=\?utf-8\?[bq]\?[!->@-~]*\?=")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


def unfolded(field: str) -> str:
    """Give the value of a field as a reader takes it together (RFC 5322, 2.2.3)."""
    assert field.endswith("\r\n")
    return field.partition(":")[2][:-2].replace("\r\n", "").strip()


def read(field: str) -> str:
    """Read a field's text."""
    return str(make_header(decode_header(unfolded(field))))


def assert_sendable(field: str) -> None:
    """Seven bits, no line too long, encoded words apart from each other and whole (RFC 2047, section 2)."""
    assert field.isascii()
    lines = field[:-2].split("\r\n")
    assert "\n" not in "".join(lines)
    for line in lines:
        words = [word for word in line.split() if word.startswith("=?")]
        assert all(ENCODED_WORD.fullmatch(word) and len(word) <= 75 for word in words), line
        assert len(line) <= (76 if words else 998), line
    for line in lines[1:]:
        assert line[0] == " "
        assert line.strip()


@given(TEXTS)
@example("Zahlungserinnerung für Rechnung 0379, 0380 und 0381 – Grüße aus Köln")
@example(
    "Re: [SOS-1495488] Demande de retour - Abo actualités digitales 20 semaines d’abonnement à 24 heures"
)
@example("=?utf-8?q?not_an_encoded_word?=")
@example("请尽快付款" * 40)
@example("a" * 2_000)
def test_a_subject_arrives_as_it_was_written(text: str) -> None:
    """S4-13: any text, in any script, on lines that every server takes."""
    field = text_field("Subject", text)
    assert_sendable(field)
    assert one_line(text) == read(field)


@given(TEXTS)
@example("García, Núñez & Cía. (Deudores)")
@example('Smith, "Bob"')
@example("Eve\r\nBcc: all@customer.example")
def test_a_name_arrives_and_stays_a_name(text: str) -> None:
    """A comma, a quote or a line break in a name can neither add a recipient nor a field."""
    field = mailbox_field("To", display=text, address="a@customer.example")
    assert_sendable(field)
    before, _, address = unfolded(field).rpartition("<")
    assert "a@customer.example" == address.removesuffix(">")
    phrase = before.strip()
    if phrase.startswith('"'):
        assert re.fullmatch(r'"(?:[^"\\]|\\.)*"', phrase)
        assert one_line(text) == re.sub(r"\\(.)", r"\1", phrase[1:-1])
    else:
        assert not set(phrase) & set(',;:<>@"')
        assert one_line(text) == str(make_header(decode_header(phrase)))


@given(TEXTS)
@example("Factura Nº 0379 – Ñandú S.A.pdf")
@example("x" * 500)
def test_a_file_name_arrives(text: str) -> None:
    """S4-14: the attached invoice keeps its name (RFC 2231)."""
    from email import message_from_string
    from email.policy import compat32

    from hypothesis import assume

    assume(one_line(text))
    head = f"Content-Disposition: attachment{parameter('filename', text)}\r\n"
    assert_sendable(head)
    found = message_from_string(f"{head}\r\n", policy=compat32).get_filename()
    assert one_line(text) == found


def test_what_is_long_is_folded_at_spaces() -> None:
    """RFC 5322, 2.1.1: lines of 78 characters."""
    lines = plain_field("Subject", "word " * 40 + "end").split("\r\n")
    assert max(map(len, lines)) <= 78
    assert all(line.startswith(" word") for line in lines[1:-1])

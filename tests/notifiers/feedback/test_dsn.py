"""B-14: mails that come back as files: reports (RFC 3464), complaints (RFC 5965), plain words, and what is neither."""

import datetime
import random

import pytest

from infra.database.feedback import Word
from notifiers.feedback.dsn import MAIL_BYTES_MAX, words_of_mail
from notifiers.feedback.refusals import MalformedError

NOW = datetime.datetime(2026, 2, 3, 12, tzinfo=datetime.UTC)

REPORT = """\
Return-Path: <>
From: MAILER-DAEMON@mx.customer.example
To: billing@acme.example
Date: Tue, 03 Feb 2026 11:00:00 +0100
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain; charset=us-ascii

I am sorry to have to inform you that your message could not be delivered.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.customer.example
Arrival-Date: Tue, 3 Feb 2026 10:59:00 +0100

Final-Recipient: rfc822; zoe@customer.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 {status} said the server

--B
Content-Type: {brought}

{original}

--B--
"""
HEADERS = "From: billing@acme.example\nMessage-ID: <r1.email@acme.example>\nX-Cobranza-Reminder: r1\nSubject: Reminder\n"


def report(
    *,
    action: str = "failed",
    status: str = "5.1.1",
    brought: str = "message/rfc822",
    original: str = HEADERS + "\nDear Zoe\n",
) -> bytes:
    """Write a report of a mail that came back."""
    return (
        REPORT.format(action=action, status=status, brought=brought, original=original)
        .replace("\n", "\r\n")
        .encode()
    )


def read(content: bytes) -> list[Word]:
    """Read a mail."""
    return words_of_mail(content, received_at=NOW)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("5.1.1", "address_bounced"),
        ("5.1.10", "address_bounced"),
        ("5.2.1", "address_bounced"),
        ("5.0.0", "address_bounced"),
        ("5.4.4", "address_bounced"),
        ("5.2.2", "bounce_gave_up"),
        ("5.4.7", "bounce_gave_up"),
        ("5.3.5", "bounce_gave_up"),
        ("4.4.1", "bounce_gave_up"),
        ("4.2.2", "bounce_gave_up"),
        ("5.7.1", "carrier_refused"),
        ("5.3.4", "content_refused"),
        ("5.6.1", "content_refused"),
    ],
)
def test_failed_by_its_code(status: str, error: str) -> None:
    """RFC 3463 tells the address from the mailbox, the way, and what was said."""
    [word] = read(report(status=status))
    assert ("bounced", error, "r1", "zoe@customer.example") == (
        word.said,
        word.error_type,
        word.reminder,
        word.address,
    )
    assert "2026-02-03T10:00:00.000+00:00" == word.occurred_at
    assert status in word.detail


@pytest.mark.parametrize(
    ("action", "said"), [("delivered", "delivered"), ("relayed", "delivered"), ("delayed", "delayed")]
)
def test_other_actions(action: str, said: str) -> None:
    """Not each report is a bounce."""
    assert [said] == [each.said for each in read(report(action=action, status="2.1.5"))]
    assert [] == read(report(action="expanded", status="2.1.5"))


@pytest.mark.parametrize(
    ("brought", "original"),
    [
        ("message/rfc822", HEADERS + "\nDear Zoe\n"),
        ("text/rfc822-headers", HEADERS),
        ("message/rfc822", "Message-ID: <r1.email@acme.example>\n\nDear Zoe\n"),
        ("text/rfc822-headers", "Message-ID: <r1.email@acme.example>\n"),
        ("text/plain", "> X-Cobranza-Reminder: r1\n> Subject: Reminder\n"),
    ],
)
def test_the_mail_that_comes_back_says_which_it_is(brought: str, original: str) -> None:
    """By our header, else by its Message-ID; whole or headers only."""
    assert ["r1"] == [each.reminder for each in read(report(brought=brought, original=original))]


def test_of_no_mail_of_ours() -> None:
    """A bounce that brings nothing of ours back is told to whoever runs this."""
    with pytest.raises(MalformedError, match="nothing of ours"):
        read(report(original="Message-ID: <something@else.example>\n\nHello\n"))


def test_same_report_is_same_word() -> None:
    """A server that tells five days long tells one thing."""
    assert read(report())[0].word == read(report(status="5.1.2"))[0].word


COMPLAINT = """\
From: fbl@provider.example
Date: Tue, 03 Feb 2026 11:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="B"

--B
Content-Type: text/plain

This is an abuse report.

--B
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: SomeGenerator/1.0
Version: 1
Original-Rcpt-To: <zoe@customer.example>

--B
Content-Type: message/rfc822

{headers}
Dear Zoe

--B--
"""


def test_complaints() -> None:
    """A reader's "this is spam" (RFC 5965); taking it back is none."""
    [word] = read(COMPLAINT.format(kind="abuse", headers=HEADERS).encode())
    assert ("complained", "complaint", "r1", "zoe@customer.example") == (
        word.said,
        word.error_type,
        word.reminder,
        word.address,
    )
    assert [] == read(COMPLAINT.format(kind="not-spam", headers=HEADERS).encode())


PLAIN = (
    """\
Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@old.example>
X-Failed-Recipients: zoe@customer.example
Date: Tue, 03 Feb 2026 11:00:00 +0000
Content-Type: text/plain

A message that you sent could not be delivered:

  zoe@customer.example
    550 5.1.1 no such user here

------ This is a copy of the message, including all the headers. ------

"""
    + HEADERS
)


def test_plain_words_of_a_server() -> None:
    """Not each server knows reports."""
    [word] = read(PLAIN.encode())
    assert ("bounced", "address_bounced", "r1", "zoe@customer.example") == (
        word.said,
        word.error_type,
        word.reminder,
        word.address,
    )
    assert "550 5.1.1 no such user here" == word.detail


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"From: zoe@customer.example\n\nI am on holiday until 5.1.2026.\n" + HEADERS.encode(),
        b"From: zoe@customer.example\nAuto-Submitted: auto-replied\nIn-Reply-To: <r1.email@acme.example>\n\nOut of office\n",
        PLAIN.replace("550 5.1.1 no such user here", "try later").encode(),
        b"\x00\xff\xfe" * 100,
    ],
)
def test_no_report_is_no_word(content: bytes) -> None:
    """An answer from holidays is nothing that became of a mail."""
    assert [] == read(content)


def test_a_clock_that_is_ahead_dates_nothing() -> None:
    """The other side's Friday must not be before our Tuesday's decisions."""
    assert (
        NOW.isoformat(timespec="milliseconds")
        == read(report().replace(b"03 Feb 2026 11", b"06 Feb 2027 11"))[0].occurred_at
    )


def test_bounded() -> None:
    """A mail without end is not read."""
    with pytest.raises(MalformedError, match="at most"):
        read(b"x" * (MAIL_BYTES_MAX + 1))


def test_whatever_is_broken_in_it_it_is_read_or_refused() -> None:
    """A mail that is cut or changed anywhere raises nothing else."""
    known = random.Random(7)  # noqa: S311 - the same each time
    for original in (report(), COMPLAINT.format(kind="abuse", headers=HEADERS).encode(), PLAIN.encode()):
        for _ in range(150):
            broken = bytearray(original[: known.randrange(1, len(original))])
            for _ in range(5):
                broken[known.randrange(len(broken))] = known.randrange(256)
            try:
                read(bytes(broken))
            except MalformedError:
                continue

"""Mails that come back: delivery status notifications (RFC 3464) and complaints of readers (RFC 5965), as files.

Of which delivery one is, the mail that it brings back says: its header ``X-Cobranza-Reminder``, else its
Message-ID, which begins with the reminder. A server that sends plain words instead of a report is
read as far as it quotes them. What is no report (an answer from holidays) is no word.
"""

import datetime
import hashlib
import re
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage, Message
from email.parser import BytesParser, HeaderParser
from email.utils import parsedate_to_datetime
from typing import Final

from infra.database.feedback import Word
from notifiers.feedback.refusals import MalformedError
from notifiers.mail.status_codes import About, about
from schemas.outcomes import ErrorType

__all__ = ["MAIL_BYTES_MAX", "words_of_mail"]

MAIL_BYTES_MAX: Final = 20 * 1024 * 1024
_PARTS_MAX: Final = 100
_TEXT_MAX: Final = 200_000
_DETAIL_MAX: Final = 1_000
_HEADER: Final = "X-Cobranza-Reminder"
_QUOTED_HEADER: Final = re.compile(
    r"^[>\s]*X-Cobranza-Reminder:\s*([0-9A-Za-z_-]{1,64})\s*$", re.MULTILINE | re.IGNORECASE
)
_OUR_ID: Final = re.compile(r"<([0-9A-Za-z_-]{1,64})\.email@[^<>\s]{1,255}>")
_CODE: Final = re.compile(r"\b([45])\.(\d{1,3})\.(\d{1,3})\b")
_ADDRESS: Final = re.compile(r"[^@\s<>;,]{1,64}@[^@\s<>;,]{1,255}")
_MEANS: Final[dict[About, ErrorType]] = {
    "address": "address_bounced",
    "content": "content_refused",
    "passing": "bounce_gave_up",  # it says that it gave up, or we would not be told of a failure
    "policy": "carrier_refused",
}
_COMPLAINTS: Final = frozenset({"abuse", "fraud", "virus", "other", "opt-out", "opt-out-list"})


def words_of_mail(content: bytes, *, received_at: datetime.datetime) -> list[Word]:
    """Read a mail into words; none where it reports nothing.

    Args:
        content: the mail as it came, at most ``MAIL_BYTES_MAX``.
        received_at: UTC; stands where the mail has no date.

    Raises:
        MalformedError: it is too large, or reports a failure of a mail that it does not name.
    """
    if len(content) > MAIL_BYTES_MAX:
        raise MalformedError(f"a mail of {len(content):,} bytes; at most {MAIL_BYTES_MAX:,} are read")
    mail = BytesParser(policy=policy.compat32).parsebytes(content)
    parts = [part for part, _ in zip(mail.walk(), range(_PARTS_MAX), strict=False)]
    at = _date(mail, otherwise=received_at)
    reminder = _reminder(parts)
    report = [each for each in parts if each.get_content_type() == "message/delivery-status"]
    if report:
        words = list(_of_report(report[0], reminder=reminder, at=at))
    elif feedback := [each for each in parts if each.get_content_type() == "message/feedback-report"]:
        words = list(_of_complaint(feedback[0], reminder=reminder, at=at))
    else:
        words = list(_of_plain_words(mail, parts, reminder=reminder, at=at))
    if words and not reminder:
        raise MalformedError("it says what became of a mail, and not of which: nothing of ours is in it")
    return words


# -- of which delivery ---------------------------------------------------------


def _reminder(parts: list[Message]) -> str:
    """Find the mail that comes back, or what is quoted of it."""
    for part in parts[1:]:
        if part.get(_HEADER):
            return str(part[_HEADER]).strip()[:64]
    for part in parts:
        if part.get_content_type() in ("text/rfc822-headers", "message/rfc822-headers"):
            headers = HeaderParser().parsestr(_text(part))
            if headers.get(_HEADER):
                return str(headers[_HEADER]).strip()[:64]
    for part in parts:
        if part.get_content_maintype() == "text" and (quoted := _QUOTED_HEADER.search(_text(part))):
            return quoted[1]
    return _by_message_id(parts)


def _by_message_id(parts: list[Message]) -> str:
    for part in parts:
        named = [str(part.get(name, "")) for name in ("Message-ID", "In-Reply-To", "References")]
        if part.get_content_type() in ("text/rfc822-headers", "text/plain"):
            named.append(_text(part))
        for text in named:
            if found := _OUR_ID.search(text):
                return found[1]
    return ""


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    charset = part.get_content_charset("utf-8")
    try:
        return payload[:_TEXT_MAX].decode(charset, "replace")
    except LookupError:
        return payload[:_TEXT_MAX].decode("utf-8", "replace")


# -- what became of it ---------------------------------------------------------


def _of_report(part: Message, *, reminder: str, at: str) -> Iterator[Word]:
    """Read the groups of a report that speak of a recipient (RFC 3464, 2.3)."""
    groups = part.get_payload()
    for group in groups if isinstance(groups, list) else []:
        if not isinstance(group, Message) or not group.get("Action"):
            continue  # the first one is of the mail as a whole
        action = str(group["Action"]).strip().lower()
        status = _CODE.search(str(group.get("Status", "")))
        address = _typed(group, "Original-Recipient") or _typed(group, "Final-Recipient")
        detail = " ".join(f"{group.get('Status', '')} {group.get('Diagnostic-Code', '')}".split())
        if action == "failed":
            error = _error(status, detail=detail)
            yield _word("bounced", reminder=reminder, at=at, address=address, error=error, detail=detail)
        elif action in ("delivered", "relayed"):
            yield _word("delivered", reminder=reminder, at=at, address=address, detail=detail)
        elif action == "delayed":
            yield _word("delayed", reminder=reminder, at=at, address=address, detail=detail)
        # "expanded": a list has passed it on, which says nothing of its end


def _of_complaint(part: Message, *, reminder: str, at: str) -> Iterator[Word]:
    """Read a reader's complaint (RFC 5965)."""
    payload = part.get_payload()
    fields = payload[0] if isinstance(payload, list) and payload else HeaderParser().parsestr(_text(part))
    if not isinstance(fields, Message):
        return
    kind = str(fields.get("Feedback-Type", "")).strip().lower()
    if kind in _COMPLAINTS:
        address = _first_address(str(fields.get("Original-Rcpt-To", "")))
        yield _word("complained", reminder=reminder, at=at, address=address, error="complaint", detail=kind)


def _of_plain_words(mail: Message, parts: list[Message], *, reminder: str, at: str) -> Iterator[Word]:
    """Read a bounce that is no report: from nobody, with a code in its words, and quoting a mail of ours."""
    sender = str(mail.get("From", "")).lower()
    is_from_nobody = str(mail.get("Return-Path", "x")).strip() == "<>" or "mailer-daemon" in sender
    if not reminder or not is_from_nobody or str(mail.get("Auto-Submitted", "")).startswith("auto-generated"):
        return
    text = "\n".join(_text(part) for part in parts if part.get_content_type() == "text/plain")
    status = _CODE.search(text)
    if status is None:
        return
    line = next((each for each in text.splitlines() if status[0] in each), "")
    error = _error(status, detail=line)
    address = _first_address(str(mail.get("X-Failed-Recipients", "")))
    yield _word("bounced", reminder=reminder, at=at, address=address, error=error, detail=line.strip())


def _error(status: "re.Match[str] | None", *, detail: str) -> ErrorType:
    """Give what is wrong by the code (RFC 3463): subject and detail tell the address from its mailbox and from the text."""
    if status is None:
        return "address_bounced" if "550" in detail else "bounce_gave_up"
    kind, subject, which = status[1], status[2], status[3]
    return "bounce_gave_up" if kind == "4" else _MEANS[about(subject, which)]


def _word(
    said: str, *, reminder: str, at: str, address: str, error: ErrorType = "", detail: str = ""
) -> Word:
    name = hashlib.blake2s(address.casefold().encode(), digest_size=8).hexdigest()
    return Word(
        word=f"dsn/{reminder}/{said}/{name}",
        source="dsn",
        said=said,  # type: ignore[arg-type]  # by construction
        channel="email",
        occurred_at=at,
        reminder=reminder,
        address=address,
        error_type=error,
        detail=detail[:_DETAIL_MAX],
    )


def _typed(group: Message, name: str) -> str:
    """Give an address of the form ``rfc822; ana@customer.example``."""
    return _first_address(str(group.get(name, "")).partition(";")[2])


def _first_address(text: str) -> str:
    found = _ADDRESS.search(text)
    return found[0][:320] if found else ""


def _date(mail: Message | EmailMessage, *, otherwise: datetime.datetime) -> str:
    try:
        at = parsedate_to_datetime(str(mail.get("Date", "")))
    except ValueError:
        at = otherwise
    if at.tzinfo is None or at > otherwise:
        at = otherwise  # a clock that is ahead must not date what has happened
    return at.astimezone(datetime.UTC).isoformat(timespec="milliseconds")

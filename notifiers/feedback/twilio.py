"""What Twilio tells over HTTP: the fate of an SMS (status callback), and what a reader writes back.

A request is believed when its signature fits: HMAC-SHA1, by the account's token, over the address
that Twilio called and the form's names and values in order. That address is what was set at
Twilio; behind a proxy it is not what the request looks like here, so it is a setting.
"""

import base64
import datetime
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final, Literal
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from infra.database.feedback import Word
from notifiers.feedback.refusals import ForgedError, MalformedError
from notifiers.feedback.replies import meaning_of
from notifiers.sms.twilio_errors import error_type_of
from schemas.outcomes import ErrorType

__all__ = ["Form", "check_signature", "read_form", "word_of_reply", "word_of_status"]

Form = Sequence[tuple[str, str]]
_PARAMETERS_MAX: Final = 200
_STATUS_MAX: Final = 40
_PORTS: Final = {"https": 443, "http": 80}
# Statuses of a message as Twilio documents them (Message resource, `status`); a new one is no fault of the request.
_UNSAID: Final = frozenset(
    {"accepted", "scheduled", "queued", "sending", "sent", "receiving", "received"}
)  # its end is not known; the last two are of what comes in
_FATES: Final[dict[str, Literal["delivered", "failed"]]] = {
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",  # somebody has stopped it at Twilio before it went
}


def read_form(body: bytes) -> Form:
    """Give the names and values of a form, in order, empty ones too.

    Raises:
        MalformedError: it is none.
    """
    try:
        return parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            encoding="utf-8",
            errors="strict",
            max_num_fields=_PARAMETERS_MAX,
        )
    except (UnicodeDecodeError, ValueError) as error:
        raise MalformedError(f"no form: {error}") from error


def check_signature(*, url: str, form: Form, signature: str, tokens: Sequence[str]) -> None:
    """Believe a request, or not.

    Args:
        url: what Twilio called, with its query.
        form: of its body.
        signature: header X-Twilio-Signature.
        tokens: of the account; one of them must have signed.

    Raises:
        ForgedError: none has, or there is no token to check with.
    """
    if not tokens:
        raise ForgedError("no token of Twilio's is set: nothing of it is believed")
    expected = [_signature(each, form=form, token=token) for each in _ways(url) for token in tokens]
    said = signature.encode("latin-1", "replace")
    if not any(hmac.compare_digest(each, said) for each in expected):
        raise ForgedError("its signature does not fit")


def _ways(url: str) -> list[str]:
    """Give the address without and with its port: which of them Twilio signs depends on the kind of request."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or _PORTS.get(parts.scheme, 443)
    plain = urlunsplit(parts._replace(netloc=host))
    return [url, plain, urlunsplit(parts._replace(netloc=f"{host}:{port}"))]


def _signature(url: str, *, form: Form, token: str) -> bytes:
    # A name that comes twice counts once per value.
    pairs = sorted(set(form))
    text = url + "".join(f"{name}{value}" for name, value in pairs)
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest())


def word_of_status(form: Form, *, reminder: str, received_at: datetime.datetime) -> Word | None:
    """Read a status callback; None: its end is not known yet.

    What is neither delivered nor failed (``partially_delivered``, whatever Twilio adds) is a word that is kept and
    told, and of which nothing follows: to refuse it would bring it again, and keep nobody from missing it.

    Raises:
        MalformedError: it names no message, or no status.
    """
    said = dict(form)
    sid, status = said.get("MessageSid", ""), said.get("MessageStatus", "")
    if not sid or not status:
        raise MalformedError("a status of no message, or none of one")
    if status in _UNSAID:
        return None
    fate, code = _FATES.get(status), said.get("ErrorCode", "")
    return Word(
        word=f"twilio/{sid}/{fate or status[:_STATUS_MAX]}"[:500],
        source="twilio",
        said=fate or "unclear",
        channel="sms",
        occurred_at=received_at.isoformat(timespec="milliseconds"),
        reminder=reminder[:64],
        provider_id=sid[:100],
        address=said.get("To", "")[:40],
        error_type=_error_type(status, code) if fate == "failed" else "",
        detail=""
        if fate == "delivered"
        else f"Twilio: {status[:_STATUS_MAX]} {code} {said.get('ErrorMessage', '')}".strip()[:500],
    )


def _error_type(status: str, code: str) -> ErrorType:
    """Read a code by the table that refusals are read by; what it does not know, a carrier behind Twilio said."""
    if status == "canceled":
        return "provider_refused"
    return error_type_of(int(code) if code.isdecimal() and len(code) < 10 else 0, otherwise="carrier_refused")


def word_of_reply(form: Form, *, received_at: datetime.datetime) -> Word:
    """Read what somebody wrote to our number.

    Twilio's own word on opting out (``OptOutType``) goes before ours: it has answered the reader already.

    Raises:
        MalformedError: it is from nobody.
    """
    said = dict(form)
    sid, sender = said.get("MessageSid", ""), said.get("From", "")
    if not sid or not sender:
        raise MalformedError("a message of nobody")
    text = said.get("Body", "")
    opting = {"STOP": "stop", "START": "start"}.get(said.get("OptOutType", "").upper())
    meaning = opting or meaning_of(text)
    return Word(
        word=f"twilio/{sid}/reply"[:500],
        source="twilio",
        said=meaning,  # type: ignore[arg-type]  # stop, start or reply
        channel="sms",
        occurred_at=received_at.isoformat(timespec="milliseconds"),
        provider_id=sid[:100],
        address=sender[:40],
        error_type="opted_out" if meaning == "stop" else "",
        reply=text[:2000],
    )

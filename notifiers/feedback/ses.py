"""Events of Amazon SES, as event publishing (``eventType``) and as notifications of an identity (``notificationType``).

::

    Delivery ───────────────────────────► delivered
    Bounce Permanent ───────────────────► bounced, the address is bad (suppressed: it is on a list)
    Bounce Transient, Undetermined ─────► bounced, what was tried until SES gave up
    Complaint ──────────────────────────► complained
    Reject, Rendering Failure ──────────► failed: it never left SES
    DeliveryDelay ──────────────────────► delayed: noted only
    Send, Open, Click, Subscription ────► nothing, or (unsubscribed) stop
    whatever SES adds ──────────────────► kept and told (``unclear``): refused it would only come again

A delivery is found by the tag ``reminder`` that it was sent with, else by SES's message id.
"""

import datetime
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import Struct, field

from infra.database.feedback import Word
from notifiers.feedback.refusals import MalformedError
from schemas.outcomes import ErrorType

__all__ = ["words_of_event"]

_DETAIL_MAX: Final = 1_000
_GREETING: Final = "Successfully validated SNS topic for Amazon SES event publishing."
_PERMANENT: Final[dict[str, ErrorType]] = {
    "Suppressed": "address_suppressed",
    "OnAccountSuppressionList": "address_suppressed",
    "UnsubscribedRecipient": "opted_out",
}
_GAVE_UP: Final[dict[str, ErrorType]] = {
    "MessageTooLarge": "content_refused",
    "ContentRejected": "content_refused",
    "AttachmentRejected": "content_refused",
}
_SOLICITED: Final = "not-spam"  # of a complaint: the reader takes it back
_SILENT: Final = frozenset({"Send", "Open", "Click"})
_TOLD: Final = frozenset(
    {"Bounce", "Complaint", "Delivery", "DeliveryDelay", "Reject", "RenderingFailure", "Subscription"}
)
_KIND_MAX: Final = 60
_HEADER: Final = "x-cobranza-reminder"


class _Recipient(Struct, frozen=True, kw_only=True, rename="camel"):
    email_address: str = ""
    action: str = ""
    status: str = ""
    diagnostic_code: str = ""


class _Bounce(Struct, frozen=True, kw_only=True, rename="camel"):
    bounce_type: str
    bounce_sub_type: str = ""
    bounced_recipients: tuple[_Recipient, ...] = ()
    timestamp: str = ""
    feedback_id: str = ""


class _Complaint(Struct, frozen=True, kw_only=True, rename="camel"):
    complained_recipients: tuple[_Recipient, ...] = ()
    complaint_feedback_type: str | None = None
    complaint_sub_type: str | None = None
    timestamp: str = ""
    feedback_id: str = ""


class _Delivery(Struct, frozen=True, kw_only=True, rename="camel"):
    recipients: tuple[str, ...] = ()
    smtp_response: str = ""
    timestamp: str = ""


class _Delay(Struct, frozen=True, kw_only=True, rename="camel"):
    delay_type: str = ""
    delayed_recipients: tuple[_Recipient, ...] = ()
    timestamp: str = ""


class _Preferences(Struct, frozen=True, kw_only=True, rename="camel"):
    unsubscribe_all: bool = False


class _Subscription(Struct, frozen=True, kw_only=True, rename="camel"):
    timestamp: str = ""
    new_topic_preferences: _Preferences = _Preferences()


class _Reject(Struct, frozen=True, kw_only=True):
    reason: str = ""


class _Failure(Struct, frozen=True, kw_only=True, rename="camel"):
    error_message: str = ""


class _Header(Struct, frozen=True, kw_only=True):
    name: str
    value: str


class _Mail(Struct, frozen=True, kw_only=True, rename="camel"):
    message_id: str
    timestamp: str = ""
    destination: tuple[str, ...] = ()
    tags: dict[str, tuple[str, ...]] = {}
    headers: tuple[_Header, ...] = ()


class _Event(Struct, frozen=True, kw_only=True, rename="camel"):
    mail: _Mail
    event_type: str = ""
    notification_type: str = ""
    bounce: _Bounce | None = None
    complaint: _Complaint | None = None
    delivery: _Delivery | None = None
    delivery_delay: _Delay | None = None
    reject: _Reject | None = None
    failure: _Failure | None = None
    subscription: _Subscription | None = field(default=None)


_decoder = msgspec.json.Decoder(_Event)


def words_of_event(message: str, *, received_at: datetime.datetime) -> list[Word]:
    """Read an event into words; none where nothing follows from it.

    Args:
        message: the text of the notification.
        received_at: UTC; stands where the event has no time of its own.

    Raises:
        MalformedError: it is no event of SES, or one of a kind that is known, without what it should have.
    """
    if message.startswith(_GREETING):
        return []
    try:
        event = _decoder.decode(message)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedError(f"no event of SES: {error}") from error
    return list(_words(event, received_at=received_at))


def _words(event: _Event, *, received_at: datetime.datetime) -> Iterator[Word]:
    kind = (event.event_type or event.notification_type).replace(" ", "")
    match kind:
        case "Bounce" if event.bounce is not None:
            yield from _bounces(event, event.bounce)
        case "Complaint" if event.complaint is not None:
            yield from _complaints(event, event.complaint)
        case "Delivery" if event.delivery is not None:
            at, detail = event.delivery.timestamp, event.delivery.smtp_response
            yield _word(event, "delivered", at=at, address=_first(event.delivery.recipients), detail=detail)
        case "DeliveryDelay" if event.delivery_delay is not None:
            late = event.delivery_delay
            address = _first([each.email_address for each in late.delayed_recipients])
            yield _word(event, "delayed", at=late.timestamp, address=address, detail=late.delay_type)
        case "Reject" if event.reject is not None:
            yield _word(event, "failed", at="", error="content_refused", detail=event.reject.reason)
        case "RenderingFailure" if event.failure is not None:
            yield _word(event, "failed", at="", error="template_error", detail=event.failure.error_message)
        case "Subscription" if event.subscription is not None:
            if event.subscription.new_topic_preferences.unsubscribe_all:
                at, to = event.subscription.timestamp, _first(event.mail.destination)
                stop = _word(
                    event, "stop", at=at, address=to, error="opted_out", detail="unsubscribed at SES"
                )
                yield msgspec.structs.replace(stop, occurred_at=stop.occurred_at or received_at.isoformat())
        case _ if kind in _SILENT:
            return
        case _ if kind and kind not in _TOLD:
            named = kind[:_KIND_MAX]
            unclear = _word(event, "unclear", at="", detail=f"SES: an event of type {named}")
            yield msgspec.structs.replace(unclear, word=f"ses/{event.mail.message_id}/{named}"[:500])
        case _:
            raise MalformedError(f"an event of SES of type {kind[:_KIND_MAX]!r} without its content")


def _bounces(event: _Event, bounce: _Bounce) -> Iterator[Word]:
    """Say a bounce for each address that it names."""
    permanent = bounce.bounce_type == "Permanent"
    error: ErrorType
    if permanent:
        error = _PERMANENT.get(bounce.bounce_sub_type, "address_bounced")
    else:
        error = _GAVE_UP.get(bounce.bounce_sub_type, "bounce_gave_up")
    kind = f"{bounce.bounce_type}/{bounce.bounce_sub_type}"
    for each in bounce.bounced_recipients or (_Recipient(),):
        detail = f"{kind}: {each.diagnostic_code}" if each.diagnostic_code else kind
        yield _word(
            event, "bounced", at=bounce.timestamp, address=each.email_address, error=error, detail=detail
        )


def _complaints(event: _Event, complaint: _Complaint) -> Iterator[Word]:
    """Say a complaint for each address; one that was made for a suppressed address is a bounce."""
    kind = complaint.complaint_feedback_type or ""
    if kind == _SOLICITED:
        return
    for each in complaint.complained_recipients or (_Recipient(),):
        if complaint.complaint_sub_type == "OnAccountSuppressionList":
            yield _word(
                event,
                "bounced",
                at=complaint.timestamp,
                address=each.email_address,
                error="address_suppressed",
                detail="complained before",
            )
        else:
            yield _word(
                event,
                "complained",
                at=complaint.timestamp,
                address=each.email_address,
                error="complaint",
                detail=kind,
            )


def _word(
    event: _Event, said: Any, *, at: str, address: str = "", error: ErrorType = "", detail: str = ""
) -> Word:
    mail = event.mail
    return Word(
        word=f"ses/{mail.message_id}/{said}/{address}"[:500],
        source="ses",
        said=said,
        channel="email",
        occurred_at=_instant(at or mail.timestamp),
        reminder=_tagged(mail),
        provider_id=mail.message_id,
        address=address[:320],
        error_type=error,
        detail=detail[:_DETAIL_MAX],
    )


def _tagged(mail: _Mail) -> str:
    """Give our own name of the delivery: the tag that came back, else the header."""
    tagged = _first(mail.tags.get("reminder", ()))
    if tagged:
        return tagged[:64]
    return next((each.value for each in mail.headers if each.name.lower() == _HEADER), "")[:64]


def _instant(text: str) -> str:
    """Write a time of SES as RFC 3339.

    Raises:
        MalformedError: it is none.
    """
    try:
        at = datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise MalformedError(f"{text[:40]!r} is no time") from error
    if at.tzinfo is None:
        raise MalformedError(f"{text[:40]!r} has no time zone")
    return at.astimezone(datetime.UTC).isoformat(timespec="milliseconds")


def _first(texts: Any) -> str:
    return next(iter(texts), "")

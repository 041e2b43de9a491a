"""CloudEvents 1.0 over Kafka: binary mode, and structured mode for what others send.

Binary: attributes are headers ``ce_*``, the record's value is the data.
Structured: one JSON object with the data inside; ``publish`` reads files of it.
"""

from typing import Any

import msgspec
from msgspec import Raw, Struct

__all__ = [
    "CONTENT_TYPE",
    "STRUCTURED",
    "Envelope",
    "EnvelopeError",
    "UnreadableName",
    "from_headers",
    "from_structured",
    "to_headers",
]

CONTENT_TYPE = b"application/json"
STRUCTURED = b"application/cloudevents+json"
_NAMES = frozenset(
    ("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_subject", "content-type")
)
Headers = list[tuple[str, bytes]]


class UnreadableName(str):
    """A header's name that is not UTF-8, its bytes escaped (``caf\\xe9``); clients of ours make it."""

    __slots__ = ()


class EnvelopeError(ValueError):
    """A record is no CloudEvent 1.0; raised here, routed to a dead letter by intake."""


class Envelope(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """The attributes of an event; (source, id) is unique (CloudEvents 1.0, 3.1)."""

    id: str
    source: str
    type: str
    time: str = ""
    subject: str = ""


class _Structured(Struct, frozen=True, kw_only=True):
    specversion: str
    id: str
    source: str
    type: str
    data: Raw
    time: str = ""
    subject: str = ""
    datacontenttype: str = "application/json"


_structured_decoder = msgspec.json.Decoder(_Structured)


def to_headers(envelope: Envelope) -> Headers:
    """Write binary-mode headers."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", envelope.id.encode()),
        ("ce_source", envelope.source.encode()),
        ("ce_type", envelope.type.encode()),
        ("content-type", CONTENT_TYPE),
    ]
    if envelope.time:
        headers.append(("ce_time", envelope.time.encode()))
    if envelope.subject:
        headers.append(("ce_subject", envelope.subject.encode()))
    return headers


def from_headers(headers: Any, value: bytes | None) -> tuple[Envelope, bytes]:
    """Read an event, in either mode, from a record's headers and value.

    Args:
        headers: pairs of (name, bytes or None), as Kafka clients give them.
        value: the record's value; None (a tombstone) is no event.

    Raises:
        EnvelopeError: says which attribute is missing or wrong.
    """
    if value is None:
        raise EnvelopeError("the record has no value")
    attributes = dict(headers)
    if not attributes.keys() <= _NAMES:  # of its own beside ours, or written otherwise
        _refuse_unreadable(headers)
        attributes = {str(name).lower(): content for name, content in headers}
    if (attributes.get("content-type") or b"").startswith(STRUCTURED):
        return from_structured(value)
    version = attributes.get("ce_specversion")
    if version is None:
        raise EnvelopeError("header ce_specversion is missing: binary mode CloudEvents 1.0 is expected")
    if version != b"1.0":
        raise EnvelopeError(f"header ce_specversion is {version!r}, expected 1.0")
    for name in ("ce_id", "ce_source", "ce_type"):
        if not attributes.get(name):
            raise EnvelopeError(f"header {name} is missing or empty")
    try:
        envelope = Envelope(
            id=attributes["ce_id"].decode(),
            source=attributes["ce_source"].decode(),
            type=attributes["ce_type"].decode(),
            time=(attributes.get("ce_time") or b"").decode(),
            subject=(attributes.get("ce_subject") or b"").decode(),
        )
    except UnicodeDecodeError as error:
        raise EnvelopeError(f"a ce_ header is not UTF-8: {error}") from error
    return envelope, value


def _refuse_unreadable(headers: Any) -> None:
    """Refuse a name that is no text: whoever set it may have meant one of ours, and said it in another encoding."""
    for place, (name, _) in enumerate(headers, start=1):
        if type(name) is UnreadableName:
            raise EnvelopeError(
                f"the name of header {place} is not UTF-8: {name} (its bytes escaped, as in the dead letter); "
                "its publisher must write names of headers in UTF-8, then publish the event again"
            )


def from_structured(value: bytes) -> tuple[Envelope, bytes]:
    """Read a structured-mode event: (attributes, data).

    Raises:
        EnvelopeError: with the path of what is wrong.
    """
    try:
        event = _structured_decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EnvelopeError(str(error)) from error
    if event.specversion != "1.0":
        raise EnvelopeError(f"specversion is {event.specversion!r}, expected '1.0' - at `$.specversion`")
    for name in ("id", "source", "type"):
        if not getattr(event, name):
            raise EnvelopeError(f"{name} is empty - at `$.{name}`")
    envelope = Envelope(
        id=event.id, source=event.source, type=event.type, time=event.time, subject=event.subject
    )
    return envelope, bytes(event.data)

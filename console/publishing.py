"""How events get from a file onto the source topics: checked, keyed, sent, confirmed.

Everything is checked before anything is sent. Nothing here knows what an event
means; the key is the account, so that a partition keeps an account's order.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from console.checking import Checked, Problem, check_structured
from infra.errors import OperatorError
from infra.settings import Settings
from schemas.codec import TOPIC_OF_TYPE, encode, type_of
from schemas.envelope import Envelope, Headers, to_headers
from schemas.fields import account_id
from schemas.journal import SourceEvent

__all__ = [
    "LineProblem",
    "Outgoing",
    "PublishError",
    "Sender",
    "check_lines",
    "key_of",
    "outgoing",
    "publish",
    "send_all",
]

_IN_FLIGHT_MAX = 5_000


class PublishError(OperatorError):
    """The broker did not take an event; some of those before it are published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineProblem:
    """A problem of line ``line`` (the first is 1)."""

    line: int
    problem: Problem

    def __str__(self) -> str:
        return f"line {self.line}: {self.problem.path}: {self.problem.detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One record for a source topic, in binary mode; ``topic`` has no prefix."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers


class _Future(Protocol):
    def get(self, timeout: float | None = None) -> object: ...


class Sender(Protocol):
    """What a Kafka producer is to us."""

    def send(
        self, topic: str, *, key: bytes, value: bytes, headers: Headers
    ) -> _Future:  # pragma: no cover - a protocol
        """Hand a record over; the future is done when it is written."""
        ...


def key_of(event: SourceEvent) -> bytes:
    """Give the record key: the account, or the company where there is no customer."""
    customer = getattr(event, "customer", None)
    return (event.company if customer is None else account_id(event.company, customer)).encode()


def outgoing(event: SourceEvent, *, source: str) -> Outgoing:
    """Make the record of an event of our own; its id is derived from its content."""
    data = encode(event)
    digest = hashlib.sha256(data).hexdigest()[:32]
    event_type = type_of(event)
    envelope = Envelope(id=f"{event_type}/{digest}", source=source, type=event_type)
    return _record(envelope=envelope, event=event, data=data)


def check_lines(lines: Iterable[bytes]) -> Iterator[Outgoing | list[LineProblem]]:
    """Check NDJSON of structured-mode events, one result per line that is not blank."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        checked = check_structured(line)
        if isinstance(checked, Checked):
            yield _record(envelope=checked.envelope, event=checked.event, data=checked.data)
        else:
            yield [LineProblem(line=number, problem=each) for each in checked]


def publish(records: Iterable[Outgoing], *, sender: Sender, topic_name: Callable[[str], str]) -> int:
    """Send the records in order and wait until each is written; return how many.

    ``topic_name`` gives the physical name of a topic (``Settings.topic``).

    Raises:
        PublishError: names the first event that the broker did not take.
    """
    sent = 0
    pending: list[tuple[Outgoing, _Future]] = []
    for record in records:
        future = sender.send(
            topic_name(record.topic), key=record.key, value=record.value, headers=record.headers
        )
        pending.append((record, future))
        sent += 1
        if len(pending) >= _IN_FLIGHT_MAX:
            _confirm(pending)
            pending = []
    _confirm(pending)
    return sent


def send_all(records: Iterable[Outgoing], *, settings: Settings) -> int:
    """Publish the records to the installation's broker; return how many.

    Raises:
        PublishError: the broker did not take one.
    """
    from infra.kafka.consumers import producer

    sender = producer(bootstrap_servers=settings.brokers(), linger_ms=5)
    try:
        return publish(records, sender=sender, topic_name=settings.topic)
    finally:
        sender.close()


def _record(*, envelope: Envelope, event: SourceEvent, data: bytes) -> Outgoing:
    return Outgoing(
        topic=TOPIC_OF_TYPE[envelope.type], key=key_of(event), value=data, headers=to_headers(envelope)
    )


def _confirm(pending: Sequence[tuple[Outgoing, _Future]]) -> None:
    from kafka.errors import KafkaError

    for record, future in pending:
        try:
            future.get(timeout=60)
        except KafkaError as error:
            name = dict(record.headers)["ce_id"].decode()
            raise PublishError(f"Event {name} was not written to {record.topic}: {error!r}") from error

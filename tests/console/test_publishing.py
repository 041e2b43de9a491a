"""Publishing: what goes where, in which order, and what happens when the broker says no."""

import json
from collections.abc import Iterable

import pytest
from kafka.errors import KafkaError, MessageSizeTooLargeError

from console.publishing import Outgoing, PublishError, check_lines, key_of, outgoing, publish
from schemas.codec import decode_source
from schemas.commands import ConfigureCompany
from schemas.envelope import Headers, from_headers
from schemas.events import InvoiceCancelled

INVOICE = InvoiceCancelled(company="acme", customer="C-1", occurred_at="2026-01-15", document="F-1")
PROFILE = ConfigureCompany(
    company="acme", occurred_at="2026-01-01", command="p", name="Acme", time_zone="UTC", currency="USD"
)


class _Answer:
    def __init__(self, error: KafkaError | None) -> None:
        self._error = error

    def get(self, timeout: float | None = None) -> object:
        if self._error is not None:
            raise self._error
        return None


class _Broker:
    """Records what is sent; refuses what is in ``too_large``."""

    def __init__(self, too_large: Iterable[bytes] = ()) -> None:
        self.sent: list[tuple[str, bytes, bytes]] = []
        self._too_large = set(too_large)

    def send(self, topic: str, *, key: bytes, value: bytes, headers: Headers) -> _Answer:
        self.sent.append((topic, key, value))
        return _Answer(MessageSizeTooLargeError() if key in self._too_large else None)


def test_key_is_the_account_or_the_company() -> None:
    """An account's facts keep their order; a company's commands have no account."""
    assert (b"acme:C-1", b"acme") == (key_of(INVOICE), key_of(PROFILE))


def test_own_events_are_read_back_as_written() -> None:
    """Binary mode, data and type agree."""
    record = outgoing(INVOICE, source="test")
    envelope, data = from_headers(record.headers, record.value)
    assert ("billing.invoice.v1", "test") == (record.topic, envelope.source)
    assert envelope.id == from_headers(outgoing(INVOICE, source="x").headers, b"")[0].id
    assert INVOICE == decode_source(envelope.type, data)


def test_lines_are_numbered_and_blank_ones_passed() -> None:
    """A problem names the line as an editor counts it."""
    good = {"specversion": "1.0", "id": "1", "source": "test", "type": "billing.invoice.cancelled.v1"}
    good["data"] = {"company": "acme", "customer": "C", "occurred_at": "2026-01-01", "document": "F"}  # type: ignore[assignment]
    lines = [json.dumps(good).encode() + b"\n", b"\n", b"no json\n"]
    first, second = check_lines(lines)
    assert isinstance(first, Outgoing)
    assert isinstance(second, list)
    assert [3] == [each.line for each in second]
    assert str(second[0]).startswith("line 3: $: ")


def test_records_go_to_their_topics_in_order() -> None:
    """The prefix of the installation stands before the topic."""
    broker = _Broker()
    records = [outgoing(PROFILE, source="t"), outgoing(INVOICE, source="t")]
    assert 2 == publish(records, sender=broker, topic_name=lambda name: f"x.{name}")
    assert ["x.collections.command.v1", "x.billing.invoice.v1"] == [topic for topic, _, _ in broker.sent]


def test_refusal_by_the_broker_is_an_error_that_names_the_event() -> None:
    """Nothing is counted as published that is not written."""
    with pytest.raises(PublishError, match="Event billing"):
        publish(
            [outgoing(INVOICE, source="t")],
            sender=_Broker(too_large=[b"acme:C-1"]),
            topic_name=str,
        )

"""Records as a consumer gives them, and CloudEvents of every kind to put in them; no broker."""

from typing import NamedTuple

from msgspec import Struct

from schemas.codec import encode, type_of
from schemas.envelope import Envelope, to_headers
from schemas.events import InvoiceIssued
from streams.engine.stage import Headers

__all__ = ["FakeRecord", "Latin1Name", "event_record", "invoice"]


class Latin1Name(str):
    """A header's name as a publisher writes it that does not know of UTF-8."""

    __slots__ = ()

    def encode(self, *_: str) -> bytes:
        """Give its bytes."""
        return super().encode("latin-1")


class FakeRecord(NamedTuple):
    """The shape of a consumed record."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


def invoice(
    number: int, *, customer: str = "C-1", amount: str = "10.00", currency: str = "USD"
) -> InvoiceIssued:
    """Give an invoice of company ``acme``."""
    return InvoiceIssued(
        company="acme",
        customer=customer,
        occurred_at="2026-01-15",
        document=f"INV-{number}",
        currency=currency,
        amount=amount,
    )


def event_record(
    event: Struct, *, offset: int = 0, event_id: str = "e-1", key: bytes | None = b"any"
) -> FakeRecord:
    """Give the record of an event in binary mode."""
    headers = to_headers(Envelope(id=event_id, source="billing/test", type=type_of(event)))
    return FakeRecord(offset, 1_000, key, encode(event), headers)

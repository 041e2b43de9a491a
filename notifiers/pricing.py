"""What a delivery costs, known before it is sent: prices are data, by provider, channel and country.

A file of prices (TOML) has entries such as ::

    [[price]]
    provider = "twilio"     # left out: any
    channel = "sms"
    country = "CL"          # ISO 3166; left out: any
    currency = "USD"
    part = "0.0586"         # of each segment, page or mail
    delivery = "0"          # of each delivery beside, such as an envelope with its postage

The entry that names most holds: provider before country. Without one a delivery costs nothing that
anybody knows of, and is counted all the same. It refuses a file that it does not wholly understand.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from importlib import resources
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from infra.errors import OperatorError
from notifiers.channel import Cost, Message
from notifiers.sms.numbers import country_of
from notifiers.sms.segments import segments
from schemas.facts import ReminderDecided
from schemas.fields import Channel

__all__ = ["FILE", "Price", "PriceError", "Prices", "micros_of", "parts_of", "priced", "read_prices"]

FILE: Final = "prices.toml"
_MICROS: Final = 1_000_000
Render = Callable[[ReminderDecided, Channel], Message]


class PriceError(OperatorError):
    """A file of prices says what cannot be; names the entry."""


class Price(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry; ``part`` and ``delivery`` are decimals in major units, as text."""

    channel: Channel
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")]
    provider: str = ""
    country: Annotated[str, Meta(pattern="^([A-Z]{2})?$")] = ""
    part: str = "0"
    delivery: str = "0"

    def cost(self, parts: int) -> Cost:
        """Give what a delivery of so many parts costs."""
        micros = micros_of(self.delivery) + parts * micros_of(self.part)
        return Cost(currency=self.currency, micros=micros, parts=parts)


class _File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    price: tuple[Price, ...] = ()


class Prices:
    """The prices of an installation."""

    def __init__(self, entries: Sequence[Price]) -> None:
        self._entries = tuple(entries)

    def cost(self, message: Message, *, provider: str) -> Cost:
        """Give what sending a message over a provider costs; without a price its parts alone."""
        country = message.country
        if message.channel == "sms":
            country = country_of(message.contact.phone, country=country)
        found = self.price(message.channel, provider=provider, country=country)
        parts = parts_of(message)
        return Cost(currency="", micros=0, parts=parts) if found is None else found.cost(parts)

    def price(self, channel: Channel, *, provider: str, country: str = "") -> Price | None:
        """Give the entry that names most of what is asked for."""
        fitting = [
            each
            for each in self._entries
            if each.channel == channel
            and each.provider in ("", provider)
            and each.country in ("", country.upper())
        ]
        return max(fitting, key=lambda each: (bool(each.provider), bool(each.country)), default=None)

    def currencies(self, channel: Channel, *, provider: str) -> set[str]:
        """List the currencies that deliveries of a channel over a provider may cost."""
        return {
            each.currency
            for each in self._entries
            if each.channel == channel and each.provider in ("", provider)
        }


def priced(render: Render, *, prices: Prices, provider: str) -> Render:
    """Write as ``render`` does, and say of each message what it will cost over this provider."""

    def message(reminder: ReminderDecided, channel: Channel) -> Message:
        written = render(reminder, channel)
        return (
            written if channel == "task" else replace(written, cost=prices.cost(written, provider=provider))
        )

    return message


def parts_of(message: Message) -> int:
    """Count what is paid for: segments of an SMS, pages of a letter with its enclosures, one mail."""
    if message.channel == "sms":
        return segments(message.text).count
    if message.channel != "letter":
        return 1
    return max(1, message.pages) + sum(each.pages for each in message.attachments)


def micros_of(amount: str) -> int:
    """Read a decimal in major units as millionths.

    Raises:
        PriceError: it is none, is negative, or is finer than that.
    """
    try:
        micros = Decimal(amount) * _MICROS
    except InvalidOperation as error:
        raise PriceError(f"{amount!r} is no amount such as 0.0586") from error
    if not micros.is_finite() or micros < 0 or micros != micros.to_integral_value():
        raise PriceError(f"{amount!r} is no amount of whole millionths")
    return int(micros)


def read_prices(path: Path | None) -> Prices:
    """Read a file of prices; None, or a file that is not there: those that ship.

    Raises:
        PriceError: it cannot be read as one; says where.
    """
    if path is not None and path.exists():
        return _prices(path.read_bytes(), name=str(path))
    return _prices((resources.files("notifiers") / FILE).read_bytes(), name=FILE)


def _prices(content: bytes, *, name: str) -> Prices:
    try:
        entries = msgspec.toml.decode(content, type=_File).price
    except msgspec.MsgspecError as error:
        raise PriceError(f"{name}: {error}") from error
    keys = set()
    for number, each in enumerate(entries, start=1):
        key = (each.provider, each.channel, each.country)
        if key in keys:
            raise PriceError(
                f"{name}: price {number} is of the same provider, channel and country as another"
            )
        keys.add(key)
        try:
            each.cost(1)
        except PriceError as error:
            raise PriceError(f"{name}: price {number}: {error}") from error
    return Prices(entries)

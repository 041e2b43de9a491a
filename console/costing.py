"""Costs as people read them, and the prices of an installation by channel."""

from decimal import Decimal
from typing import TYPE_CHECKING, Final, get_args

from notifiers.limits import LimitSettings, prices_of
from notifiers.pricing import Price
from schemas.fields import Channel

if TYPE_CHECKING:
    from infra.settings import Settings
    from notifiers.settings import SendSettings

__all__ = ["channel_prices", "money_text"]

_MICROS: Final = Decimal(1_000_000)


def money_text(micros: int) -> Decimal:
    """Write millionths as a decimal of major units, with at least the two places that people expect."""
    exact = Decimal(micros) / _MICROS
    return exact.quantize(Decimal("0.01")) if exact == exact.quantize(Decimal("0.01")) else exact.normalize()


def channel_prices(settings: "Settings", *, send: "SendSettings") -> dict[Channel, Price]:
    """Give the price of each channel over the provider that is switched on, for a country without one of its own."""
    prices = prices_of(settings, limits=LimitSettings())
    found = {channel: prices.price(channel, provider=send.provider(channel)) for channel in get_args(Channel)}
    return {channel: price for channel, price in found.items() if price is not None}

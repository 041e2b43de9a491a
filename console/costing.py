"""What deliveries of an installation will cost that have not been written yet: by channel, as they usually are."""

from decimal import Decimal
from typing import Final, get_args

from console.comparing import ChannelPrice
from console.money import money_text
from console.read_model import open_read_model
from infra.database.engine import DatabaseError
from infra.database.queries.costs import usual_parts
from infra.settings import Settings
from notifiers.limits import LimitSettings, prices_of
from notifiers.pricing import micros_of
from notifiers.settings import SendSettings, read_settings
from schemas.fields import Channel

__all__ = ["usual_prices"]

_ONE: Final = Decimal(1)


def usual_prices(settings: Settings) -> dict[str, ChannelPrice]:
    """Give what a delivery over each channel costs: the provider's price for any country, times the usual parts.

    Without deliveries so far, one segment, page or mail each. A channel without a price is left out.

    Raises:
        PriceError: the file of prices says what cannot be.
    """
    prices, send = prices_of(settings, limits=read_settings(LimitSettings)), read_settings(SendSettings)
    parts = _usual_parts(settings)
    found = {}
    for channel in get_args(Channel):
        price = prices.price(channel, provider=send.provider(channel))
        if price is not None:
            each = micros_of(price.delivery) + round(micros_of(price.part) * parts.get(channel, _ONE))
            found[str(channel)] = ChannelPrice(amount=money_text(each), currency=price.currency)
    return found


def _usual_parts(settings: Settings) -> dict[str, Decimal]:
    try:
        with open_read_model(settings) as connection:
            return usual_parts(connection)
    except DatabaseError:
        return {}  # a journal alone is enough to ask what if

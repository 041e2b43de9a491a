"""What an installation can set about pace, caps, prices and the alphabet of SMS; and what comes of it for a channel."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import Engine

from infra.errors import OperatorError
from infra.settings import Settings
from notifiers.channel import Message
from notifiers.gates import caps as caps_of
from notifiers.gates.caps import Caps, read_caps
from notifiers.gates.gate import Gate
from notifiers.gates.rate import Rate
from notifiers.pricing import FILE, Prices, priced, read_prices
from notifiers.sms.wording import plainly
from schemas.facts import ReminderDecided
from schemas.fields import Channel

__all__ = ["LimitFileError", "LimitSettings", "open_limits", "prices_of", "worded"]

Render = Callable[[ReminderDecided, Channel], Message]
_RATE_MAX: Final = 10_000.0


class LimitFileError(OperatorError):
    """A file of prices or caps that the settings name is not there."""


class LimitSettings(BaseSettings):
    """By ``COBRANZA_SEND_*`` variables.

    Attributes:
        rate_email, rate_sms, rate_letter: deliveries a second over the channel's provider, of all
            workers together; 0: as many as there are.
        prices: file of prices; without one ``prices.toml`` of the data folder, else those that ship.
        caps: file of daily caps; without one ``caps.toml`` of the data folder, else there are none.
        sms_plain: companies whose SMS are written without accents where that alone makes them
            cheaper, as a JSON list; ``["*"]``: all companies.
    """

    model_config = SettingsConfigDict(env_prefix="COBRANZA_SEND_", frozen=True, extra="forbid")

    rate_email: float = Field(default=0.0, ge=0.0, le=_RATE_MAX)
    rate_sms: float = Field(default=0.0, ge=0.0, le=_RATE_MAX)
    rate_letter: float = Field(default=0.0, ge=0.0, le=_RATE_MAX)
    prices: Path | None = None
    caps: Path | None = None
    sms_plain: tuple[str, ...] = ()

    def rate(self, channel: Channel) -> float:
        """Give the deliveries a second of a channel; 0: any number."""
        rates: dict[Channel, float] = {
            "email": self.rate_email,
            "sms": self.rate_sms,
            "letter": self.rate_letter,
        }
        return rates.get(channel, 0.0)


def prices_of(settings: Settings, *, limits: LimitSettings) -> Prices:
    """Read the prices of an installation.

    Raises:
        PriceError: the file says what cannot be.
        LimitFileError: it is named, and not there.
    """
    return read_prices(_there(limits.prices, name="PRICES") or settings.data_dir / FILE)


def _there(path: Path | None, *, name: str) -> Path | None:
    """Refuse a file that is named and is not there: nobody means to send without it."""
    if path is not None and not path.is_file():
        raise LimitFileError(f"COBRANZA_SEND_{name}: there is no file {path}")
    return path


def open_limits(
    channel: Channel, *, provider: str, settings: Settings, limits: LimitSettings, engine: Engine
) -> list[Gate]:
    """Give the gates of a channel, in the order of asking: caps before pace, or what is capped would use it up.

    Raises:
        CapError, PriceError: a file says what cannot be.
    """
    gates: list[Gate] = []
    caps = [
        each
        for each in read_caps(_there(limits.caps, name="CAPS") or settings.data_dir / caps_of.FILE)
        if each.channel == channel
    ]
    if caps:
        prices = prices_of(settings, limits=limits)
        gates.append(Caps(engine, caps=caps, channel=channel, provider=provider, prices=prices))
    if limits.rate(channel):
        gates.append(Rate(engine, provider=provider, per_s=limits.rate(channel)))
    return gates


def worded(render: Render, *, provider: str, settings: Settings, limits: LimitSettings) -> Render:
    """Write as ``render`` does, SMS as cheaply as is set, and each message with what it will cost.

    Raises:
        PriceError: the file of prices says what cannot be.
    """
    plain = plainly(render, companies=limits.sms_plain)
    return priced(plain, prices=prices_of(settings, limits=limits), provider=provider)

"""What an installation can set about letters: print runs by ``COBRANZA_SEND_PRINT_RUN_*``, a service by ``COBRANZA_SEND_POST_*``.

It opens nothing. Letters become files of a folder unless ``COBRANZA_SEND_LETTER`` names another way.
"""

import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from notifiers.channel import Cost
from notifiers.paper.post import PostOptions
from notifiers.paper.post_http import PostServer

__all__ = ["PostSettings", "PrintRunSettings"]


class PrintRunSettings(BaseSettings):
    """Where runs go, and when they are closed.

    Attributes:
        bucket: of S3; "": a folder of the data folder.
        prefix: of all names in the bucket.
        region, endpoint_url: of S3, where boto3's configuration does not say them.
        letters_max: a run of so many is closed.
        cut_off: local time of day at which open runs are closed, '16:30'; "": only by size or by command.
        time_zone: of ``cut_off``.
        duplex: printed on both sides.
        merged: also one PDF with all letters of a run.
    """

    model_config = SettingsConfigDict(env_prefix="COBRANZA_SEND_PRINT_RUN_", frozen=True, extra="forbid")

    bucket: str = ""
    prefix: str = ""
    region: str = ""
    endpoint_url: str = ""
    letters_max: int = Field(default=500, ge=1, le=10_000)
    cut_off: datetime.time | None = None
    time_zone: str = "UTC"
    duplex: bool = False
    merged: bool = False

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the cut-off."""
        return ZoneInfo(self.time_zone)

    @model_validator(mode="after")
    def _fits(self) -> "PrintRunSettings":
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"there is no time zone {self.time_zone!r}") from error
        if self.cut_off is not None and self.cut_off.tzinfo is not None:
            raise ValueError("cut_off is a time of day in time_zone: it has no offset")
        return self


class PostSettings(BaseSettings):
    """A print-and-post service, and how it is to print.

    Attributes:
        url: what stands before ``/letters``; https.
        user, key: the credentials.
        timeout_s: for a connection, and for an answer.
        duplex, colour, speed: how letters are printed and carried.
        currency, price_max: a letter that costs more is not sent; "": at any price.
    """

    model_config = SettingsConfigDict(env_prefix="COBRANZA_SEND_POST_", frozen=True, extra="forbid")

    url: str = Field(min_length=1)
    user: str = ""
    key: SecretStr = SecretStr("")
    timeout_s: float = Field(default=30.0, gt=0.0, le=300.0)
    duplex: bool = False
    colour: bool = False
    speed: str = ""
    currency: str = Field(default="", pattern="^([A-Z]{3})?$")
    price_max: Decimal = Field(default=Decimal(0), ge=0)

    @property
    def server(self) -> PostServer:
        """Where the service is."""
        return PostServer(
            url=self.url, user=self.user, key=self.key.get_secret_value(), timeout_s=self.timeout_s
        )

    @property
    def options(self) -> PostOptions:
        """How to print."""
        return PostOptions(duplex=self.duplex, colour=self.colour, speed=self.speed)

    @property
    def limit(self) -> Cost | None:
        """The highest price of a letter."""
        if not self.currency:
            return None
        return Cost(currency=self.currency, micros=int(self.price_max * 1_000_000))

"""Where the console listens and how long its sessions last, by ``COBRANZA_CONSOLE_*`` variables."""

import ipaddress
from typing import Final

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["ConsoleSettings"]

_FAILURES_TOGETHER: Final = 20  # times as many as of one name from one address


class ConsoleSettings(BaseSettings):
    """Limits of the console.

    Attributes:
        host, port: what it binds; other than this machine's own only on purpose, behind something that
            speaks TLS.
        trusted_proxies: addresses and networks (``10.0.0.5,10.1.0.0/16``) of what ends TLS before it: these alone are
            believed about whose request it is (``X-Forwarded-For``); '': nobody is, and the peer's address counts.
        is_https: users reach it by TLS: cookies are sent by nothing else.
        idle_minutes: a session that was not used for so long is over; ``session_hours``: it is over in any case.
        login_failures_max: so many in a row of a name from one address, and it waits there ``login_wait_minutes``;
            a name from all addresses, or an address with all names, waits after twenty times as many.
        written_s_max: so long a page waits for its own request to be in the read model.
        answer_wait_s: so long a page waits for an answer over all documents; then it shows the one before.
        answer_fresh_s: an answer of this age is not made anew.
        body_bytes_max, receive_s_max, connections_max, stop_s_max: as in ``WebSettings``.
    """

    model_config = SettingsConfigDict(env_prefix="COBRANZA_CONSOLE_", frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=8470, ge=0, le=65_535)
    trusted_proxies: str = ""
    is_https: bool = False
    idle_minutes: int = Field(default=60, ge=1, le=1440)
    session_hours: int = Field(default=12, ge=1, le=168)
    login_failures_max: int = Field(default=5, ge=1, le=100)
    login_wait_minutes: int = Field(default=15, ge=1, le=1440)
    written_s_max: float = Field(default=2.0, ge=0.0, le=30.0)
    answer_wait_s: float = Field(default=0.05, ge=0.0, le=60.0)
    answer_fresh_s: float = Field(default=60.0, ge=0.0, le=86_400.0)
    body_bytes_max: int = Field(default=512 * 1024, ge=1024)
    receive_s_max: float = Field(default=30.0, gt=0.0, le=300.0)
    connections_max: int = Field(default=200, ge=1)
    stop_s_max: float = Field(default=8.0, ge=0.0, le=60.0)

    @field_validator("trusted_proxies")
    @classmethod
    def _are_addresses(cls, value: str) -> str:
        """Take addresses and networks only: a name, or ``*``, would be anybody's word for whose request it is."""
        for each in value.split(","):
            if each.strip():
                ipaddress.ip_network(each.strip())
        return value

    @property
    def failures_together_max(self) -> int:
        """Give after how many failures in a row a name waits wherever it comes from, or an address whatever its name."""
        return _FAILURES_TOGETHER * self.login_failures_max

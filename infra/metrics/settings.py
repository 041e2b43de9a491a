"""Where a process answers and how long it may stand still, by ``COBRANZA_METRICS_*`` variables."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["FIRST_PORT", "MetricsSettings"]

# `cobranza up` numbers its processes from here on.
FIRST_PORT = 9640


class MetricsSettings(BaseSettings):
    """The settings of one process's small HTTP server, and of what the exporter reads.

    Attributes:
        host: the address it binds; other than this machine's own only on purpose.
        port: 0: any free one, told in the log. For `cobranza up`: its first process's port,
            0: 9640; the others follow, and ports that are taken are left out.
        stalled_s: a loop with work that has made no progress for so long is unhealthy.
        stopped_s: for how long a worker that has stopped for a fault still answers, so that the
            scrapes of a minute read it, before it ends. 0: it ends at once.
        export_every_s: how often the exporter reads lags.
    """

    model_config = SettingsConfigDict(env_prefix="COBRANZA_METRICS_", frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65_535)
    stalled_s: float = Field(default=120.0, gt=0.0, le=3600.0)
    stopped_s: float = Field(default=60.0, ge=0.0, le=600.0)
    export_every_s: float = Field(default=5.0, gt=0.0, le=600.0)

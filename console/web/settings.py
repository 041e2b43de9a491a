"""Where ``cobranza web`` listens and what it lets in, by ``COBRANZA_WEB_*`` variables."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["WebSettings"]


class WebSettings(BaseSettings):
    """Limits of the HTTP process.

    Attributes:
        host, port: what the outside face (links, hooks) binds; other than this machine's own only
            on purpose, behind something that speaks TLS.
        body_bytes_max: of a request that brings no files.
        file_bytes_max, files_max: of what a reader may attach to one answer.
        files_kept_days: so long after it was sent last a file is kept.
        answers_per_link_max: so many different answers are taken by one link.
        receive_s_max: a request that is not here whole by then is refused.
        connections_max: more at once are told to come back.
        stop_s_max: requests that run may take so long once the process is told to stop.
    """

    model_config = SettingsConfigDict(env_prefix="COBRANZA_WEB_", frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=8480, ge=0, le=65_535)
    body_bytes_max: int = Field(default=512 * 1024, ge=1024)
    file_bytes_max: int = Field(default=5 * 1024 * 1024, ge=1024, le=50 * 1024 * 1024)
    files_max: int = Field(default=3, ge=0, le=10)
    files_kept_days: int = Field(default=400, ge=1, le=36_500)
    answers_per_link_max: int = Field(default=20, ge=1, le=1000)
    receive_s_max: float = Field(default=30.0, gt=0.0, le=300.0)
    connections_max: int = Field(default=200, ge=1)
    stop_s_max: float = Field(default=8.0, ge=0.0, le=60.0)

"""What an installation can set about sending, by ``COBRANZA_SEND_*`` variables.

Out of the box nothing leaves the machine: a provider is switched on by its name.
"""

from typing import Literal

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["DoubtPolicy", "SendSettings"]

DoubtPolicy = Literal["hold", "resend"]


class SendSettings(BaseSettings):
    """Limits and providers of the notifiers.

    Attributes:
        email: who carries mail: ``recorder`` (files) or ``smtp``.
        sms: who carries SMS.
        email_doubt: what to do about a mail of which nobody knows whether it went
            out (a crash between the handing over and the answer): ``hold`` it for a
            person, or ``resend`` it, at the risk of a second one.
        sms_doubt, letter_doubt, task_doubt: likewise.
        reader_age_s_max: with live reminders, how old the read model may be (R32).
        attempts_max: so many times a delivery is tried; then it has failed.
        retry_s_first: the wait after the first temporary failure; it doubles with each.
        retry_s_max: it does not grow beyond that.
    """

    model_config = SettingsConfigDict(env_prefix="COBRANZA_SEND_", frozen=True, extra="forbid")

    email: Literal["recorder", "smtp"] = "recorder"
    sms: Literal["recorder"] = "recorder"
    email_doubt: DoubtPolicy = "hold"
    sms_doubt: DoubtPolicy = "hold"
    letter_doubt: DoubtPolicy = "hold"
    task_doubt: DoubtPolicy = "hold"
    smtp_host: str = ""
    smtp_port: int = Field(default=587, ge=1, le=65_535)
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_sender: str = ""
    smtp_timeout_s: float = Field(default=30.0, gt=0.0, le=300.0)
    reader_age_s_max: float = Field(default=60.0, gt=0.0, le=3600.0)
    attempts_max: int = Field(default=20, ge=1, le=1000)
    retry_s_first: float = Field(default=1.0, gt=0.0)
    retry_s_max: float = Field(default=300.0, gt=0.0)

    @model_validator(mode="after")
    def _fits(self) -> "SendSettings":
        if self.email == "smtp" and not self.smtp_host:
            raise ValueError("smtp_host is needed when email is smtp")
        if self.retry_s_first > self.retry_s_max:
            raise ValueError("retry_s_first is longer than retry_s_max")
        return self

"""What an installation can set about Twilio, by ``COBRANZA_SEND_TWILIO_*`` variables."""

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from notifiers.sms.account import API, TwilioAccount

__all__ = ["TwilioSettings"]


class TwilioSettings(BaseSettings):
    """Account and sender; see ``TwilioAccount``.

    Attributes:
        account_sid, auth_token: of the account; with an API key, ``key_sid`` and ``auth_token`` are the key's.
        messaging_service_sid, sender: one of the two.
        status_url: public address of our hook; '' asks for no word of what became of messages.
        validity_s: so long the provider may try to deliver.
        timeout_s: so long an answer is waited for.
        settle_s: so long after a question that was not answered its message may still turn up.
        at_once: so many messages are handed over at the same time.
        url: of the API.
    """

    model_config = SettingsConfigDict(env_prefix="COBRANZA_SEND_TWILIO_", frozen=True, extra="forbid")

    account_sid: str = ""
    auth_token: SecretStr = SecretStr("")
    key_sid: str = ""
    messaging_service_sid: str = Field(default="", pattern="^(MG[0-9a-fA-F]{32})?$")
    sender: str = ""
    status_url: str = Field(default="", pattern="^(https?://.+)?$")
    validity_s: int = Field(default=14_400, ge=1, le=36_000)
    timeout_s: float = Field(default=30.0, gt=0.0, le=300.0)
    settle_s: float = Field(default=60.0, ge=1.0, le=3600.0)
    at_once: int = Field(default=4, ge=1, le=50)
    url: str = API

    @model_validator(mode="after")
    def _fits(self) -> "TwilioSettings":
        if not (self.account_sid and self.auth_token.get_secret_value()):
            raise ValueError("account_sid and auth_token are needed when sms is twilio")
        if bool(self.messaging_service_sid) == bool(self.sender):
            raise ValueError("one of messaging_service_sid and sender is needed")
        return self

    def account(self) -> TwilioAccount:
        """Give the account as the channel takes it."""
        return TwilioAccount(
            account_sid=self.account_sid,
            secret=self.auth_token.get_secret_value(),
            key_sid=self.key_sid,
            messaging_service_sid=self.messaging_service_sid,
            sender=self.sender,
            status_url=self.status_url,
            validity_s=self.validity_s,
            timeout_s=self.timeout_s,
            settle_s=self.settle_s,
            at_once=self.at_once,
            url=self.url,
        )

"""Whom an installation listens to, by ``COBRANZA_FEEDBACK_*`` variables: nobody, as it comes."""

from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["FeedbackSettings"]


class FeedbackSettings(BaseSettings):
    """What hooks believe.

    Attributes:
        sns_topics: the ARNs of the topics that SES tells its events on, separated by commas; "": none.
        sns_origin: a stand-in for Amazon's servers, from which certificates are taken and at which
            subscriptions are confirmed ('http://127.0.0.1:8000'); for tests only. "": Amazon's alone.
        twilio_auth_tokens: what Twilio signs with; two with a comma between while one is exchanged. "":
            nothing of Twilio's is believed.
        twilio_url: what Twilio calls our hooks by ('https://pay.example.com'), where a proxy stands before
            them; "": ``COBRANZA_PUBLIC_URL``, else as the request has it.
        patience_s: so long a word may wait for the delivery that it is of, which may not be written down yet.
        fetch_s_max: so long Amazon may take to give a certificate.
        kept_days: so long what providers and readers said, and what users set by the audit, is kept in SQL as
            text (``infra.database.trimming``).
    """

    model_config = SettingsConfigDict(env_prefix="COBRANZA_FEEDBACK_", frozen=True, extra="forbid")

    sns_topics: str = ""
    sns_origin: str = ""
    twilio_auth_tokens: SecretStr = SecretStr("")
    twilio_url: str = ""
    patience_s: float = Field(default=600.0, ge=0.0, le=86_400.0)
    fetch_s_max: float = Field(default=5.0, gt=0.0, le=60.0)
    kept_days: int = Field(default=400, ge=1, le=36_500)

    @field_validator("sns_topics")
    @classmethod
    def _are_arns(cls, value: str) -> str:
        for each in filter(None, (part.strip() for part in value.split(","))):
            if not (each.startswith("arn:") and each.count(":") == 5 and ":sns:" in each):
                raise ValueError(f"{each!r} is no ARN of an SNS topic")
        return value

    @field_validator("twilio_url", "sns_origin")
    @classmethod
    def _is_root(cls, value: str) -> str:
        if value and (urlsplit(value).scheme not in ("https", "http") or not urlsplit(value).hostname):
            raise ValueError("is no web address such as https://pay.example.com")
        return value.rstrip("/")

    def topics(self) -> frozenset[str]:
        """Give the ARNs that are listened to."""
        return frozenset(filter(None, (part.strip() for part in self.sns_topics.split(","))))

    def tokens(self) -> list[str]:
        """Give Twilio's tokens, the current one first."""
        texts = self.twilio_auth_tokens.get_secret_value().split(",")
        return [each.strip() for each in texts if each.strip()]

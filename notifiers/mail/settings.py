"""What the carriers of mail need to know: an SMTP server, SES, and a key to sign with.

Read only when their carrier is switched on by ``COBRANZA_SEND_EMAIL``, and complete or refused.
"""

from pathlib import Path
from typing import Annotated, Literal

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["DkimSettings", "SesSettings", "SmtpSettings"]


def _checked(email: str) -> str:
    """Take an address as it is, or none at all."""
    try:
        if email:
            validate_email(
                email, check_deliverability=False, globally_deliverable=False, test_environment=True
            )
    except EmailNotValidError as error:
        raise ValueError(f"{email!r} is no mail address: {error}") from error
    return email


OptionalEmail = Annotated[str, AfterValidator(_checked)]


class SmtpSettings(BaseSettings):
    """Where mail is handed over by SMTP.

    Attributes:
        host, port, security, user, password: of the server; ``starttls`` and ``tls`` check its certificate.
        sender: From of companies that have no ``sender_email`` of their own.
        sender_always: From of all companies; their own address becomes Reply-To.
        bounces: where mail servers report what they could not deliver (the envelope's sender); otherwise
            the address in From.
        connections: so many mails are under way at a time; after a crash as many are in doubt.
        timeout_s: how long an answer may take.
    """

    model_config = SettingsConfigDict(env_prefix="COBRANZA_SEND_SMTP_", frozen=True, extra="forbid")

    host: str = ""
    port: int = Field(default=587, ge=1, le=65_535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password: SecretStr = SecretStr("")
    sender: OptionalEmail = ""
    sender_always: bool = False
    bounces: OptionalEmail = ""
    connections: int = Field(default=8, ge=1, le=100)
    timeout_s: float = Field(default=30.0, gt=0.0, le=300.0)

    @model_validator(mode="after")
    def _fits(self) -> "SmtpSettings":
        if not self.host:
            raise ValueError("COBRANZA_SEND_SMTP_HOST is needed when COBRANZA_SEND_EMAIL is smtp")
        if bool(self.user) != bool(self.password.get_secret_value()):
            raise ValueError("user and password go together")
        if not f"{self.user}{self.password.get_secret_value()}".isascii():
            # smtplib cannot say them, and of what a server makes of others no standard can be relied on.
            raise ValueError(
                "user and password must be of ASCII characters: set another password at the server"
            )
        if self.user and self.security == "none":
            raise ValueError(
                "a password is not sent over an unprotected connection: security must be starttls or tls"
            )
        if self.sender_always and not self.sender:
            raise ValueError("sender_always needs a sender")
        return self


class DkimSettings(BaseSettings):
    """The key that mails by SMTP are signed with (RFC 6376); all of it, or nothing.

    Attributes:
        domain, selector: where the public key stands in DNS: ``<selector>._domainkey.<domain>``.
        key_file: the private key, PEM, RSA of 1024 bits at least; it is never logged.
    """

    model_config = SettingsConfigDict(env_prefix="COBRANZA_SEND_DKIM_", frozen=True, extra="forbid")

    domain: str = ""
    selector: str = ""
    key_file: Path | None = None

    @property
    def is_on(self) -> bool:
        """Say whether mails are signed."""
        return self.key_file is not None

    @model_validator(mode="after")
    def _fits(self) -> "DkimSettings":
        given = [bool(self.domain), bool(self.selector), self.is_on]
        if any(given) and not all(given):
            raise ValueError("domain, selector and key_file go together")
        return self


class SesSettings(BaseSettings):
    """How mail is handed to Amazon SES. Credentials come from where boto3 finds them (environment, profile, role).

    Attributes:
        region: for example eu-west-1.
        configuration_set: what SES is to do with events (bounces, complaints) and with addresses.
        sender, sender_always, connections, timeout_s: as in ``SmtpSettings``.
        endpoint_url: another endpoint than the region's (a VPC's own, a stand-in).
    """

    model_config = SettingsConfigDict(env_prefix="COBRANZA_SEND_SES_", frozen=True, extra="forbid")

    region: str = ""
    configuration_set: str = ""
    sender: OptionalEmail = ""
    sender_always: bool = False
    connections: int = Field(default=8, ge=1, le=100)
    timeout_s: float = Field(default=30.0, gt=0.0, le=300.0)
    endpoint_url: str = ""

    @model_validator(mode="after")
    def _fits(self) -> "SesSettings":
        if not self.region:
            raise ValueError("COBRANZA_SEND_SES_REGION is needed when COBRANZA_SEND_EMAIL is ses")
        if self.sender_always and not self.sender:
            raise ValueError("sender_always needs a sender")
        return self

"""What an installation can set about sending, by ``COBRANZA_SEND_*`` variables.

Out of the box nothing leaves the machine: a provider is switched on by its name. What a
provider itself needs stands in settings beside it (``COBRANZA_SEND_<PROVIDER>_*``).
"""

import re
from pathlib import Path
from typing import Final, Literal, TypeVar

from email_validator import EmailNotValidError, validate_email
from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from infra.errors import OperatorError
from notifiers.redirecting import SandboxRecipients
from notifiers.retry_after import RETRY_AFTER_S_MAX
from schemas.fields import Channel as ChannelName

__all__ = ["DoubtPolicy", "SendSettings", "SettingsError", "read_settings"]

DoubtPolicy = Literal["hold", "resend"]
_Read = TypeVar("_Read", bound=BaseSettings)
# What writes files on this machine; any other provider reaches people.
_FILES: Final = ("recorder", "folder")
_PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_ADDRESS_LINES_MIN, _ADDRESS_LINES_MAX = 2, 5
_ADDRESS_LINE: Final = re.compile(r"[|\n]")


class SettingsError(OperatorError):
    """Settings of sending are missing, wrong or contradict each other; names each variable."""


def read_settings(kind: type[_Read]) -> _Read:
    """Read settings of one kind from the environment.

    Raises:
        SettingsError: they are wrong; one line for each variable.
    """
    try:
        return kind()
    except ValidationError as error:
        prefix = kind.model_config.get("env_prefix", "")
        lines = [
            f"{prefix}{'.'.join(map(str, one['loc'])).upper() or '*'}: {one['msg'].removeprefix('Value error, ')}"
            for one in error.errors()
        ]
        raise SettingsError("Settings of sending are wrong:\n" + "\n".join(lines)) from error


class SendSettings(BaseSettings):
    """Limits and providers of the notifiers.

    Attributes:
        email: who carries mail: ``recorder`` (files), ``smtp`` or ``ses``.
        sms: who carries SMS: ``recorder`` (files) or ``twilio``.
        letter: who carries letters: ``folder`` (PDF files), ``print_run`` (runs of files with a manifest, in a
            folder or a bucket) or ``post`` (a print-and-post service).
        letter_fonts: a folder with fonts for scripts that those that come along do not have.
        sandbox_email, sandbox_phone, sandbox_address: while trying things out, every mail, SMS
            or letter goes there instead (an address: lines parted by ``|``). A message says
            whom it was meant for.
        email_doubt: what to do about a mail of which nobody knows whether it went
            out (a crash between the handing over and the answer): ``hold`` it for a
            person, or ``resend`` it, at the risk of a second one.
        sms_doubt, letter_doubt, task_doubt: likewise.
        reader_age_s_max: with live reminders, how old the read model may be (R32).
        attempts_max: so many times a delivery is tried that the provider puts off (a full mailbox); then it has
            failed. While a provider takes nothing at all (down, suspended, password refused), or nothing of a
            sender, no try counts.
        wait_days_max: so many days after it began to wait, whatever for, a delivery has failed all the same (``expired``,
            ``cap_reached``), and the next channel has its turn; 0: never. Mail servers keep trying for four or five (RFC 5321, 4.5.4.1).
        retry_s_first: the wait after the first temporary failure; it doubles with each.
        retry_s_max: it does not grow beyond that.
        retry_after_s_max: a provider that says how long to wait (``Retry-After``) is left alone for so long at least, but not
            for longer than this; 0: its word is not heeded.
    """

    model_config = SettingsConfigDict(env_prefix="COBRANZA_SEND_", frozen=True, extra="forbid")

    email: Literal["recorder", "smtp", "ses"] = "recorder"
    sms: Literal["recorder", "twilio"] = "recorder"
    letter: Literal["folder", "print_run", "post"] = "folder"
    letter_fonts: Path | None = None
    sandbox_email: str = ""
    sandbox_phone: str = ""
    sandbox_address: str = ""
    email_doubt: DoubtPolicy = "hold"
    sms_doubt: DoubtPolicy = "hold"
    letter_doubt: DoubtPolicy = "hold"
    task_doubt: DoubtPolicy = "hold"
    reader_age_s_max: float = Field(default=60.0, gt=0.0, le=3600.0)
    attempts_max: int = Field(default=20, ge=1, le=1000)
    wait_days_max: float = Field(default=5.0, ge=0.0, le=365.0)
    retry_s_first: float = Field(default=1.0, gt=0.0)
    retry_s_max: float = Field(default=300.0, gt=0.0)
    retry_after_s_max: float = Field(default=RETRY_AFTER_S_MAX, ge=0.0, le=86_400.0)

    def provider(self, channel: ChannelName) -> str:
        """Name who carries a channel."""
        carriers: dict[ChannelName, str] = {
            "email": self.email,
            "sms": self.sms,
            "letter": self.letter,
            "task": "list",
        }
        return carriers[channel]

    def is_real(self, channel: ChannelName) -> bool:
        """Say whether what this channel carries reaches people outside."""
        return channel != "task" and self.provider(channel) not in _FILES

    @property
    def sandbox(self) -> SandboxRecipients:
        """Where everything goes while trying things out; empty where nothing is set."""
        lines = [line.strip() for line in _ADDRESS_LINE.split(self.sandbox_address)]
        return SandboxRecipients(
            email=self.sandbox_email, phone=self.sandbox_phone, address=tuple(filter(None, lines))
        )

    @model_validator(mode="after")
    def _fits(self) -> "SendSettings":
        if self.retry_s_first > self.retry_s_max:
            raise ValueError("retry_s_first is longer than retry_s_max")
        self._sandbox_fits()
        return self

    def _sandbox_fits(self) -> None:
        """Refuse recipients that cannot be, and a rehearsal in which one provider would still write to customers."""
        sandbox = self.sandbox
        if sandbox.email:
            try:
                validate_email(
                    sandbox.email,
                    check_deliverability=False,
                    globally_deliverable=False,
                    test_environment=True,
                )
            except EmailNotValidError as error:
                raise ValueError(f"sandbox_email is no mail address: {error}") from error
        if sandbox.phone and not _PHONE.fullmatch(sandbox.phone):
            raise ValueError("sandbox_phone is no phone number as in E.164 (+34600000000)")
        if sandbox.address and not _ADDRESS_LINES_MIN <= len(sandbox.address) <= _ADDRESS_LINES_MAX:
            raise ValueError(
                f"sandbox_address needs {_ADDRESS_LINES_MIN} to {_ADDRESS_LINES_MAX} lines, parted by |"
            )
        if not sandbox:
            return
        for channel, setting in (("email", "email"), ("sms", "phone"), ("letter", "address")):
            if self.is_real(channel) and not sandbox.covers(channel):  # type: ignore[arg-type]
                raise ValueError(
                    f"a sandbox is set, but {channel} would reach customers by {self.provider(channel)}: "  # type: ignore[arg-type]
                    f"set sandbox_{setting} too, or switch {channel} off"
                )

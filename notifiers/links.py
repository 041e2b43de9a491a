"""Signed links (S4-17, B-06, B-21): made where messages are written, read where their readers come in.

A link names a purpose, a reminder, the channel that it went out by, a last day and,
for a document, which one. Whoever has it may do that and nothing else: no name, no amount and
no account stands in it, and nothing can be changed in it without the secret. Nothing is kept
of a link; what ends one before its day is a row of ``infra.database.links``.

    <public url>/<purpose>/<key>.<payload>.<signature>
"""

import base64
import binascii
import datetime
import hashlib
import hmac
from typing import Final, Literal, get_args
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.facts import ReminderDecided
from schemas.fields import Channel

__all__ = ["Link", "LinkError", "LinkSettings", "Links", "Purpose"]

Purpose = Literal["answer", "unsubscribe", "document", "letter"]
_PATHS: Final[dict[Purpose, str]] = {"answer": "a", "unsubscribe": "u", "document": "d", "letter": "l"}
_CHANNELS: Final = get_args(Channel)
_SECRET_MIN: Final = 32
_TOKEN_MAX: Final = 600
_SIGNATURE_BYTES: Final = 18  # 144 bits; no bits of its text are left over
_ID_BYTES: Final = 16
_EPOCH: Final = datetime.date(1970, 1, 1)
_DAYS_MAX: Final = 84_000  # the year 2199
# A reader may leave for as long as the mail may lie in a mailbox, whatever else has ended.
_UNSUBSCRIBE_DAYS_MIN: Final = 400

_decoder = msgspec.msgpack.Decoder(tuple[str, int, int, bytes, str, str])


class LinkSettings(BaseSettings):
    """Where links lead and what signs them, by ``COBRANZA_*`` variables.

    Attributes:
        public_url: what readers reach ``cobranza web`` by, without a path of its own at the end or
            with one that a proxy takes off; "": messages have no links.
        link_secrets: one secret, or several with commas between, each of 32 characters or more.
            The first one signs, all are good for reading: a new one is put in front, the old one
            taken away once its links have ended. "": messages have no links.
        link_days: so many days after its reminder a link is good.
    """

    model_config = SettingsConfigDict(env_prefix="COBRANZA_", frozen=True, extra="forbid")

    public_url: str = ""
    link_secrets: SecretStr = SecretStr("")
    link_days: int = Field(default=120, ge=1, le=3_650)

    @field_validator("public_url")
    @classmethod
    def _leads_to_the_web(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("https", "http") or not parts.hostname):
            raise ValueError("is no web address such as https://pay.example.com")
        if parts.query or parts.fragment or parts.username:
            raise ValueError("has more than a host and a path")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _secrets_are_long(self) -> "LinkSettings":
        if any(len(each) < _SECRET_MIN for each in self.secrets()):
            raise ValueError(f"link_secrets: each needs {_SECRET_MIN} characters or more")
        return self

    def secrets(self) -> list[str]:
        """Give the secrets, the one that signs first."""
        texts = (each.strip() for each in self.link_secrets.get_secret_value().split(","))
        return [each for each in texts if each]


class LinkError(Exception):
    """A link is not ours (``forged``), or its day is over (``ended``)."""

    def __init__(self, reason: Literal["forged", "ended"], *, link: "Link | None" = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.link = link


class Link(Struct, frozen=True, kw_only=True):
    """What a link says: ``last_on`` is the last day (UTC) on which it is good, ``subject`` a document's id."""

    purpose: Purpose
    reminder: str
    channel: Channel
    last_on: datetime.date
    subject: str = ""


class Links:
    """Makes and reads links. Without address or secret it makes "" and reads none.

    Args:
        settings: address, secrets and days.
    """

    def __init__(self, settings: LinkSettings) -> None:
        self._base = settings.public_url
        self._days = datetime.timedelta(days=settings.link_days)
        self._keys = {_name_of(secret): _key_of(secret) for secret in settings.secrets()}
        self._signing = next(iter(self._keys), "")

    @property
    def missing(self) -> str:
        """Say what keeps messages from having links; "": nothing does."""
        wanted = {"COBRANZA_PUBLIC_URL": self._base, "COBRANZA_LINK_SECRETS": self._signing}
        lacking = [name for name, value in wanted.items() if not value]
        return f"messages have no links: {' and '.join(lacking)} not set" if lacking else ""

    @property
    def public_url(self) -> str:
        """What the world reaches ``cobranza web`` by; "": it is not said."""
        return self._base

    @property
    def is_https(self) -> bool:
        """Say whether readers come by TLS."""
        return self._base.startswith("https://")

    @property
    def root(self) -> str:
        """The path below which readers see the pages; "" where that is the host's own."""
        return urlsplit(self._base).path

    def answer(self, reminder: ReminderDecided, *, channel: Channel) -> str:
        """Give the address of "tell us here" (S4-17) for whoever has this reminder by this channel; "": none."""
        return self._made(reminder, channel=channel, purpose="answer")

    def unsubscribe(self, reminder: ReminderDecided, *, channel: Channel) -> str:
        """Give the address to stop messages by this channel (RFC 8058 posts to it); "": none."""
        return self._made(reminder, channel=channel, purpose="unsubscribe")

    def document(self, reminder: ReminderDecided, *, channel: Channel, item: str) -> str:
        """Give the address of one document that the reminder lists; "": none."""
        return self._made(reminder, channel=channel, purpose="document", subject=item)

    def letter(self, reminder: ReminderDecided, *, channel: Channel) -> str:
        """Give the address of the message as a printed letter (PDF); "": none."""
        return self._made(reminder, channel=channel, purpose="letter")

    def url(self, link: Link) -> str:
        """Give the address of a link; "": none."""
        return "" if self.missing else f"{self._base}/{_PATHS[link.purpose]}/{self.token(link)}"

    def token(self, link: Link) -> str:
        """Sign a link.

        Raises:
            KeyError: there is no secret.
        """
        signed = f"{self._signing}.{_text_of(_packed(link))}"
        return f"{signed}.{_signature(self._keys[self._signing], signed)}"

    def read(self, token: str, *, purpose: Purpose, today: datetime.date) -> Link:
        """Read a link that somebody came by.

        Args:
            token: what stands behind the purpose in its address.
            purpose: what it must be for.
            today: the day (UTC): of the clock, or of the newest tick where that is played.

        Raises:
            LinkError: it is forged or for something else, or its day is over.
        """
        link = self._opened(token[: _TOKEN_MAX + 1])
        if link.purpose != purpose:
            raise LinkError("forged")
        if today > link.last_on:
            raise LinkError("ended", link=link)
        return link

    def _opened(self, token: str) -> Link:
        signed, _, signature = token.rpartition(".")
        name, _, payload = signed.partition(".")
        key = self._keys.get(name)
        # The text of the signature is compared, not its bytes: no second text stands for the same one.
        expected = _signature(key or b"nobody's", signed)
        is_ours = hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))
        if key is None or not is_ours or len(token) > _TOKEN_MAX:
            raise LinkError("forged")
        return _unpacked(payload)

    def _made(
        self, reminder: ReminderDecided, *, channel: Channel, purpose: Purpose, subject: str = ""
    ) -> str:
        # A colleague who is told of an answer has no business with the customer's links.
        if self.missing or channel == "task" or reminder.answer is not None:
            return ""
        days = self._days
        if purpose == "unsubscribe":
            days = max(days, datetime.timedelta(days=_UNSUBSCRIBE_DAYS_MIN))
        last_on = reminder.tick.astimezone(datetime.UTC).date() + days
        return self.url(
            Link(purpose=purpose, reminder=reminder.id, channel=channel, last_on=last_on, subject=subject)
        )


def _packed(link: Link) -> bytes:
    """Write a link in few bytes: an SMS has room for little else."""
    is_digest = _is_digest(link.reminder)
    digest, name = (bytes.fromhex(link.reminder), "") if is_digest else (b"", link.reminder)
    days = (link.last_on - _EPOCH).days
    return msgspec.msgpack.encode(
        (_PATHS[link.purpose], _CHANNELS.index(link.channel), days, digest, name, link.subject)
    )


def _unpacked(payload: str) -> Link:
    """Read what was signed.

    Raises:
        LinkError: we would not have written it so.
    """
    try:
        raw = base64.b64decode(payload + "=" * (-len(payload) % 4), altchars=b"-_", validate=True)
        path, channel, days, digest, name, subject = _decoder.decode(raw)
        purpose = next(each for each, known in _PATHS.items() if known == path)
        if not (0 <= channel < len(_CHANNELS) and 0 <= days <= _DAYS_MAX):
            raise LinkError("forged")
        return Link(
            purpose=purpose,
            reminder=digest.hex() or name,
            channel=_CHANNELS[channel],
            last_on=_EPOCH + datetime.timedelta(days=days),
            subject=subject,
        )
    except (binascii.Error, msgspec.DecodeError, StopIteration, UnicodeError) as error:
        raise LinkError("forged") from error


def _is_digest(reminder: str) -> bool:
    return len(reminder) == 2 * _ID_BYTES and not reminder.strip("0123456789abcdef")


def _text_of(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _key_of(secret: str) -> bytes:
    return hashlib.blake2b(secret.encode(), digest_size=32, person=b"cobranza link 1").digest()


def _name_of(secret: str) -> str:
    """Name a key, so that the right one is found while several are good; it tells nothing of the secret."""
    return _text_of(hashlib.blake2b(_key_of(secret), digest_size=3, person=b"cobranza name").digest())


def _signature(key: bytes, signed: str) -> str:
    return _text_of(hmac.digest(key, signed.encode("utf-8", "replace"), "sha256")[:_SIGNATURE_BYTES])

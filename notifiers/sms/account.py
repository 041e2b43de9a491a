"""Whose SMS they are at Twilio, and how they are sent; values only, so that settings need no client."""

from typing import Final

from msgspec import Struct

__all__ = ["API", "TwilioAccount"]

API: Final = "https://api.twilio.com"


class TwilioAccount(Struct, frozen=True, kw_only=True):
    """Whose messages they are, and how they are sent.

    Attributes:
        account_sid: of the account; also the user, unless ``key_sid`` is an API key's.
        secret: the account's auth token, or the API key's secret.
        key_sid: of an API key.
        messaging_service_sid: the service that chooses the sender; else ``sender``.
        sender: a number (E.164), short code or alphanumeric id.
        status_url: where the provider says what became of a message; ``reminder=<id>`` is added.
        validity_s: so long the provider may try; then the message is dropped there.
        timeout_s: so long an answer is waited for.
        settle_s: so long after a question what is not listed may still come.
        at_once: so many messages are handed over at the same time; of each a crash leaves a doubt.
        url: of the API; another one for tests, or for a proxy of one's own.
    """

    account_sid: str
    secret: str
    key_sid: str = ""
    messaging_service_sid: str = ""
    sender: str = ""
    status_url: str = ""
    validity_s: int = 14_400
    timeout_s: float = 30.0
    settle_s: float = 60.0
    at_once: int = 4
    url: str = API

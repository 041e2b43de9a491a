"""Notifications of Amazon SNS over HTTP: whether one is Amazon's, of a topic of ours, and unchanged.

A signature alone says little: anyone can have a topic, and Amazon signs for all of them. So a
message is believed when (1) its topic is one that the installation names, (2) its certificate
comes from an address of SNS itself, and (3) the signature over its fields fits. A subscription is
confirmed only after that, and only at SNS; the end of one never is, since that would renew it.
"""

import base64
import binascii
import datetime
import re
import threading
from collections.abc import Callable, Mapping
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec
import structlog
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from msgspec import Struct

from notifiers.feedback.refusals import ForgedError, MalformedError, UnavailableError

__all__ = ["Notification", "SnsReader"]

_HOST: Final = re.compile(r"sns\.[a-z]{2}(-[a-z]+)+-\d{1,2}\.amazonaws\.com(\.cn)?")
_CERTIFICATE: Final = re.compile(r"/SimpleNotificationService-[A-Za-z0-9]{8,64}\.pem")
_SIGNED: Final[Mapping[str, tuple[str, ...]]] = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
    ),
    "UnsubscribeConfirmation": (
        "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
    ),
}  # fmt: skip
_HASHES: Final = {"1": hashes.SHA1, "2": hashes.SHA256}  # Amazon's choice per topic
_CERTIFICATES_MAX: Final = 16
_log = structlog.get_logger(__name__)


class Notification(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A message of SNS as it comes; fields that we do not need are passed over."""

    type: Literal["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"]
    message_id: str
    topic_arn: str
    message: str
    timestamp: str
    signature: str
    signature_version: str
    signing_cert_url: str = msgspec.field(name="SigningCertURL")
    subscribe_url: str | None = msgspec.field(name="SubscribeURL", default=None)
    token: str | None = None
    subject: str | None = None


_decoder = msgspec.json.Decoder(Notification)


class SnsReader:
    """Reads and believes, or refuses. Thread-safe; certificates are kept.

    Args:
        topics: ARNs of the topics that are listened to.
        origin: a stand-in that is believed beside Amazon's own hosts; "": none is.
        fetch: gets what lies at an address, or raises `UnavailableError`.
        clock: UTC; a certificate holds for a time.
    """

    def __init__(
        self,
        *,
        topics: frozenset[str],
        origin: str,
        fetch: Callable[[str], bytes],
        clock: Callable[[], datetime.datetime],
    ) -> None:
        self._topics, self._origin, self._fetch, self._clock = topics, origin, fetch, clock
        self._certificates: dict[str, x509.Certificate] = {}
        self._guard = threading.Lock()

    def read(self, body: bytes) -> Notification:
        """Give the notification in a request's body, which is Amazon's and of a topic of ours.

        Raises:
            MalformedError: it is no message of SNS.
            ForgedError: it is of another topic, or not signed as it should be.
            UnavailableError: its certificate cannot be had at present.
        """
        try:
            notification = _decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise MalformedError(f"no message of SNS: {error}") from error
        if notification.topic_arn not in self._topics:
            raise ForgedError(f"topic {notification.topic_arn[:200]!r} is none that we listen to")
        self._check(notification)
        return notification

    def confirm(self, notification: Notification) -> None:
        """Confirm a subscription to a topic of ours, at SNS itself.

        Raises:
            ForgedError: it would be confirmed elsewhere.
            UnavailableError: SNS does not answer.
        """
        url = notification.subscribe_url or ""
        if not self._is_of_sns(url) or "Action=ConfirmSubscription" not in urlsplit(url).query:
            raise ForgedError("its subscription would be confirmed elsewhere than at SNS")
        self._fetch(url)
        _log.info("sns_subscribed", topic=notification.topic_arn)

    def _check(self, notification: Notification) -> None:
        algorithm = _HASHES.get(notification.signature_version)
        if algorithm is None:
            raise ForgedError(f"signature version {notification.signature_version[:20]!r} is unknown")
        try:
            signature = base64.b64decode(notification.signature, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ForgedError("its signature is no base64") from error
        certificate = self._certificate(notification.signing_cert_url)
        now = self._clock()
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise ForgedError("the certificate that it was signed with does not hold now")
        key = certificate.public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            raise ForgedError("the certificate that it was signed with is none of SNS")
        try:
            key.verify(signature, _signed_text(notification), padding.PKCS1v15(), algorithm())
        except InvalidSignature as error:
            raise ForgedError("its signature does not fit what it says") from error

    def _certificate(self, url: str) -> x509.Certificate:
        with self._guard:
            known = self._certificates.get(url)
        if known is not None:
            return known
        if not self._is_of_sns(url) or not _CERTIFICATE.fullmatch(urlsplit(url).path):
            raise ForgedError(f"its certificate would come from {url[:200]!r}")
        try:
            certificate = x509.load_pem_x509_certificate(self._fetch(url))
        except ValueError as error:
            raise UnavailableError(f"what lies at {url} is no certificate") from error
        with self._guard:
            if len(self._certificates) >= _CERTIFICATES_MAX:
                self._certificates.clear()
            self._certificates[url] = certificate
        return certificate

    def _is_of_sns(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
            origin = f"{parts.scheme}://{parts.netloc}"
        except ValueError:
            return False
        if self._origin and origin == self._origin:
            return True
        return parts.scheme == "https" and _HOST.fullmatch(parts.netloc) is not None


def _signed_text(notification: Notification) -> bytes:
    """Write what the signature is over: names and values of the fields, each on a line, absent ones left out."""
    fields = {
        "Message": notification.message,
        "MessageId": notification.message_id,
        "Subject": notification.subject,
        "SubscribeURL": notification.subscribe_url,
        "Timestamp": notification.timestamp,
        "Token": notification.token,
        "TopicArn": notification.topic_arn,
        "Type": notification.type,
    }
    lines = [f"{name}\n{fields[name]}\n" for name in _SIGNED[notification.type] if fields[name] is not None]
    return "".join(lines).encode()

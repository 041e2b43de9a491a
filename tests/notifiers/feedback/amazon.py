"""Amazon as tests have it: a certificate made here, messages signed with it, events of SES as they come."""

import base64
import datetime
import functools
import json
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

TOPIC = "arn:aws:sns:eu-west-1:123456789012:cobranza-ses"
HOST = "https://sns.eu-west-1.amazonaws.com"
CERTIFICATE = f"{HOST}/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
NOW = datetime.datetime(2026, 2, 3, 12, tzinfo=datetime.UTC)
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


@functools.cache
def key() -> rsa.RSAPrivateKey:
    """Make Amazon's key, once."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(*, until: datetime.datetime = NOW + datetime.timedelta(days=30)) -> bytes:
    """Make the certificate of the key."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key().public_key())
        .serial_number(1)
        .not_valid_before(NOW - datetime.timedelta(days=300))
        .not_valid_after(until)
        .sign(key(), hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def signed(message: dict[str, Any], *, version: str = "2") -> bytes:
    """Give a message with its signature, as a request's body."""
    names = _NOTIFICATION if message["Type"] == "Notification" else _CONFIRMATION
    text = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
    algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()  # noqa: S303 - what SNS does
    signature = key().sign(text.encode(), padding.PKCS1v15(), algorithm)
    return json.dumps(
        message | {"SignatureVersion": version, "Signature": base64.b64encode(signature).decode()}
    ).encode()


def notification(content: Any, **changes: Any) -> dict[str, Any]:
    """Make a notification, unsigned."""
    text = content if isinstance(content, str) else json.dumps(content)
    return {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Message": text,
        "Timestamp": "2026-02-03T12:00:00.000Z",
        "SigningCertURL": CERTIFICATE,
        "UnsubscribeURL": f"{HOST}/?Action=Unsubscribe",
    } | changes


def confirmation(**changes: Any) -> dict[str, Any]:
    """Make what SNS sends to a new subscriber, unsigned."""
    return {
        "Type": "SubscriptionConfirmation",
        "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
        "Token": "2336412f37",
        "TopicArn": TOPIC,
        "Message": "You have chosen to subscribe to the topic.",
        "SubscribeURL": f"{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37",
        "Timestamp": "2026-02-03T12:00:00.000Z",
        "SigningCertURL": CERTIFICATE,
    } | changes


def event(kind: str, *, reminder: str = "r1", **content: Any) -> dict[str, Any]:
    """Make an event of SES of a mail that was tagged with its reminder."""
    return {
        "eventType": kind,
        "mail": {
            "timestamp": "2026-02-03T10:00:00.000Z",
            "source": "billing@acme.example",
            "sendingAccountId": "123456789012",
            "messageId": "0102018e-ses-1",
            "destination": ["zoe@customer.example"],
            "headersTruncated": False,
            "tags": {"reminder": [reminder], "ses:configuration-set": ["cobranza"]},
        },
    } | content


def bounce(kind: str = "Permanent", sub: str = "General", *, reminder: str = "r1") -> dict[str, Any]:
    """Make a bounce."""
    return event(
        "Bounce",
        reminder=reminder,
        bounce={
            "bounceType": kind,
            "bounceSubType": sub,
            "bouncedRecipients": [
                {
                    "emailAddress": "zoe@customer.example",
                    "action": "failed",
                    "status": "5.1.1",
                    "diagnosticCode": "smtp; 550 5.1.1 user unknown",
                }
            ],
            "timestamp": "2026-02-03T11:00:00.000Z",
            "feedbackId": "0100",
            "reportingMTA": "dns; mx.customer.example",
        },
    )


@dataclass
class Internet:
    """What lies where; ``asked`` is what was fetched."""

    pages: dict[str, bytes] = field(default_factory=lambda: {CERTIFICATE: certificate()})
    asked: list[str] = field(default_factory=list)

    def fetch(self, url: str) -> bytes:
        """Give a page."""
        self.asked.append(url)
        return self.pages.get(url, b"<ok/>")

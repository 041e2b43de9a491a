"""B-14: a notification is believed when Amazon signed it, for a topic of ours, with a certificate from SNS itself."""

import datetime
import json
from typing import Any

import pytest

from notifiers.feedback.refusals import ForgedError, MalformedError, UnavailableError
from notifiers.feedback.sns import SnsReader
from tests.notifiers.feedback.amazon import (
    CERTIFICATE,
    HOST,
    NOW,
    TOPIC,
    Internet,
    certificate,
    confirmation,
    notification,
    signed,
)


def reader(internet: Internet, *, topics: frozenset[str] = frozenset({TOPIC}), origin: str = "") -> SnsReader:
    """Give a reader that listens to our topic."""
    return SnsReader(topics=topics, origin=origin, fetch=internet.fetch, clock=lambda: NOW)


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", [None, "Amazon SES Email Event Notification"])
def test_signed_notification_is_read(version: str, subject: str | None) -> None:
    """SHA-1 and SHA-256, with a subject and without; the certificate is fetched once."""
    internet = Internet()
    changes = {} if subject is None else {"Subject": subject}
    body = signed(notification("hello\nthere", **changes), version=version)
    sns = reader(internet)
    assert ["hello\nthere"] * 3 == [sns.read(body).message for _ in range(3)]
    assert [CERTIFICATE] == internet.asked


@pytest.mark.parametrize("name", ["Message", "MessageId", "Timestamp", "TopicArn", "Type"])
def test_changed_notification_is_forged(name: str) -> None:
    """Each field under the signature counts, a subject that was added too."""
    said = json.loads(signed(notification("hello")))
    other = {"Type": "UnsubscribeConfirmation", "TopicArn": f"{TOPIC}2"}.get(name, "other")
    sns = reader(Internet(), topics=frozenset({TOPIC, f"{TOPIC}2"}))
    for changed in (said | {name: other}, said | {"Subject": "added"}):
        with pytest.raises(ForgedError):
            sns.read(json.dumps(changed).encode())


def test_anyone_can_have_a_topic() -> None:
    """A good signature of another topic's says nothing; nor does any where none is set."""
    foreign = signed(notification("hello", TopicArn="arn:aws:sns:eu-west-1:666666666666:mine"))
    for topics in (frozenset({TOPIC}), frozenset[str]()):
        internet = Internet()
        with pytest.raises(ForgedError, match="none that we listen to"):
            reader(internet, topics=topics).read(foreign)
        assert [] == internet.asked


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0123456789abcdef.pem",
        "https://evil.s3.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-west-1.amazonaws.com/other/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-west-1.amazonaws.com/?x=/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.amazonaws.com/evil.pem",
        "file:///etc/passwd",
        "",
        "https://[",
    ],
)
def test_certificate_comes_from_sns_alone(url: str) -> None:
    """An address that only looks like SNS's is not even asked."""
    internet = Internet(pages={url: certificate()})
    with pytest.raises(ForgedError, match="certificate"):
        reader(internet).read(signed(notification("hello", SigningCertURL=url)))
    assert [] == internet.asked


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"SignatureVersion": "3"}, "version"),
        ({"Signature": "!!"}, "base64"),
        ({"Signature": "AAAA"}, "does not fit"),
    ],
)
def test_unusable_signatures_are_forged(changes: dict[str, Any], why: str) -> None:
    """Whatever is not a signature that we can check."""
    with pytest.raises(ForgedError, match=why):
        reader(Internet()).read(json.dumps(json.loads(signed(notification("x"))) | changes).encode())


def test_certificate_that_has_ended_holds_nothing() -> None:
    """A certificate holds for a time."""
    internet = Internet(pages={CERTIFICATE: certificate(until=NOW - datetime.timedelta(days=1))})
    with pytest.raises(ForgedError, match="does not hold"):
        reader(internet).read(signed(notification("x")))


def test_no_certificate_now_is_tried_again() -> None:
    """Amazon's trouble is no forgery: SNS is to come again."""
    with pytest.raises(UnavailableError):
        reader(Internet(pages={CERTIFICATE: b"<html>busy</html>"})).read(signed(notification("x")))


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b'{"Type": "Gossip"}', b"not json"])
def test_other_bodies_are_malformed(body: bytes) -> None:
    """What is no message of SNS."""
    with pytest.raises(MalformedError):
        reader(Internet()).read(body)


def test_subscription_is_confirmed_at_sns() -> None:
    """Of a topic of ours, once it is believed, by the address that SNS gave."""
    internet = Internet()
    sns = reader(internet)
    sns.confirm(sns.read(signed(confirmation())))
    assert [CERTIFICATE, confirmation()["SubscribeURL"]] == internet.asked


@pytest.mark.parametrize(
    "url",
    ["https://evil.example/?Action=ConfirmSubscription", f"{HOST}/?Action=Unsubscribe", f"{HOST}/", ""],
)
def test_subscription_is_confirmed_nowhere_else(url: str) -> None:
    """The signature covers the address; still, it is SNS's or it is not called."""
    internet = Internet()
    sns = reader(internet)
    with pytest.raises(ForgedError):
        sns.confirm(sns.read(signed(confirmation(SubscribeURL=url))))
    assert [CERTIFICATE] == internet.asked


def test_stand_in_is_believed_where_it_is_set() -> None:
    """A test's own server, by an explicit setting; without it the same is forged."""
    url = "http://127.0.0.1:8000/SimpleNotificationService-0123456789abcdef.pem"
    body = signed(notification("hello", SigningCertURL=url))
    internet = Internet(pages={url: certificate()})
    assert "hello" == reader(internet, origin="http://127.0.0.1:8000").read(body).message
    with pytest.raises(ForgedError):
        reader(internet).read(body)

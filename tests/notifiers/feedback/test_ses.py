"""B-14: events of SES, each kind, as words; what nothing follows from, and what is not understood."""

import json
from typing import Any

import pytest

from notifiers.feedback.refusals import MalformedError
from notifiers.feedback.ses import words_of_event
from tests.notifiers.feedback.amazon import NOW, bounce, event


def read(made: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Read an event: what was said, what was wrong, of which delivery."""
    words = words_of_event(json.dumps(made), received_at=NOW)
    return [(each.said, each.error_type, each.reminder) for each in words]


@pytest.mark.parametrize(
    ("kind", "sub", "error"),
    [
        ("Permanent", "General", "address_bounced"),
        ("Permanent", "NoEmail", "address_bounced"),
        ("Permanent", "Suppressed", "address_suppressed"),
        ("Permanent", "OnAccountSuppressionList", "address_suppressed"),
        ("Permanent", "UnsubscribedRecipient", "opted_out"),
        ("Transient", "General", "bounce_gave_up"),
        ("Transient", "MailboxFull", "bounce_gave_up"),
        ("Transient", "MessageTooLarge", "content_refused"),
        ("Transient", "ContentRejected", "content_refused"),
        ("Transient", "AttachmentRejected", "content_refused"),
        ("Undetermined", "Undetermined", "bounce_gave_up"),
        ("Permanent", "SomethingNew", "address_bounced"),
    ],
)
def test_bounces(kind: str, sub: str, error: str) -> None:
    """Permanent ones are of the address, transient ones of what SES could not get done."""
    assert [("bounced", error, "r1")] == read(bounce(kind, sub))


def test_bounce_says_all_that_a_person_needs() -> None:
    """When, where to, and what the other side said."""
    [word] = words_of_event(json.dumps(bounce()), received_at=NOW)
    assert "2026-02-03T11:00:00.000+00:00" == word.occurred_at
    assert "zoe@customer.example" == word.address
    assert "Permanent/General: smtp; 550 5.1.1 user unknown" == word.detail
    assert "ses/0102018e-ses-1/bounced/zoe@customer.example" == word.word


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (event("Delivery", delivery={"timestamp": "2026-02-03T10:00:01Z", "recipients": ["z@x.test"]}), "delivered"),
        (event("Complaint", complaint={"complainedRecipients": [{"emailAddress": "z@x.test"}], "complaintFeedbackType": "abuse"}), "complained"),
        (event("Reject", reject={"reason": "Bad content"}), "failed"),
        (event("Rendering Failure", failure={"errorMessage": "no such attribute", "templateName": "t"}), "failed"),
        (event("DeliveryDelay", deliveryDelay={"delayType": "MailboxFull", "timestamp": "2026-02-03T10:00:01Z"}), "delayed"),
        (event("Subscription", subscription={"timestamp": "2026-02-03T10:00:01Z", "newTopicPreferences": {"unsubscribeAll": True}}), "stop"),
    ],
)  # fmt: skip
def test_other_events(made: dict[str, Any], said: str) -> None:
    """Each kind that something follows from; also under the name that notifications have."""
    assert said == read(made)[0][0]
    old = dict(made)
    old["notificationType"] = old.pop("eventType")
    assert said == read(old)[0][0]


@pytest.mark.parametrize("kind", ["Send", "Open", "Click"])
def test_nothing_follows(kind: str) -> None:
    """That it was sent we know; who opens or clicks is nobody's business."""
    assert [] == read(event(kind) | {kind.lower(): {}})


def test_greeting_and_withdrawn_complaints() -> None:
    """SES greets a new topic in plain words; "this is no spam" is no complaint."""
    greeting = "Successfully validated SNS topic for Amazon SES event publishing."
    assert [] == words_of_event(greeting, received_at=NOW)
    complaint = {"complainedRecipients": [{"emailAddress": "z@x.test"}], "complaintFeedbackType": "not-spam"}
    assert [] == read(event("Complaint", complaint=complaint))


def test_complaint_of_a_suppressed_address_is_a_bounce() -> None:
    """SES tells a mail that it did not send, since the reader complained before, as a complaint again."""
    complaint = {
        "complainedRecipients": [{"emailAddress": "z@x.test"}],
        "complaintSubType": "OnAccountSuppressionList",
    }
    assert [("bounced", "address_suppressed", "r1")] == read(event("Complaint", complaint=complaint))


def test_without_a_tag_the_header_or_the_id_tells() -> None:
    """Notifications of an identity have no tags; what they have of the mail is looked at."""
    made = bounce()
    del made["mail"]["tags"]
    [word] = words_of_event(json.dumps(made), received_at=NOW)
    assert ("", "0102018e-ses-1") == (word.reminder, word.provider_id)
    made["mail"]["headers"] = [{"name": "X-Cobranza-Reminder", "value": "r7"}]
    assert "r7" == words_of_event(json.dumps(made), received_at=NOW)[0].reminder


@pytest.mark.parametrize(
    "message",
    ["", "hello", "[]", "{}", json.dumps(event("")), json.dumps(event("Bounce")), json.dumps(bounce()).replace("2026-02-03T11:00:00.000Z", "today")],
)  # fmt: skip
def test_not_understood(message: str) -> None:
    """What is said is refused, so that somebody sees it; it is not passed over."""
    with pytest.raises(MalformedError):
        words_of_event(message, received_at=NOW)


def test_a_kind_of_event_that_ses_adds_is_kept_and_told() -> None:
    """To refuse it would have SNS bring it again for an hour, and tell nobody which delivery it is of."""
    [word] = words_of_event(json.dumps(event("Quarantined")), received_at=NOW)
    assert ("unclear", "SES: an event of type Quarantined") == (word.said, word.detail)
    [other] = words_of_event(json.dumps(event("Released")), received_at=NOW)
    assert word.word != other.word

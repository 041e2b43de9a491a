"""What Twilio's refusals mean: for this message, for all of them, or for nobody to know."""

import pytest

from notifiers.channel import PermanentError, TemporaryError, UncertainError
from notifiers.sms.twilio_errors import Refusal, error_of, error_type_of


@pytest.mark.parametrize(
    ("status", "code", "error_type"),
    [
        (400, 21211, "address_refused"),
        (400, 21614, "address_refused"),
        (400, 21610, "address_refused"),
        (400, 30006, "address_refused"),
        (400, 21617, "content_refused"),
        (400, 30007, "content_refused"),
        (400, 21408, "provider_refused"),
        (403, 21408, "provider_refused"),
        (400, 99999, "provider_refused"),
    ],
)
def test_this_message_never_goes(status: int, code: int, error_type: str) -> None:
    """A number, a text or a route that is refused: the next channel is tried (R19)."""
    error = error_of(Refusal(status=status, code=code, text="no"))
    assert isinstance(error, PermanentError)
    assert error_type == error.error_type
    assert str(code) in error.detail


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, 20003),
        (401, 0),
        (403, 20005),
        (404, 20404),
        (400, 21606),
        (400, 21703),
        (429, 20429),
        (429, 0),
        (503, 0),
        (503, 20503),
        (400, 21611),
    ],
)
def test_no_message_is_at_fault(status: int, code: int) -> None:
    """A wrong token, an unknown sender, too many requests: all wait, nothing fails and nothing becomes a letter."""
    error = error_of(Refusal(status=status, code=code))
    assert isinstance(error, TemporaryError)
    assert error.provider_down


@pytest.mark.parametrize("status", [500, 502, 504])
def test_nobody_knows(status: int) -> None:
    """A gateway that gave up says nothing of what was begun behind it."""
    assert isinstance(error_of(Refusal(status=status)), UncertainError)


def test_later_words_have_the_same_types() -> None:
    """A status callback's code is of the same closed set."""
    types = [error_type_of(code) for code in (30003, 30005, 30007, 30034, 30008)]
    expected = [
        "address_refused",
        "address_refused",
        "content_refused",
        "provider_refused",
        "provider_refused",
    ]
    assert expected == types

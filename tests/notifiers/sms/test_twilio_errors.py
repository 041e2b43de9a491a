"""What Twilio's refusals mean: for this message, for all of them, or for nobody to know."""

import pytest

from notifiers.channel import PermanentError, TemporaryError, UncertainError
from notifiers.sms.twilio_errors import Refusal, error_of, error_type_of
from processors.fates import ADDRESS_ERRORS


@pytest.mark.parametrize(
    ("status", "code", "error_type"),
    [
        (400, 21211, "address_refused"),
        (400, 21614, "address_refused"),
        (400, 21610, "opted_out"),
        (400, 30006, "number_unreachable"),
        (400, 21617, "content_refused"),
        (400, 30007, "carrier_refused"),
        (400, 21408, "carrier_refused"),
        (403, 21408, "carrier_refused"),
        (400, 30010, "cap_reached"),
        (400, 99999, "provider_refused"),
        (400, 21635, "address_refused"),
        (400, 21618, "content_refused"),
        (400, 30044, "content_refused"),
        (400, 21662, "carrier_refused"),
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
        (400, 21219),  # a trial account writes to verified numbers only: the customer's is not at fault
        (400, 21401),  # the sender is no number of ours
        (400, 21730),
        (429, 63038),
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


def test_a_code_that_is_not_known_was_a_refusal() -> None:
    """The provider adds codes, and says so: the closed set does not grow by it."""
    assert ["number_unreachable", "provider_refused"] == [error_type_of(code) for code in (30005, 99_999)]


def test_a_phone_that_is_off_is_no_bad_number() -> None:
    """30003 passes (R19): the number is neither marked nor suppressed, as one that does not exist is (30005)."""
    errors = [error_type_of(code) for code in (30003, 30005)]
    assert [False, True] == [error in ADDRESS_ERRORS for error in errors]

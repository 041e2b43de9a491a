"""What is said of a bad event: everything, each problem with its path."""

import json
from typing import Any

import pytest

from console.checking import Checked, Problem, check_structured

PAYMENT: dict[str, Any] = {
    "company": "acme",
    "customer": "C-1",
    "occurred_at": "2026-01-15",
    "payment": "P-1",
    "currency": "USD",
    "amount": "10.00",
}


def _event(data: object, **attributes: object) -> bytes:
    envelope = {"specversion": "1.0", "id": "1", "source": "test", "type": "billing.payment.received.v1"}
    return json.dumps({**envelope, **attributes, "data": data}).encode()


def _problems(value: bytes) -> list[str]:
    found = check_structured(value)
    assert isinstance(found, list)
    return [f"{each.path}: {each.detail}" for each in found]


def test_good_event_keeps_its_data_byte_by_byte() -> None:
    """What was checked is what is sent."""
    found = check_structured(_event(PAYMENT))
    assert isinstance(found, Checked)
    assert json.dumps(PAYMENT).encode() == found.data


def test_every_problem_of_an_event_is_said_at_once() -> None:
    """A person mends a line once, not once per error."""
    data = {
        **PAYMENT,
        "amount": 10.5,
        "colour": "red",
        "means": "barter",
        "lines": [{"document": ""}, {"amount": "1"}],
    }
    del data["currency"]
    expected = [
        "$.data.colour: Unknown field",
        "$.data.currency: Missing required field",
        "$.data.amount: Expected `str`, got `float`",
        "$.data.lines[0].document: Expected `str` of length >= 1",
        "$.data.lines[1].document: Missing required field",
        "$.data.means: Invalid enum value 'barter'",
    ]
    assert sorted(expected) == sorted(_problems(_event(data)))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"{", "$: Input data was truncated"),
        (b"[]", "$: Expected `object`, got `array`"),
        (b'"\xff"', "$: "),
        (_event(PAYMENT, type="billing.payment.received.v9"), "$.type: event type"),
        (_event(PAYMENT, type="billing.unknown.v1"), "$.type: event type 'billing.unknown.v1' is unknown"),
        (_event(PAYMENT, id=""), "$.id: "),
        (_event(PAYMENT, id=7), "$.id: Expected text, got 7"),
        (_event(PAYMENT, specversion="0.3"), "$.specversion: "),
        (_event([]), "$.data: Expected an object, got []"),
        (
            _event({**PAYMENT, "type": "billing.refund.paid.v1"}),
            "$.type: Expected 'billing.payment.received.v1'",
        ),
        (_event({**PAYMENT, "amount": "10.001"}), "$.data"),
        (_event({**PAYMENT, "currency": "ZZZ"}), "$.data"),
        (_event({**PAYMENT, "amount": "-1"}), "$.data"),
    ],
)
def test_bad_event_is_told_with_its_path(value: bytes, expected: str) -> None:
    """Bad input of every kind (issue 3): one problem here, at its place."""
    (problem,) = _problems(value)
    assert problem.startswith(expected), problem


def test_problem_is_a_value() -> None:
    """Problems can be compared and counted."""
    assert Problem(path="$", detail="x") == Problem(path="$", detail="x")

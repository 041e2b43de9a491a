"""What was decided to be said, read from its record: by who carries it, and by who sends it again.

One rule for both, so that what a notifier has put aside is sent again only when a notifier can use it.
It refuses to guess: a record that is not whole is no reminder.
"""

import datetime
from typing import Final

import msgspec
from msgspec import json

from schemas.codec import ContractError
from schemas.facts import MessageDecided, ReminderDecided
from schemas.fields import account_id

__all__ = ["UNREADABLE", "read_reminder"]

# Why a record of the topic is none: the labels of its dead letters.
UNREADABLE: Final = ("not_json", "invalid")
_ID_CHARACTERS_MAX: Final = 64  # as an outcome has it
_VERSION_MAX: Final = 2**63 - 1
_decoder: json.Decoder[ReminderDecided | MessageDecided] = json.Decoder(ReminderDecided | MessageDecided)


def read_reminder(value: bytes | None) -> tuple[ReminderDecided, str]:
    """Read a record of ``collections.reminder.v1``: the reminder and its JSON; of another message (R33), its content.

    Raises:
        ContractError: ``not_json``; or ``invalid``, with the field: also what a version writes that is not known here.
    """
    if value is None:
        raise ContractError(reason="not_json", detail="the record has no value")
    try:
        fact = _decoder.decode(value)
        text = value.decode()
    except msgspec.ValidationError as error:
        raise ContractError(reason="invalid", detail=str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(reason="not_json", detail=str(error)) from error
    reminder = fact.content if isinstance(fact, MessageDecided) else fact
    if problem := _problem(reminder):
        raise ContractError(reason="invalid", detail=problem)
    return reminder, text if reminder is fact else json.encode(reminder).decode()


def _problem(reminder: ReminderDecided) -> str:
    """Say what would keep it from being noted, or answered for; '' when nothing does."""
    account = account_id(reminder.company, reminder.customer)
    instants = (reminder.tick, *(each.not_before for each in reminder.deliveries))
    checks = (
        (0 < len(reminder.id) <= _ID_CHARACTERS_MAX, f"$.id: 1 to {_ID_CHARACTERS_MAX} characters"),
        (
            bool(reminder.company and reminder.customer) and reminder.account == account,
            "$.account: not that of $.company and $.customer",
        ),
        ("\0" not in reminder.id + reminder.account, "$.id, $.account: a character that no database keeps"),
        (all(_has_zone(each) for each in instants), "$.tick, $.deliveries: an instant without a time zone"),
        (abs(reminder.decision_version) <= _VERSION_MAX, "$.decision_version: out of range"),
    )
    return next((problem for is_right, problem in checks if not is_right), "")


def _has_zone(instant: datetime.datetime) -> bool:
    return instant.utcoffset() is not None

"""What a request set, field by field, in the user's words: from what its line in the audit keeps (``auditing``)."""

import datetime
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from console.web.inside.auditing import NOTHING
from console.web.inside.masking import masked, masked_text
from console.web.inside.showing import Words
from notifiers.writing.figures import short_day_text
from schemas.codec import type_of
from schemas.commands import ConfigureCompany

__all__ = ["SetField", "set_fields"]

_SHOWN_MAX: Final = 1_000  # characters of one value
# The fields of what a user asks for that are days: elsewhere what looks like one is a name, or what somebody typed.
_DAYS: Final = frozenset(
    (
        *("due_date", "due_on", "end_on", "first_on", "issue_date", "last_contact_on", "last_reminder_on"),
        *("new_from", "next_on", "on", "past_from", "payable_on", "review_on", "start_on", "until"),
    )
)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# Where the words of a field's values are; one that has none there is said as it is.
_VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    "channel": ("channels",),
    "channels": ("channels",),
    "every": ("mail_every", "every"),
    "kind": ("holds", "notes"),
    "means": ("means",),
    "mode": ("said_values",),
    "outcome": ("set_values",),
    "role": ("roles",),
    "ruling": ("set_values",),
    "state": ("states",),
    "trust": ("said_values",),
    "what": ("set_values",),
}
# Of people: hidden whole from who may not read them. Of what is free text only what leads to a person.
_OF_PEOPLE: Final = frozenset({"address", "answers_to", "by", "phone", "reach", "sender_email", "tax_id"})
_WRITTEN: Final = frozenset({"because", "footer", "now_because", "payment_instructions", "reason", "text"})


class SetField(Struct, frozen=True, kw_only=True):
    """A field with its value in the user's words; ``was`` is what stood before, None where nothing did."""

    name: str
    value: str
    was: str | None = None


def set_fields(said_json: str, *, words: Words, act: str, may_read: bool) -> list[SetField]:
    """List what an act set; none where its line keeps nothing of it.

    Args:
        said_json: as ``kept_fields`` made it.
        words: the user's.
        act: the type of what was asked: a profile's fields are called as its page calls them.
        may_read: whether the user may read what leads to a person; else that is masked.
    """
    if not said_json:
        return []
    kept = msgspec.json.decode(said_json, type=dict[str, dict[str, Any]])
    tables = ("set_fields", "profile_fields")
    if act == type_of(ConfigureCompany):
        tables = ("profile_fields", "set_fields")

    def label(name: str) -> str:
        found = next((words[table][name] for table in tables if name in words[table]), None)
        return name.replace("_", " ") if found is None else str(found)

    def text(name: str, value: Any) -> str:
        return _text(name, value, label=label, words=words, may_read=may_read)

    changed = kept.get("changed", {}).items()
    return [
        *(
            SetField(name=label(name), value=text(name, now), was=text(name, was))
            for name, (was, now) in changed
        ),
        *(SetField(name=label(name), value=text(name, value)) for name, value in kept.get("set", {}).items()),
    ]


def _text(name: str, value: Any, *, label: Callable[[str], str], words: Words, may_read: bool) -> str:
    if value in NOTHING:
        return "–"
    if isinstance(value, bool):
        return str(words["set_values"]["yes" if value else "no"])
    if isinstance(value, list):
        return "; ".join(_text(name, each, label=label, words=words, may_read=may_read) for each in value)
    if isinstance(value, dict):
        said = {
            key: _text(key, each, label=label, words=words, may_read=may_read) for key, each in value.items()
        }
        return ", ".join(f"{label(key)} {each}" for key, each in said.items() if value[key] not in NOTHING)
    shown = _plain(name, str(value), words=words, may_read=may_read)
    return shown if len(shown) <= _SHOWN_MAX else f"{shown[:_SHOWN_MAX]} …"


def _plain(name: str, value: str, *, words: Words, may_read: bool) -> str:
    for table in _VALUES.get(name, ()):
        if value in words[table]:
            return str(words[table][value])
    if not may_read and name in _OF_PEOPLE:
        return masked(value)
    if not may_read and name in _WRITTEN:
        return masked_text(value)
    day = _day(value) if name in _DAYS else None
    return value if day is None else short_day_text(day, language=words["language"])


def _day(value: str) -> datetime.date | None:
    """Read a day; None: it is none, and is shown as it is kept (a line of the audit is never refused)."""
    if not _DAY.fullmatch(value):
        return None
    try:
        return datetime.date.fromisoformat(value)
    except ValueError:  # of no calendar, as 2025-13-01
        return None

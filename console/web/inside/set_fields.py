"""What a request set, field by field, in the user's words: from what its line in the audit keeps (``auditing``)."""

import datetime
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from console.web.inside.auditing import NOTHING
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


class SetField(Struct, frozen=True, kw_only=True):
    """A field with its value in the user's words; ``was`` is what stood before, None where nothing did."""

    name: str
    value: str
    was: str | None = None


def set_fields(said_json: str, *, words: Words, act: str) -> list[SetField]:
    """List what an act set, as it was set; none where its line keeps nothing of it. It is for administrators only.

    Args:
        said_json: as ``kept_fields`` made it.
        words: the user's.
        act: the type of what was asked: a profile's fields are called as its page calls them.
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
        return _text(name, value, label=label, words=words)

    changed = kept.get("changed", {}).items()
    return [
        *(
            SetField(name=label(name), value=text(name, now), was=text(name, was))
            for name, (was, now) in changed
        ),
        *(SetField(name=label(name), value=text(name, value)) for name, value in kept.get("set", {}).items()),
    ]


def _text(name: str, value: Any, *, label: Callable[[str], str], words: Words) -> str:
    if value in NOTHING:
        return "–"
    if isinstance(value, bool):
        return str(words["set_values"]["yes" if value else "no"])
    if isinstance(value, list):
        return "; ".join(_text(name, each, label=label, words=words) for each in value)
    if isinstance(value, dict):
        said = {key: _text(key, each, label=label, words=words) for key, each in value.items()}
        return ", ".join(f"{label(key)} {each}" for key, each in said.items() if value[key] not in NOTHING)
    shown = _plain(name, str(value), words=words)
    return shown if len(shown) <= _SHOWN_MAX else f"{shown[:_SHOWN_MAX]} …"


def _plain(name: str, value: str, *, words: Words) -> str:
    for table in _VALUES.get(name, ()):
        if value in words[table]:
            return str(words[table][value])
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

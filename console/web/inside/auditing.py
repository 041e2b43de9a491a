"""What a person does in the console, written into the audit: when, who, which act, about whom, and what it set."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

import msgspec

from console.web.inside.access import Person
from console.web.inside.parts import InsideParts
from infra.database.people import AuditEntry
from schemas.commands import PublishPlan
from schemas.journal import SourceEvent

__all__ = ["NOTHING", "OF_THE_LINE", "content_of", "kept_fields", "kept_values", "note", "note_own"]

# What a line of the audit says itself.
OF_THE_LINE: Final = frozenset({"company", "customer", "occurred_at", "command", "author", "change"})
NOTHING: Final[tuple[Any, ...]] = (None, "", (), [], {})
_LISTED_MAX: Final = 50


def note(
    parts: InsideParts,
    person: Person,
    *,
    entry: str,
    act: str,
    account: str = "",
    detail: str = "",
    said_json: str = "",
    content: str = "",
) -> bool:
    """Write down what a person is about to do; False: he has asked for the same before, and nothing changes.

    Another content under the same ``entry``, as of a form that was gone back to and sent again, is a line of its own.

    Args:
        parts: of the console.
        person: who does it.
        entry: its id: the command's, where it is one, else a word that no other act has.
        act: the type of command or event, else a word for what was done.
        account: ``COMPANY:CUSTOMER``, or a company; '' where it is about neither.
        detail: what else to know of it, as the audit shows it.
        said_json: what it sets, by ``kept_fields`` or ``kept_values``.
        content: what tells it from others under the same id, by ``content_of``; else ``detail`` and ``said_json`` do.
    """
    return parts.people.note(
        AuditEntry(
            entry=entry,
            at=parts.clock(),
            user=person.user,
            act=act,
            account=account,
            detail=detail,
            said_json=said_json,
            content=content,
        )
    )


def note_own(parts: InsideParts, person: Person, *, act: str, name: str, said_json: str = "") -> None:
    """Write down what a person sets for himself, under a name, whose form brings no word of its own: each time is a line."""
    entry = f"{act}/{quote(person.user)}/{quote(name)}/{parts.clock().isoformat()}"
    note(parts, person, entry=entry, act=act, detail=name, said_json=said_json)


def kept_fields(events: Sequence[SourceEvent], *, stood: SourceEvent | None = None) -> str:
    """Give what events set as the audit keeps it; with ``stood`` only what differs from that, each as it was and as it is.

    Args:
        events: published together; of a field that several have the last one's value is kept.
        stood: what the last of them comes in the place of.
    """
    if stood is not None:
        return kept_values(_fields(events[-1]), stood=_fields(stood))
    return kept_values({name: value for each in events for name, value in _fields(each).items()})


def kept_values(values: Mapping[str, Any], *, stood: Mapping[str, Any] | None = None) -> str:
    """Give values by field as the audit keeps them (JSON); with ``stood`` those that differ, as ``[was, is]``."""
    if stood is None:
        said = {name: _short(value) for name, value in values.items() if value not in NOTHING}
        return msgspec.json.encode({"set": said}).decode() if said else ""
    names = [name for name in {**stood, **values} if stood.get(name) != values.get(name)]
    changed = {name: [_short(stood.get(name)), _short(values.get(name))] for name in names}
    return msgspec.json.encode({"changed": changed}).decode() if changed else ""


def content_of(events: Sequence[SourceEvent]) -> str:
    """Give all that events say, whatever stood before them: who asks twice for this has asked once."""
    said = [
        {name: getattr(each, name) for name in each.__struct_fields__ if name not in OF_THE_LINE}
        for each in events
    ]
    return msgspec.json.encode(said).decode()


def _fields(event: SourceEvent) -> dict[str, Any]:
    if isinstance(event, PublishPlan):  # a version is never written over: the plan's page has it
        return {"plan": event.plan.id, "version": event.plan.version}
    return {
        name: msgspec.to_builtins(getattr(event, name))
        for name in event.__struct_fields__
        if name not in OF_THE_LINE
    }


def _short(value: Any) -> Any:
    if isinstance(value, list | tuple) and len(value) > _LISTED_MAX:
        return [*value[:_LISTED_MAX], f"… ({len(value)})"]
    return value

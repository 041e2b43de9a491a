"""From the form of many customers to what is asked for each: read, planned as ``cobranza batch`` does, kept, published.

A batch is kept whole before anything is published, under an id made of the user and of the form's nonce:
a double click or the back button makes none anew, and one that stopped in the middle goes on where it was.
"""

import datetime
import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, cast, get_args

import msgspec
import structlog
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from console.batching import Asked, Changes, Entry, Planned, Verb
from console.publishing import PublishError
from console.web.inside.access import Person
from console.web.inside.asking import NONCE_CHARACTERS, said_by
from console.web.inside.auditing import content_of, kept_fields
from console.web.inside.parts import InsideParts
from infra.database.batches import Batch, BatchBook, BatchLine
from infra.database.people import AuditEntry, Role
from infra.database.queries.moment import business_now
from processors.validation import problems
from schemas.codec import decode_source, encode, type_of
from schemas.commands import AccountCommand
from schemas.fields import Channel

__all__ = [
    "NOT_SEEN",
    "ROLE_OF_VERB",
    "VERBS",
    "Order",
    "Wrong",
    "carry_out",
    "keep_batch",
    "kept_batch",
    "lines_of",
    "order_of",
]

_log = structlog.get_logger(__name__)
_AT_ONCE: Final = 200  # commands between two notes of how far a batch is
VERBS: Final[tuple[Verb, ...]] = ("send-now", "approve", "edit", "drop", "next-date", "log")
ROLE_OF_VERB: Final[Mapping[Verb, Role]] = {
    "send-now": "approver",
    "approve": "approver",
    "edit": "approver",
    "drop": "approver",
    "next-date": "collector",
    "log": "collector",
}
NOT_SEEN: Final = "of a company that its author does not see"
_TEXT_MAX: Final = 8_000
_REASON_MAX: Final = 2_000
_NAME_MAX: Final = 128


class Wrong(Struct, frozen=True):
    """What is wrong with a form: the field, and the word that says it."""

    field: str
    word: str


class Order(Struct, frozen=True, kw_only=True):
    """What a form asks for, and whether a person confirmed that it goes so soon after the last contact (R5)."""

    asked: Asked
    is_confirmed: bool = False


def order_of(
    verb: Verb,
    typed: Mapping[str, str],
    channels: Sequence[str],
    *,
    author: str,
    templates: Collection[str] | None = None,
) -> Order | list[Wrong]:
    """Read a form, or say what is wrong with it; nothing that was typed is changed.

    ``templates`` are those that each of the reminders can be written with: another one would fail when it is sent. None: the
    caller looks whether its template is one.
    """
    wrong: list[Wrong] = []
    next_on = _day(typed.get("next_on", ""), wrong=wrong)
    asked = Asked(verb=verb, author=author, because=typed.get("because", "").strip())
    if len(asked.because) > _REASON_MAX:
        wrong.append(Wrong("because", "too_long"))
    match verb:
        case "edit":
            asked = replace(
                asked,
                changes=_changes(typed, channels, next_on=next_on, templates=templates, wrong=wrong),
                approve=typed.get("approve") == "true",
            )
            if not asked.changes and not asked.approve and not wrong:
                wrong.append(Wrong("text", "nothing_changed"))
        case "next-date":
            if next_on is None and not wrong:
                wrong.append(Wrong("next_on", "no_date"))
            asked = replace(asked, next_on=next_on)
        case "log":
            asked = replace(asked, entry=_entry(typed, wrong=wrong))
        case _:
            pass
    return wrong or Order(asked=asked, is_confirmed=typed.get("confirmed") == "true")


def _day(text: str, *, wrong: list[Wrong]) -> datetime.date | None:
    if not text.strip():
        return None
    try:
        return datetime.date.fromisoformat(text.strip())
    except ValueError:
        wrong.append(Wrong("next_on", "no_such_date"))
        return None


def _changes(
    typed: Mapping[str, str],
    channels: Sequence[str],
    *,
    next_on: datetime.date | None,
    templates: Collection[str] | None,
    wrong: list[Wrong],
) -> Changes:
    text, template = typed.get("text", "").strip(), typed.get("template", "").strip()
    if len(text) > _TEXT_MAX:
        wrong.append(Wrong("text", "too_long"))
    if template and templates is not None and template not in templates:
        wrong.append(Wrong("template", "no_template"))
    return Changes(
        text=text or None,
        template=template or None,
        channels=tuple(cast("Channel", each) for each in channels if each in get_args(Channel)) or None,
        attach_invoices={"yes": True, "no": False}.get(typed.get("attach", "")),
        next_on=next_on,
    )


def _entry(typed: Mapping[str, str], *, wrong: list[Wrong]) -> Entry | None:
    text, kind = typed.get("text", "").strip(), typed.get("kind", "note")
    if not text:
        wrong.append(Wrong("text", "no_text"))
    elif len(text) > _TEXT_MAX:
        wrong.append(Wrong("text", "too_long"))
    responsible = typed.get("responsible", "").strip()
    if len(responsible) > _NAME_MAX:
        wrong.append(Wrong("responsible", "too_long"))
    if kind not in ("note", "call_attempt", "conversation"):
        wrong.append(Wrong("kind", "no_kind"))
    if wrong:
        return None
    return msgspec.convert({"kind": kind, "text": text, "responsible": responsible}, Entry)


# -- kept, and carried out ---------------------------------------------------------------------------


def lines_of(
    connection: Connection, plan: Iterable[Planned], *, person: Person, given: str, wall: datetime.datetime
) -> list[BatchLine]:
    """Give what follows for each account, dated by the ledger's clock."""
    now = business_now(connection, wall=wall).isoformat(timespec="seconds")
    return [_line(person, each, given=given, occurred_at=now) for each in plan]


def keep_batch(
    parts: InsideParts, person: Person, lines: Sequence[BatchLine], *, asked: Asked, given: str
) -> str:
    """Keep what follows for each account; give the batch's id, the same for the same form."""
    name = _name(person, given)
    batch = Batch(
        batch=name,
        user=person.user,
        made_at=parts.clock(),
        asked_json=msgspec.json.encode(asked).decode(),
    )
    BatchBook(parts.engine).keep(batch, lines)
    return name


def kept_batch(parts: InsideParts, person: Person, *, given: str) -> str | None:
    """Give the id of the batch that this form has made already; None: it has made none."""
    found = BatchBook(parts.engine).batch(_name(person, given))
    return None if found is None else found.batch


def _name(person: Person, given: str) -> str:
    digest = hashlib.sha256(f"batch\n{person.user}\n{given[:NONCE_CHARACTERS]}".encode()).hexdigest()
    return digest[:24]


def _line(person: Person, planned: Planned, *, given: str, occurred_at: str) -> BatchLine:
    account = planned.statement.account
    own: list[AccountCommand] = []
    for number, event in enumerate(planned.events):
        place = hashlib.sha256(f"{given[:NONCE_CHARACTERS]}\n{account}\n{number}".encode()).hexdigest()
        own.append(replace(event, command=said_by(person, given=place), occurred_at=occurred_at))
    wrong = [each for event in own for each in problems(event)]
    if wrong:
        return BatchLine(account=account, name=planned.statement.name, skipped="; ".join(wrong))
    return BatchLine(
        account=account,
        name=planned.statement.name,
        skipped=planned.skipped,
        commands=tuple(event.command for event in own),
        commands_json=msgspec.json.encode(
            [(type_of(event), encode(event).decode()) for event in own]
        ).decode(),
    )


def carry_out(parts: InsideParts, batch: str, *, person: Person) -> None:
    """Publish what of a batch is not published yet, so many at a time, each noted in the audit before.

    Nothing is asked for customers of a company that the person does not see (any more): such a line says so.
    When Kafka does not take it, the batch says so and can go on later: what is published twice counts once.
    """
    book = BatchBook(parts.engine)
    while waiting := book.waiting(batch, limit=_AT_ONCE):
        others = [line.position for line in waiting if not person.sees(line.account.partition(":")[0])]
        book.skipped(batch, positions=others, why=NOT_SEEN)
        waiting = [line for line in waiting if line.position not in others]
        events: list[AccountCommand] = []
        entries = []
        for line in waiting:
            for kind, text in msgspec.json.decode(line.commands_json, type=list[tuple[str, str]]):
                event = cast("AccountCommand", decode_source(kind, text.encode()))
                events.append(event)
                entries.append(
                    AuditEntry(
                        entry=event.command,
                        at=parts.clock(),
                        user=person.user,
                        act=type_of(event),
                        account=line.account,
                        detail=f"batch {batch}",
                        said_json=kept_fields([event]),
                        content=content_of([event]),
                    )
                )
        parts.people.note_all(entries)
        try:
            parts.publish(events)
        except PublishError as error:
            _log.warning("batch_stopped", batch=batch, detail=str(error))
            book.stopped(batch, fault=str(error))
            return
        book.asked(batch, positions=[line.position for line in waiting])

"""One message: what it was about, where it went, what became of it, and what its reader answered (S2-19)."""

from typing import Any

from msgspec import Struct, json
from sqlalchemy import Connection, select

from infra.database.send_tables import send_jobs, send_notes
from infra.database.tables import decisions, outcomes, reminder_ends, reminder_items, reminders
from schemas.answers import AnswerGiven

__all__ = ["MessageStory", "message_story"]

Fields = dict[str, Any]
_answer_decoder = json.Decoder(AnswerGiven)


class MessageStory(Struct, frozen=True, kw_only=True):
    """A message by its parts, each as the read model and the send ledger have them.

    ``head`` None: it was decided, and the read model does not list it (a message other than a reminder, a
    proposal); ``jobs`` are its deliveries, ``notes`` what was found out of those in doubt.
    """

    reminder: str
    account: str
    head: Fields | None
    status: str
    items: tuple[Fields, ...]
    jobs: tuple[Fields, ...]
    outcomes: tuple[Fields, ...]
    notes: tuple[Fields, ...]
    answers: tuple[AnswerGiven, ...]


def message_story(connection: Connection, *, account: str, reminder: str) -> MessageStory | None:
    """Tell the story of a message of an account; None: there is none."""
    head = _rows(
        connection, reminders, reminders.c["reminder"] == reminder, reminders.c["account"] == account
    )
    jobs = _rows(
        connection, send_jobs, send_jobs.c["reminder"] == reminder, send_jobs.c["account"] == account
    )
    said = _rows(
        connection, decisions, decisions.c["account"] == account, decisions.c["reminder"] == reminder
    )
    if not head and not jobs and not said:
        return None
    ended = connection.execute(
        select(reminder_ends.c["status"]).where(reminder_ends.c["reminder"] == reminder)
    ).scalar()
    answers = [_answer_decoder.decode(each["detail_json"]) for each in said if each["kind"] == "answer_given"]
    return MessageStory(
        reminder=reminder,
        account=account,
        head=head[0] if head else None,
        status=ended or "open",
        items=_rows(connection, reminder_items, reminder_items.c["reminder"] == reminder),
        jobs=jobs,
        outcomes=_rows(connection, outcomes, outcomes.c["reminder"] == reminder),
        notes=_rows(connection, send_notes, send_notes.c["reminder"] == reminder),
        answers=tuple(answers),
    )


def _rows(connection: Connection, table: Any, *which: Any) -> tuple[Fields, ...]:
    query = select(table).where(*which).order_by(*table.primary_key)
    return tuple(dict(row) for row in connection.execute(query).mappings())

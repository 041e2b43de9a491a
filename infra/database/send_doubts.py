"""Deliveries in doubt: the evidence that is kept of each, whom to ask and when, and the words that end the doubt.

A doubt ends by a person's word, by the provider's (asked, or said of its own accord), or by the
word of the very worker that was taken for dead. Each word is a note that nothing changes; what it
does to the job is a compare-and-set on `unknown`, so that of two words the first one counts.
"""

import datetime
from collections.abc import Iterable
from typing import Any, Final, Literal

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Engine, and_, func, insert, select, update

from infra.database.engine import again_if_undone, reading, writing
from infra.database.send_days import give_back
from infra.database.send_ledger import jobs_where
from infra.database.send_moves import hold
from infra.database.send_tables import send_jobs, send_notes
from infra.database.send_values import Ending, Job
from schemas.fields import Channel

__all__ = ["Doubts", "Note", "Said", "Word", "notes_of"]

Said = Literal["accepted", "failed", "resend"]
Word = Literal["interrupted", "no_answer", "asked", "not_asked", "said", "late_word"]
# It goes again, as if it were new: whoever said so has not waited for its provider.
_SCHEDULED: Final = {
    "state": "scheduled",
    "retry_at": None,
    "ask_at": None,
    "owner": "",
    "waits_since": None,
    "give_up_at": None,
}


class Note(Struct, frozen=True, kw_only=True):
    """One word about a delivery: ``author`` is a worker, 'provider' or a person; ``at`` the wall clock's."""

    at: datetime.datetime
    author: str
    what: Word
    detail: str


class Doubts:
    """The unknown deliveries of one channel."""

    def __init__(self, engine: Engine, *, channel: Channel) -> None:
        self._engine = engine
        self._channel: Channel = channel

    def due(self, *, partitions: Iterable[int], now: datetime.datetime, limit: int) -> list[Job]:
        """List those about which the provider is to be asked by now."""
        wanted = and_(
            send_jobs.c["channel"] == self._channel,
            send_jobs.c["state"] == "unknown",
            send_jobs.c["ask_at"] <= now,
            send_jobs.c["partition"].in_(list(partitions)),
        )
        with reading(self._engine) as connection:
            return jobs_where(connection, wanted, limit=limit)

    def open(self, *, limit: int) -> list[Job]:
        """List all of them, the oldest first."""
        wanted = and_(send_jobs.c["channel"] == self._channel, send_jobs.c["state"] == "unknown")
        with reading(self._engine) as connection:
            return jobs_where(connection, wanted, limit=limit)

    @again_if_undone
    def note(self, reminder: str, note: Note) -> None:
        """Keep a word about a delivery; its state stays."""
        with writing(self._engine) as connection:
            self._add(connection, reminder, note)

    @again_if_undone
    def ask_again(self, reminder: str, *, ask_at: datetime.datetime | None, note: Note) -> None:
        """Keep that asking brought nothing, and when to ask again; None: a person must say."""
        with writing(self._engine) as connection:
            self._add(connection, reminder, note)
            connection.execute(update(send_jobs).where(self._unknown(reminder)).values(ask_at=ask_at))

    @again_if_undone
    def none_before(self, until: datetime.datetime) -> None:
        """Have the provider asked about none of them before this instant; what a person alone can say stays so."""
        jobs = send_jobs.c
        early = and_(jobs["channel"] == self._channel, jobs["state"] == "unknown", jobs["ask_at"] < until)
        with writing(self._engine) as connection:
            hold(connection, early)
            connection.execute(update(send_jobs).where(early).values(ask_at=until))

    @again_if_undone
    def resolve(
        self, reminder: str, *, said: Said, occurred_at: str, note: Note, provider_id: str = ""
    ) -> bool:
        """Say what became of an unknown delivery, and by whose word. False: it is not unknown; nothing changes.

        ``resend``: it did not go out; it is scheduled again, and goes if it is still fresh then.
        """
        values: dict[str, Any] = dict(_SCHEDULED)
        if said != "resend":
            values = {
                "state": said,
                "occurred_at": occurred_at,
                "published": False,
                "ask_at": None,
                "detail": f"said by {note.author}: {note.detail}".removesuffix(": "),
            }
        if said == "accepted":
            values["error_type"] = ""
        if provider_id:
            values["provider_id"] = provider_id
        with writing(self._engine) as connection:
            moved = connection.execute(update(send_jobs).where(self._unknown(reminder)).values(**values))
            if moved.rowcount == 1:
                self._add(connection, reminder, note)
                if said == "failed":
                    give_back(connection, of=self._is(reminder))
        return moved.rowcount == 1

    @again_if_undone
    def late_word(self, ending: Ending | str, *, owner: str, note: Note) -> bool:
        """Take the word of a worker that was taken for dead while it was sending; True: it ends the doubt.

        Args:
            ending: how its call ended; or the reminder alone: it did not call the provider at all.
            owner: the worker; its word counts for its own attempt only.
            note: of a call it is kept in any case: where the doubt has ended otherwise it is evidence of
                a second sending.
        """
        reminder = ending if isinstance(ending, str) else ending.reminder
        values: dict[str, Any] = dict(_SCHEDULED)
        if isinstance(ending, Ending):
            values = {
                "state": ending.status,
                "occurred_at": ending.occurred_at,
                "provider_id": ending.provider_id,
                "error_type": ending.error_type,
                "detail": ending.detail,
                # Its call has ended without an answer: still in doubt, but nobody is at it any more.
                "ask_at": ending.ask_at,
                "held_since": None,
                "published": False,
            }
        with writing(self._engine) as connection:
            moved = connection.execute(
                update(send_jobs)
                .where(self._unknown(reminder), send_jobs.c["owner"] == owner)
                .values(**values)
            )
            if moved.rowcount == 1 and values["state"] == "failed":
                give_back(connection, of=self._is(reminder))
            if moved.rowcount == 1 or isinstance(ending, Ending):
                self._add(connection, reminder, note)
        return moved.rowcount == 1

    def _is(self, reminder: str) -> ColumnElement[bool]:
        return and_(send_jobs.c["reminder"] == reminder, send_jobs.c["channel"] == self._channel)

    def _unknown(self, reminder: str) -> ColumnElement[bool]:
        return and_(self._is(reminder), send_jobs.c["state"] == "unknown")

    def _add(self, connection: Connection, reminder: str, note: Note) -> None:
        # Words of two at one moment (a notifier asks, and so does a person) have different numbers: the second waits.
        connection.execute(select(send_jobs.c["reminder"]).where(self._is(reminder)).with_for_update())
        number = connection.execute(
            select(func.coalesce(func.max(send_notes.c["number"]), 0) + 1).where(
                send_notes.c["reminder"] == reminder, send_notes.c["channel"] == self._channel
            )
        ).scalar_one()
        connection.execute(
            insert(send_notes).values(
                reminder=reminder,
                channel=self._channel,
                number=number,
                at=note.at,
                author=note.author,
                what=note.what,
                detail=note.detail,
            )
        )


def notes_of(connection: Connection, *, reminder: str, channel: str) -> list[Note]:
    """List what was said of a delivery, the first word first."""
    query = (
        select(send_notes)
        .where(send_notes.c["reminder"] == reminder, send_notes.c["channel"] == channel)
        .order_by(send_notes.c["number"])
    )
    return [
        Note(at=row["at"], author=row["author"], what=row["what"], detail=row["detail"])
        for row in connection.execute(query).mappings()
    ]

"""The inbox of what providers say: each word once, until an outcome of it is in Kafka.

It owns that nothing is lost and nothing said twice; what a word means is
``notifiers.feedback``'s. Instants are arguments.
"""

import datetime
from collections.abc import Sequence
from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Engine, and_, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from infra.database.engine import again_if_undone, reading, writing
from infra.database.feedback_tables import feedback_words
from infra.database.queries.merged import living_account
from infra.database.send_tables import send_jobs
from schemas.fields import Channel
from schemas.outcomes import ErrorType

__all__ = ["FeedbackInbox", "Heard", "SentJob", "Settled", "Word", "WordState", "keep_words"]

Said = Literal[
    "delivered",
    "bounced",
    "returned",
    "complained",
    "failed",
    "delayed",  # not yet handed over: nothing follows
    "unclear",  # neither delivered nor failed, or a word that is not known here: kept and told, nothing follows
    "stop",  # the reader wants no more by this channel
    "start",
    "reply",  # anything else that a reader wrote
]
WordState = Literal["waiting", "said", "noted", "dead"]


class Word(Struct, frozen=True, kw_only=True):
    """What a provider said once; ``word`` is its own name of that, the same however often it tells.

    Of which delivery: ``reminder`` where the provider gives our tag back, else its own
    ``provider_id``; of a reader's words, the ``address`` that they came from. ``occurred_at`` is
    RFC 3339; ``reply`` is what a reader wrote.
    """

    word: str
    source: str
    said: Said
    channel: Channel
    occurred_at: str
    reminder: str = ""
    provider_id: str = ""
    address: str = ""
    error_type: ErrorType = ""
    detail: str = ""
    reply: str = ""


class Heard(Struct, frozen=True, kw_only=True):
    """A word in the inbox: when it came, what became of it, whose it is."""

    word: Word
    received_at: datetime.datetime
    state: WordState
    account: str


class Settled(Struct, frozen=True, kw_only=True):
    """What became of a word."""

    word: str
    state: WordState
    reminder: str = ""
    account: str = ""


class SentJob(Struct, frozen=True, kw_only=True):
    """A delivery that a word may be of; ``published``: its sender's own outcome is in Kafka."""

    reminder: str
    channel: Channel
    account: str
    company: str
    state: str
    mode: str
    occurred_at: str
    published: bool
    recipient: str
    reminder_json: str


class FeedbackInbox:
    """Words that came in, in one table of the installation's database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def take(self, words: Sequence[Word], *, received_at: datetime.datetime) -> int:
        """Keep words that are not there yet; return how many were new."""
        if not words:
            return 0
        with writing(self.engine) as connection:
            return keep_words(connection, words, received_at=received_at)

    @again_if_undone
    def claim(self, *, now: datetime.datetime, until: datetime.datetime, limit: int) -> list[Heard]:
        """Take the oldest waiting words in hand; another publisher has them only from ``until`` on."""
        free = or_(feedback_words.c["claimed_until"].is_(None), feedback_words.c["claimed_until"] <= now)
        waiting = (
            select(feedback_words.c["word"])
            .where(feedback_words.c["state"] == "waiting", free)
            .order_by(feedback_words.c["received_at"], feedback_words.c["word"])
            .limit(limit)
        )
        with reading(self.engine) as connection:
            names = list(connection.execute(waiting).scalars())
        if not names:
            return []  # a writer's place is not taken for nothing
        taking = (
            update(feedback_words)
            .where(feedback_words.c["word"].in_(names), feedback_words.c["state"] == "waiting", free)
            .values(claimed_until=until)
            .returning(*feedback_words.c)
        )
        with writing(self.engine) as connection:
            found = [_heard(row) for row in connection.execute(taking).mappings()]
        return sorted(found, key=lambda each: (each.received_at, each.word.word))

    @again_if_undone
    def settle(self, settled: Sequence[Settled]) -> None:
        """Note what became of words."""
        with writing(self.engine) as connection:
            for each in settled:
                connection.execute(
                    update(feedback_words)
                    .where(feedback_words.c["word"] == each.word)
                    .values(
                        state=each.state, reminder=each.reminder, account=each.account, claimed_until=None
                    )
                )

    @again_if_undone
    def put_back(self, words: Sequence[str], *, until: datetime.datetime) -> None:
        """Leave words waiting, and look at them again from ``until`` on."""
        with writing(self.engine) as connection:
            connection.execute(
                update(feedback_words)
                .where(feedback_words.c["word"].in_(list(words)), feedback_words.c["state"] == "waiting")
                .values(claimed_until=until)
            )

    def retry(self, words: Sequence[str], *, now: datetime.datetime) -> int:
        """Have dead words tried again, all of them where none is named; return how many."""
        named = [feedback_words.c["word"].in_(list(words))] if words else []
        with writing(self.engine) as connection:
            return connection.execute(
                update(feedback_words)
                .where(feedback_words.c["state"] == "dead", *named)
                .values(state="waiting", received_at=now, claimed_until=None)
            ).rowcount

    def lines(self, *, state: str = "", source: str = "", lines_max: int) -> list[Heard]:
        """List the newest words, the newest first."""
        wanted = {"state": state, "source": source}
        query = (
            select(feedback_words)
            .where(*(feedback_words.c[name] == value for name, value in wanted.items() if value))
            .order_by(feedback_words.c["received_at"].desc(), feedback_words.c["word"])
            .limit(lines_max)
        )
        with reading(self.engine) as connection:
            return [_heard(row) for row in connection.execute(query).mappings()]

    def counts(self) -> dict[str, int]:
        """Count the words by state."""
        query = select(feedback_words.c["state"], func.count()).group_by(feedback_words.c["state"])
        with reading(self.engine) as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    # -- whose a word is -------------------------------------------------------

    def job_of(self, word: Word) -> SentJob | None:
        """Give the delivery that a word is of: by our own tag, else by the provider's name of it."""
        if word.reminder:
            return self._first(send_jobs.c["reminder"] == word.reminder, channel=word.channel)
        if word.provider_id:
            return self._first(send_jobs.c["provider_id"] == word.provider_id, channel=word.channel)
        return None

    def jobs_to(self, address: str, *, channel: Channel, limit: int = 1000) -> list[SentJob]:
        """List what was sent to an address, however it was written there, the newest first."""
        written: ColumnElement[str] = send_jobs.c["recipient"]
        if channel == "sms":
            for mark in " -().":
                written = func.replace(written, mark, "")
        sent = and_(
            or_(send_jobs.c["recipient"] == address, func.lower(written) == address.lower()),
            send_jobs.c["state"] != "superseded",
        )
        return self._jobs(sent, channel=channel, limit=limit)

    def living(self, account: str) -> str:
        """Give the account that a customer has now, who may have been merged into another one."""
        with reading(self.engine) as connection:
            return living_account(connection, account)

    def _first(self, condition: ColumnElement[bool], *, channel: Channel) -> SentJob | None:
        found = self._jobs(condition, channel=channel, limit=1)
        return found[0] if found else None

    def _jobs(self, condition: ColumnElement[bool], *, channel: Channel, limit: int) -> list[SentJob]:
        query = (
            select(*(send_jobs.c[name] for name in SentJob.__struct_fields__))
            .where(send_jobs.c["channel"] == channel, condition)
            .order_by(send_jobs.c["tick"].desc(), send_jobs.c["reminder"])
            .limit(limit)
        )
        with reading(self.engine) as connection:
            return [SentJob(**row) for row in connection.execute(query).mappings()]


def keep_words(connection: Connection, words: Sequence[Word], *, received_at: datetime.datetime) -> int:
    """Keep words that are not there yet, in somebody's transaction; return how many were new."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    # An insert does not say on PostgreSQL how many rows it wrote.
    keeping = insert(feedback_words).on_conflict_do_nothing().returning(feedback_words.c["word"])
    rows = [_row(word) | {"received_at": received_at} for word in words]
    return sum(len(connection.execute(keeping, row).all()) for row in rows)


def _row(word: Word) -> dict[str, Any]:
    fields: dict[str, Any] = {name: getattr(word, name) for name in word.__struct_fields__}
    return fields | {"state": "waiting", "account": "", "claimed_until": None}


def _heard(row: Any) -> Heard:
    return Heard(
        word=Word(**{name: row[name] for name in Word.__struct_fields__}),
        received_at=row["received_at"],
        state=row["state"],
        account=row["account"],
    )

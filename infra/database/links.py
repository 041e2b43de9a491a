"""What links need of SQL: the message that one belongs to, whether it was revoked, and the outbox of answers.

It refuses to know tokens: those are read by ``notifiers.links``, and name a reminder and a channel.
"""

import datetime
from collections.abc import Callable, Iterable
from typing import Literal

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Engine, and_, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from infra.database.engine import reading, writing
from infra.database.link_tables import link_answers, link_revocations
from infra.database.send_tables import send_jobs
from infra.database.tables import clocks

__all__ = ["LinkBook", "LinkedMessage", "NewAnswer", "Revocation", "TooManyAnswersError"]

Revoked = Literal["reminder", "account"]


class TooManyAnswersError(Exception):
    """This link has brought as many different answers as one may."""


class LinkedMessage(Struct, frozen=True, kw_only=True):
    """The delivery that a link went out with; ``clock_at`` is its partition's newest tick."""

    reminder: str
    channel: str
    account: str
    mode: str
    tick: datetime.datetime
    state: str
    provider_id: str
    reminder_json: str
    clock_at: datetime.datetime | None = None


class NewAnswer(Struct, frozen=True, kw_only=True):
    """What a reader asked for; ``event_json`` is the whole command."""

    command: str
    reminder: str
    channel: str
    account: str
    given_at: datetime.datetime
    event_json: str


class Revocation(Struct, frozen=True, kw_only=True):
    """Links that are good no more: ``kind`` says what ``name`` is."""

    kind: Revoked
    name: str
    revoked_at: datetime.datetime
    author: str = ""
    reason: str = ""


class LinkBook:
    """Reads and writes these tables; several threads may use it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def message(self, reminder: str, *, channel: str) -> LinkedMessage | None:
        """Give the delivery of a reminder by a channel."""
        columns = [send_jobs.c[name] for name in LinkedMessage.__struct_fields__ if name != "clock_at"]
        query = (
            select(*columns, clocks.c["at"].label("clock_at"))
            .outerjoin(clocks, clocks.c["partition"] == send_jobs.c["partition"])
            .where(send_jobs.c["reminder"] == reminder, send_jobs.c["channel"] == channel)
        )
        with reading(self._engine) as connection:
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else LinkedMessage(**row)

    def is_revoked(self, message: LinkedMessage) -> bool:
        """Say whether the links of a message are good no more."""
        of_reminder = _is("reminder", message.reminder)
        of_account = and_(_is("account", message.account), link_revocations.c["revoked_at"] >= message.tick)
        query = select(func.count()).select_from(link_revocations).where(or_(of_reminder, of_account))
        with reading(self._engine) as connection:
            return connection.execute(query).scalar_one() > 0

    def revoke(self, revocation: Revocation) -> None:
        """End links; what was revoked before is revoked until now."""
        insert = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        values = {name: getattr(revocation, name) for name in revocation.__struct_fields__}
        statement = insert(link_revocations).values(**values)
        changes = {name: values[name] for name in ("revoked_at", "author", "reason")}
        with writing(self._engine) as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["kind", "name"], set_=changes))

    def restore(self, kind: Revoked, *, name: str) -> bool:
        """Let links be good again; False: they were not revoked."""
        with writing(self._engine) as connection:
            gone = connection.execute(link_revocations.delete().where(_is(kind, name)))
        return gone.rowcount > 0

    def revocations(self) -> list[Revocation]:
        """List what is revoked, the newest last."""
        query = select(link_revocations).order_by(
            link_revocations.c["revoked_at"], link_revocations.c["name"]
        )
        with reading(self._engine) as connection:
            return [Revocation(**row) for row in connection.execute(query).mappings()]

    # -- answers -------------------------------------------------------------------

    def answers(self, reminder: str, *, channel: str) -> int:
        """Count the different answers that came by the links of a message."""
        with reading(self._engine) as connection:
            return _count(connection, reminder, channel=channel)

    def has(self, command: str) -> bool:
        """Say whether this very answer was given before."""
        query = select(func.count()).select_from(link_answers).where(link_answers.c["command"] == command)
        with reading(self._engine) as connection:
            return connection.execute(query).scalar_one() > 0

    def keep(
        self,
        answer: NewAnswer,
        *,
        answers_max: int | None = None,
        beside: Callable[[Connection], None] | None = None,
    ) -> bool:
        """Keep an answer for Kafka; False: it is there already, and stays as it is.

        Args:
            answer: what is kept.
            answers_max: how many different ones a message's links may bring; None: any number.
            beside: writes what belongs to the answer, in the same transaction: what is refused leaves nothing.

        Raises:
            TooManyAnswersError: enough different ones came by these links.
        """
        insert = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        values = {name: getattr(answer, name) for name in answer.__struct_fields__}
        with writing(self._engine) as connection:
            if answers_max is not None:
                # One after the other: two that come at one moment would each count without the other.
                is_it = and_(
                    send_jobs.c["reminder"] == answer.reminder, send_jobs.c["channel"] == answer.channel
                )
                connection.execute(select(send_jobs.c["reminder"]).where(is_it).with_for_update())
            kept = connection.execute(
                insert(link_answers)
                .values(**values, published=False)
                .on_conflict_do_nothing()
                .returning(link_answers.c["command"])
            ).one_or_none()
            # Counted with this one in it; leaving by the error takes it back.
            if kept is not None and answers_max is not None:
                count = _count(connection, answer.reminder, channel=answer.channel)
                if count > answers_max:
                    raise TooManyAnswersError
            if beside is not None:
                beside(connection)
        return kept is not None

    def unpublished(self, *, limit: int) -> list[NewAnswer]:
        """List answers that are not known to be in Kafka, the oldest first."""
        with reading(self._engine) as connection:
            return _answers(connection, limit=limit)

    def mark_published(self, commands: Iterable[str]) -> None:
        """Note that these answers are in Kafka."""
        with writing(self._engine) as connection:
            connection.execute(
                update(link_answers)
                .where(link_answers.c["command"].in_(list(commands)))
                .values(published=True)
            )


def _is(kind: Revoked, name: str) -> ColumnElement[bool]:
    return and_(link_revocations.c["kind"] == kind, link_revocations.c["name"] == name)


def _count(connection: Connection, reminder: str, *, channel: str) -> int:
    mine = and_(link_answers.c["reminder"] == reminder, link_answers.c["channel"] == channel)
    return connection.execute(select(func.count()).select_from(link_answers).where(mine)).scalar_one()


def _answers(connection: Connection, *, limit: int) -> list[NewAnswer]:
    columns = [link_answers.c[name] for name in NewAnswer.__struct_fields__]
    query = (
        select(*columns)
        .where(link_answers.c["published"].is_(False))
        .order_by(link_answers.c["given_at"], link_answers.c["command"])
        .limit(limit)
    )
    return [NewAnswer(**row) for row in connection.execute(query).mappings()]

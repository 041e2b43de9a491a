"""The statements that move the jobs of one channel, each built once: what it is asked of is bound when it runs.

To build one of them takes longer than to run it, and a sending loop runs some for every few messages.
Which of them run in one transaction, and what follows, says ``send_ledger``.

Bound: ``among`` (reminders), ``wall`` (the wall clock), ``reader_since`` (an older clock of the read model is
not believed, R32), ``holder`` (a worker); of one row each: ``of`` (its reminder) and ``the_<column>``.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Select,
    Update,
    and_,
    bindparam,
    case,
    null,
    select,
    update,
)

from infra.database.send_conditions import HELD, fresh, held_by, overtaken
from infra.database.send_tables import send_jobs
from infra.database.types import UtcDateTime
from schemas.fields import Channel

__all__ = ["Moves", "hold"]

_SUPERSEDED: Final = "the account has changed since"


class Moves:
    """The moves of a worker's jobs. Each gives the reminders that it has moved.

    Args:
        channel: of the jobs.
        owner: the worker.
    """

    def __init__(self, *, channel: Channel, owner: str) -> None:
        self._channel = channel
        among = and_(
            send_jobs.c["channel"] == channel, send_jobs.c["reminder"].in_(bindparam("among", expanding=True))
        )
        free = and_(among, send_jobs.c["state"] == "scheduled")
        held = and_(among, held_by(owner))
        wall = bindparam("wall", type_=UtcDateTime())
        is_fresh = fresh(now=wall, reader_since=bindparam("reader_since", type_=UtcDateTime()))
        # What a transaction moves is locked in one order before it moves any of it: see ``send_days``.
        self.lock: Final = _locking(among)
        self.claim: Final = _returning(
            update(send_jobs)
            .where(free, is_fresh)
            .values(
                state="claimed",
                owner=owner,
                held_since=wall,
                intended_at=None,
                attempts=send_jobs.c["attempts"] + 1,
                retry_at=None,
            )
        )
        self.intend: Final = _returning(
            update(send_jobs).where(held, is_fresh).values(state="sending", intended_at=wall)
        )
        # To be ended in the same transaction, whether the read model is there or not: nothing is sent.
        self.take: Final = _returning(update(send_jobs).where(free).values(state="claimed", owner=owner))
        # It may have had another end before, which was said: unknown, then sent again.
        self.look: Final = _returning(
            update(send_jobs)
            .where(among, send_jobs.c["state"].in_(HELD), send_jobs.c["owner"] == bindparam("holder"))
            .values(published=False)
        )
        self.supersede_free: Final = _superseding(free, owner=owner)
        self.supersede_held: Final = _superseding(held, owner=owner)

    def set(self, columns: Sequence[str]) -> Update:
        """Give the statement that sets these columns of one job, whoever holds it."""
        return (
            update(send_jobs)
            .where(send_jobs.c["channel"] == self._channel, send_jobs.c["reminder"] == bindparam("of"))
            .values({name: bindparam(f"the_{name}") for name in columns})
        )

    def end(self, columns: Sequence[str]) -> Update:
        """Give the statement that ends one job: its state, these columns, and since when it is held.

        What may go on (bound: ``may_go_on``) is held as before; of a worker that has said how its call ended, nothing is.
        """
        held_since = case((bindparam("may_go_on", type_=Boolean), send_jobs.c["held_since"]), else_=null())
        return self.set(("state", *columns)).values(held_since=held_since)


def hold(connection: Connection, of: ColumnElement[bool]) -> None:
    """Lock deliveries of one channel in the order that all have, before they are moved; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(_locking(of))


def _locking(of: ColumnElement[bool]) -> Select[Any]:
    return select(send_jobs.c["reminder"]).where(of).order_by(send_jobs.c["reminder"]).with_for_update()


def _superseding(condition: ColumnElement[bool], *, owner: str) -> Any:
    return _returning(
        update(send_jobs)
        .where(condition, overtaken())
        .values(state="superseded", owner=owner, detail=_SUPERSEDED, published=False)
    )


def _returning(moving: Update) -> Any:
    return moving.returning(send_jobs.c["reminder"])

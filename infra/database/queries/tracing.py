"""What the send ledger knows that a provider's list does not: whose a message is, and who else may be meant."""

import datetime
from collections.abc import Collection
from typing import Any

from msgspec import Struct
from sqlalchemy import Engine, Row, and_, or_, select

from infra.database.engine import reading
from infra.database.presence import is_gone
from infra.database.send_tables import send_jobs
from schemas.fields import Channel

__all__ = ["Flight", "flights_of", "ids_of_others"]

_IN_FLIGHT = ("claimed", "sending", "unknown")
_COLUMNS = (
    "reminder",
    "mark",
    "state",
    "owner",
    "attempts",
    "mode",
    "tick",
    "occurred_at",
    "held_since",
    "intended_at",
)


class Flight(Struct, frozen=True, kw_only=True):
    """A delivery without an answer, and when the provider can have taken it.

    Attributes:
        reminder: whose.
        mark: of what was handed over (``notifiers.channel.MarkingChannel``), '' where it is not known.
        since: not before it; of a delivery that was tried before, of its first try.
        until: not after it; None: nobody can say.
        is_over: its worker cannot bring it any more.
    """

    reminder: str
    mark: str
    since: datetime.datetime
    until: datetime.datetime | None
    is_over: bool


def ids_of_others(engine: Engine, ids: Collection[str], *, channel: Channel, reminder: str) -> set[str]:
    """Give those of a provider's ids that other deliveries of the channel have."""
    mine = and_(send_jobs.c["channel"] == channel, send_jobs.c["reminder"] != reminder)
    with reading(engine) as connection:
        return set(
            connection.execute(
                select(send_jobs.c["provider_id"]).where(mine, send_jobs.c["provider_id"].in_(list(ids)))
            ).scalars()
        )


def flights_of(engine: Engine, mark: str, *, address: str, channel: Channel, reminder: str) -> list[Flight]:
    """List the deliveries of the channel that were the same to the provider and have no id of its; this one among them.

    They have no answer, or a person has said that they were taken. One whose mark is not known, to the same address
    as it was given, may have been the same.
    """
    is_open = send_jobs.c["state"].in_(_IN_FLIGHT)
    by_word = and_(send_jobs.c["state"] == "accepted", send_jobs.c["provider_id"] == "")
    same = or_(
        and_(send_jobs.c["mark"] == mark, send_jobs.c["mark"] != "", or_(is_open, by_word)),
        and_(send_jobs.c["mark"] == "", send_jobs.c["recipient"] == address, is_open),
        and_(send_jobs.c["reminder"] == reminder, is_open),
    )
    query = select(*(send_jobs.c[name] for name in _COLUMNS)).where(send_jobs.c["channel"] == channel, same)
    with reading(engine) as connection:
        rows = connection.execute(query).all()
    return [
        Flight(
            reminder=row.reminder,
            mark=row.mark,
            since=row.intended_at if row.intended_at and row.attempts <= 1 else row.tick,
            until=_ended_at(row.occurred_at) if row.state == "unknown" and row.mode == "live" else None,
            is_over=row.state == "accepted" or (row.state == "unknown" and _cannot_go_on(engine, row)),
        )
        for row in rows
    ]


def _cannot_go_on(engine: Engine, row: Row[Any]) -> bool:
    since = row.intended_at or row.held_since
    return row.held_since is None or is_gone(engine, owner=row.owner, since=since)


def _ended_at(occurred_at: str) -> datetime.datetime | None:
    return datetime.datetime.fromisoformat(occurred_at) if occurred_at else None

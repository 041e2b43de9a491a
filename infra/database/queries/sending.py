"""Deliveries as people look at them: what waits, what went, what is in doubt."""

import datetime
from collections.abc import Sequence
from typing import get_args

from msgspec import Struct
from sqlalchemy import Connection, select

from infra.database.print_tables import print_letters
from infra.database.send_tables import send_jobs
from schemas.fields import Channel

__all__ = [
    "DeliveryLine",
    "LetterPlace",
    "delivery_line",
    "delivery_lines",
    "letter_place",
    "unknown_deliveries",
]


class DeliveryLine(Struct, frozen=True, kw_only=True):
    """One job as it stands, with the evidence of its last attempt; ``not_before`` is when the law, or a limit, lets it go.

    ``waits_since``, ``give_up_at``: see `send_tables`.
    """

    reminder: str
    channel: str
    account: str
    state: str
    tick: datetime.datetime
    not_before: datetime.datetime
    attempts: int
    retry_at: datetime.datetime | None
    recipient: str
    subject: str
    provider_id: str
    error_type: str
    detail: str
    provider: str
    endpoint: str
    owner: str
    intended_at: datetime.datetime | None
    ask_at: datetime.datetime | None
    occurred_at: str
    waits_since: datetime.datetime | None
    give_up_at: datetime.datetime | None


def delivery_line(connection: Connection, *, reminder: str, channel: str) -> DeliveryLine | None:
    """Give one delivery."""
    columns = [send_jobs.c[name] for name in DeliveryLine.__struct_fields__]
    query = select(*columns).where(send_jobs.c["reminder"] == reminder, send_jobs.c["channel"] == channel)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else DeliveryLine(**row)


class LetterPlace(Struct, frozen=True, kw_only=True):
    """Where a letter of a print run is now: its ``place`` is ``run/position``, which changes where it is printed again.

    ``left_out`` says why it was not printed there, '' where it was; what is ``settled_at`` nobody will print.
    """

    place: str
    left_out: str
    settled_at: datetime.datetime | None


def letter_place(connection: Connection, *, reminder: str) -> LetterPlace | None:
    """Give the place of a reminder's letter; None where it is in no print run."""
    columns = (print_letters.c[name] for name in ("run", "position", "left_out", "settled_at"))
    row = connection.execute(select(*columns).where(print_letters.c["reminder"] == reminder)).one_or_none()
    if row is None:
        return None
    run, position, left_out, settled_at = row
    return LetterPlace(place=f"{run}/{position:06d}", left_out=left_out, settled_at=settled_at)


def unknown_deliveries(
    connection: Connection, *, companies: Sequence[str], skip: int, lines_max: int
) -> list[DeliveryLine]:
    """List the deliveries of which nobody knows whether they went out, the oldest first; of some companies only."""
    columns = [send_jobs.c[name] for name in DeliveryLine.__struct_fields__]
    query = (
        select(*columns)
        .where(
            send_jobs.c["channel"].in_(get_args(Channel)),
            send_jobs.c["state"] == "unknown",
            *([send_jobs.c["company"].in_(companies)] if companies else []),
        )
        .order_by(send_jobs.c["tick"], send_jobs.c["reminder"], send_jobs.c["channel"])
        .offset(skip)
        .limit(lines_max)
    )
    return [DeliveryLine(**row) for row in connection.execute(query).mappings()]


def delivery_lines(
    connection: Connection, *, state: str = "", channel: str = "", account: str = "", lines_max: int
) -> list[DeliveryLine]:
    """List the newest deliveries, oldest first."""
    wanted = {"state": state, "channel": channel, "account": account}
    columns = [send_jobs.c[name] for name in DeliveryLine.__struct_fields__]
    query = (
        select(*columns)
        .where(*(send_jobs.c[name] == value for name, value in wanted.items() if value))
        .order_by(send_jobs.c["tick"].desc(), send_jobs.c["reminder"].desc(), send_jobs.c["channel"].desc())
        .limit(lines_max)
    )
    return [DeliveryLine(**row) for row in reversed(connection.execute(query).mappings().all())]

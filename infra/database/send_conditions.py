"""What must be true of a job's row for it to move: R32 as SQL, and whose a job is.

Conditions only: who moves rows is ``send_ledger``, and it does so in the same statement.
"""

import datetime
from collections.abc import Iterable
from typing import Final

from sqlalchemy import BindParameter, ColumnElement, and_, exists, or_

from infra.database.send_tables import send_jobs
from infra.database.tables import accounts, clocks

__all__ = ["ENDED", "HELD", "fresh", "held_by", "overtaken", "scheduled"]

ENDED: Final = ("accepted", "failed", "superseded", "unknown")
HELD: Final = ("claimed", "sending")
# Now, or bound when the statement runs.
Instant = datetime.datetime | BindParameter[datetime.datetime]


def held_by(owner: str) -> ColumnElement[bool]:
    """Say that a job is in this worker's hands: claimed, or being sent."""
    return and_(send_jobs.c["state"].in_(HELD), send_jobs.c["owner"] == owner)


def fresh(*, now: Instant, reader_since: Instant) -> ColumnElement[bool]:
    """R32: the account is as it was judged, its partition's clock has reached what the job needs.

    Args:
        now: the wall clock.
        reader_since: with a live journal, a read model whose clock is older than this is not believed.
    """
    same_version = (
        exists()
        .where(
            accounts.c["account"] == send_jobs.c["account"],
            or_(
                accounts.c["version"] == send_jobs.c["decision_version"],
                send_jobs.c["decision_version"] < 0,  # it tells what stays true (R33)
            ),
        )
        .correlate(send_jobs)
    )
    played = and_(send_jobs.c["mode"] == "played", clocks.c["at"] >= send_jobs.c["not_before"])
    live = and_(
        send_jobs.c["mode"] == "live",
        send_jobs.c["not_before"] <= now,
        clocks.c["at"] >= reader_since,
    )
    clock = (
        exists()
        .where(
            clocks.c["partition"] == send_jobs.c["partition"],
            clocks.c["at"] >= send_jobs.c["tick"],
            or_(played, live),
        )
        .correlate(send_jobs)
    )
    return and_(same_version, clock)


def overtaken() -> ColumnElement[bool]:
    """R32: the account has changed since the reminder was decided."""
    return (
        exists()
        .where(
            accounts.c["account"] == send_jobs.c["account"],
            send_jobs.c["decision_version"] >= 0,
            accounts.c["version"] > send_jobs.c["decision_version"],
        )
        .correlate(send_jobs)
    )


def scheduled(channel: str, partitions: Iterable[int] | None = None) -> ColumnElement[bool]:
    """Say of a job that it waits to be taken, of a channel and of these partitions (None: of all)."""
    mine = and_(send_jobs.c["channel"] == channel, send_jobs.c["state"] == "scheduled")
    return mine if partitions is None else and_(mine, send_jobs.c["partition"].in_(list(partitions)))

"""What waits, by the read model's own clocks: due accounts and deliveries, doubts, quarantines; and what has waited for long.

Each question reads a whole table: it is for an exporter that asks now and then.
"""

import datetime
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, and_, func, select

from infra.database.send_conditions import HELD
from infra.database.send_tables import send_jobs
from infra.database.tables import accounts, clocks

__all__ = ["Standing", "standing"]

_SOON: Final = datetime.timedelta(days=1)


class Standing(Struct, frozen=True, kw_only=True):
    """Counts as of the newest ticks; deliveries by channel."""

    due_accounts: int
    quarantined_accounts: int
    due_deliveries: dict[str, int]
    deliveries_in_doubt: dict[str, int]
    deliveries_expiring: dict[str, int]


def standing(connection: Connection, *, now: datetime.datetime) -> Standing:
    """Count what waits; ``now`` is the wall clock: what is given up within a day is expiring."""
    due, quarantined = connection.execute(
        select(
            func.count().filter(accounts.c["wake_at"] <= clocks.c["at"]),
            func.count().filter(accounts.c["quarantined"] != ""),
        ).select_from(accounts.join(clocks, clocks.c["partition"] == accounts.c["partition"]))
    ).one()
    may_run = and_(
        send_jobs.c["state"].in_(("scheduled", *HELD)), send_jobs.c["not_before"] <= clocks.c["at"]
    )
    jobs = connection.execute(
        select(
            send_jobs.c["channel"],
            func.count().filter(may_run),
            func.count().filter(send_jobs.c["state"] == "unknown"),
            func.count().filter(
                send_jobs.c["state"] == "scheduled", send_jobs.c["give_up_at"] <= now + _SOON
            ),
        )
        .select_from(send_jobs.join(clocks, clocks.c["partition"] == send_jobs.c["partition"]))
        .where(send_jobs.c["state"].in_(("scheduled", *HELD, "unknown")))
        .group_by(send_jobs.c["channel"])
    ).all()
    return Standing(
        due_accounts=due,
        quarantined_accounts=quarantined,
        due_deliveries={channel: count for channel, count, _, _ in jobs},
        deliveries_in_doubt={channel: count for channel, _, count, _ in jobs},
        deliveries_expiring={channel: count for channel, _, _, count in jobs},
    )

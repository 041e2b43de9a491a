"""What waits, by the read model's own clocks: due accounts and deliveries, doubts, quarantines; and what has waited for long.

Each question reads a whole table: it is for an exporter that asks now and then.
"""

import datetime
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, and_, func, select

from infra.database.print_tables import print_letters, print_runs
from infra.database.send_conditions import HELD
from infra.database.send_tables import send_jobs
from infra.database.tables import accounts, clocks

__all__ = ["Standing", "standing"]

_SOON: Final = datetime.timedelta(days=1)


class Standing(Struct, frozen=True, kw_only=True):
    """Counts as of the newest ticks; deliveries by channel.

    Attributes:
        due_accounts_oldest_s: for how long an account of a live partition has been due. A tick that is
            done with leaves none, so it is due since its wake time or since that tick, the later of both.
        due_deliveries_oldest_s: for how long a live delivery may have gone out.
        letters_left_out: letters that were damaged and wait for a person.
        print_runs_waiting: runs that cannot be written out at present.
    """

    due_accounts: int
    due_accounts_oldest_s: float
    quarantined_accounts: int
    due_deliveries: dict[str, int]
    due_deliveries_oldest_s: dict[str, float]
    deliveries_in_doubt: dict[str, int]
    deliveries_expiring: dict[str, int]
    letters_left_out: int = 0
    print_runs_waiting: int = 0


def standing(connection: Connection, *, now: datetime.datetime) -> Standing:
    """Count what waits; ``now`` is the wall clock: what is given up within a day is expiring."""
    due, quarantined = connection.execute(
        select(
            func.count().filter(accounts.c["wake_at"] <= clocks.c["at"]),
            func.count().filter(accounts.c["quarantined"] != ""),
        ).select_from(accounts.join(clocks, clocks.c["partition"] == accounts.c["partition"]))
    ).one()
    waking = connection.execute(
        select(func.min(accounts.c["wake_at"]), clocks.c["at"])
        .select_from(accounts.join(clocks, clocks.c["partition"] == accounts.c["partition"]))
        .where(clocks.c["mode"] == "live", accounts.c["wake_at"] <= now)
        .group_by(clocks.c["partition"], clocks.c["at"])
    ).all()
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
            # By the clock on the wall: behind a read model that stands still it waits, too.
            func.min(send_jobs.c["not_before"]).filter(
                send_jobs.c["state"] != "unknown",
                send_jobs.c["mode"] == "live",
                send_jobs.c["not_before"] <= now,
            ),
        )
        .select_from(send_jobs.join(clocks, clocks.c["partition"] == send_jobs.c["partition"]))
        .where(send_jobs.c["state"].in_(("scheduled", *HELD, "unknown")))
        .group_by(send_jobs.c["channel"])
    ).all()
    return Standing(
        due_accounts=due,
        due_accounts_oldest_s=max(
            (max(0.0, (now - max(wake_at, at)).total_seconds()) for wake_at, at in waking), default=0.0
        ),
        quarantined_accounts=quarantined,
        due_deliveries={channel: count for channel, count, _, _, _ in jobs},
        due_deliveries_oldest_s={
            channel: max(0.0, (now - since).total_seconds()) for channel, _, _, _, since in jobs if since
        },
        deliveries_in_doubt={channel: count for channel, _, count, _, _ in jobs},
        deliveries_expiring={channel: count for channel, _, _, count, _ in jobs},
        letters_left_out=connection.execute(
            select(func.count()).where(
                print_letters.c["left_out"] != "", print_letters.c["settled_at"].is_(None)
            )
        ).scalar_one(),
        print_runs_waiting=connection.execute(
            select(func.count()).where(print_runs.c["state"] == "closing", print_runs.c["detail"] != "")
        ).scalar_one(),
    )

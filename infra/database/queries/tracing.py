"""What the send ledger knows that a provider's list does not: whose a message is, and who else may be meant."""

from collections.abc import Collection

from sqlalchemy import Engine, and_, func, select

from infra.database.engine import reading
from infra.database.send_tables import send_jobs
from schemas.fields import Channel

__all__ = ["ids_of_others", "in_flight_to"]

_IN_FLIGHT = ("claimed", "sending", "unknown")


def ids_of_others(engine: Engine, ids: Collection[str], *, channel: Channel, reminder: str) -> set[str]:
    """Give those of a provider's ids that other deliveries of the channel have."""
    mine = and_(send_jobs.c["channel"] == channel, send_jobs.c["reminder"] != reminder)
    with reading(engine) as connection:
        return set(
            connection.execute(
                select(send_jobs.c["provider_id"]).where(mine, send_jobs.c["provider_id"].in_(list(ids)))
            ).scalars()
        )


def in_flight_to(engine: Engine, address: str, *, channel: Channel, reminder: str) -> int:
    """Count other deliveries of the channel without an answer that go to this address, as it was given."""
    with reading(engine) as connection:
        return connection.execute(
            select(func.count())
            .select_from(send_jobs)
            .where(
                send_jobs.c["channel"] == channel,
                send_jobs.c["reminder"] != reminder,
                send_jobs.c["state"].in_(_IN_FLIGHT),
                send_jobs.c["recipient"] == address,
            )
        ).scalar_one()

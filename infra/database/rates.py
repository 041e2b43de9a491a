"""Token buckets that workers share: one row each, and one statement that takes from it; and rests, in which nobody takes.

A row has the instant at which the bucket is full again, in microseconds since 1970 (the generic cell
rate algorithm): an instant moves by itself, so that no one has to refill. It knows no providers and no clock.
"""

import datetime
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Engine, case, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite

from infra.database.engine import again_if_undone, reading, writing
from infra.database.send_tables import rate_buckets

__all__ = ["Bucket", "Rest", "Taken"]

_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_US: Final = datetime.timedelta(microseconds=1)
_US_PER_S: Final = 1_000_000


class Taken(Struct, frozen=True, kw_only=True):
    """How many tokens there were, and when the next one will be."""

    granted: int
    next_at: datetime.datetime


class Bucket(Struct, frozen=True, kw_only=True):
    """A bucket of ``burst`` tokens that ``per_s`` tokens flow into."""

    name: str
    per_s: float
    burst: int

    @again_if_undone
    def take(self, engine: Engine, *, wanted: int, now: datetime.datetime) -> Taken:
        """Take up to ``wanted`` tokens.

        In any time of t seconds all takers together get ``burst + per_s * t`` at most, whatever their
        number; one whose clock is behind gets fewer, never more.
        """
        now_us, interval_us = (now - _EPOCH) // _US, max(1, round(_US_PER_S / self.per_s))
        full_at = rate_buckets.c["full_at_us"]
        since = case((full_at > now_us, full_at), else_=now_us)
        # Where tokens are missing, division must not be of a negative number: databases round it differently.
        room_us = literal(now_us + self.burst * interval_us) - since
        there = case((room_us < interval_us, 0), else_=room_us // interval_us)
        granted = case((there > wanted, wanted), else_=there)
        taking = (
            update(rate_buckets)
            .where(rate_buckets.c["bucket"] == self.name)
            .values(granted=granted, full_at_us=since + granted * interval_us)
            .returning(rate_buckets.c["granted"], rate_buckets.c["full_at_us"])
        )
        with writing(engine) as connection:
            found = connection.execute(taking).one_or_none()
            if found is None:
                insert = _insert(engine)
                new = {"bucket": self.name, "full_at_us": 0, "granted": 0}
                connection.execute(insert(rate_buckets).on_conflict_do_nothing(), [new])
                found = connection.execute(taking).one()
        next_us = found.full_at_us - (self.burst - 1) * interval_us
        return Taken(granted=found.granted, next_at=max(now, _EPOCH + next_us * _US))


class Rest(Struct, frozen=True, kw_only=True):
    """A row of the same kind for what is not done at all before an instant, by any worker, nor by a person."""

    name: str

    def until(self, engine: Engine) -> datetime.datetime | None:
        """Give its end, past or to come; None: there has been none."""
        query = select(rate_buckets.c["full_at_us"]).where(rate_buckets.c["bucket"] == self.name)
        with reading(engine) as connection:
            full_at_us = connection.execute(query).scalar_one_or_none()
        return None if full_at_us is None else _EPOCH + full_at_us * _US

    @again_if_undone
    def begin(self, engine: Engine, *, until: datetime.datetime) -> None:
        """Note its end: that of the last who was told one."""
        noted = {"full_at_us": (until - _EPOCH) // _US, "granted": 0}
        resting = _insert(engine)(rate_buckets).values(bucket=self.name, **noted)
        with writing(engine) as connection:
            connection.execute(resting.on_conflict_do_update(index_elements=["bucket"], set_=noted))


def _insert(engine: Engine) -> Any:
    return postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert

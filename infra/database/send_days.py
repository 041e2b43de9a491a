"""How much went out on a company's day over a channel, and the claim of a place in it.

A delivery counts once a day, however often it is tried; it is counted before it is sent, in one
transaction with the check, so that two workers cannot both have the last place.
"""

import datetime
from collections.abc import Collection
from typing import Literal

from msgspec import Struct
from sqlalchemy import Engine, and_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from infra.database.engine import reading, writing
from infra.database.send_tables import send_days, send_jobs

__all__ = ["DayCap", "DayPlace", "count_in", "have_places"]


class DayPlace(Struct, frozen=True, kw_only=True):
    """What asks for a place: a delivery, on a day of its company, for so many millionths."""

    reminder: str
    channel: str
    company: str
    day: datetime.date
    micros: int


class DayCap(Struct, frozen=True, kw_only=True):
    """How much may go out on a day; None: any number, any cost. ``micros_max`` is of one currency."""

    number_max: int | None = None
    micros_max: int | None = None


def have_places(engine: Engine, places: Collection[DayPlace]) -> set[str]:
    """Give the reminders of those deliveries that have their place already."""
    wanted = {(each.reminder, each.channel): each.day for each in places}
    query = select(send_jobs.c["reminder"], send_jobs.c["channel"], send_jobs.c["counted_on"]).where(
        send_jobs.c["reminder"].in_([each.reminder for each in places]),
        send_jobs.c["counted_on"].is_not(None),
    )
    with reading(engine) as connection:
        return {
            str(reminder)
            for reminder, channel, day in connection.execute(query)
            if wanted.get((reminder, channel)) == day
        }


def count_in(engine: Engine, place: DayPlace, *, cap: DayCap) -> Literal["", "number", "cost"]:
    """Give a delivery its place on the day: '' when it has one, else which cap is reached.

    The first delivery of a day always has its place: one that alone costs more than the cap would
    otherwise wait for ever.
    """
    insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
    key = {"company": place.company, "channel": place.channel, "day": place.day}
    of_day = and_(*(send_days.c[name] == value for name, value in key.items()))
    of_job = and_(send_jobs.c["reminder"] == place.reminder, send_jobs.c["channel"] == place.channel)
    number, micros = send_days.c["number"], send_days.c["micros"]
    fits = [number < cap.number_max] if cap.number_max is not None else []
    if cap.micros_max is not None:
        fits.append(micros + place.micros <= cap.micros_max)
    with writing(engine) as connection:
        connection.execute(insert(send_days).on_conflict_do_nothing(), [{**key, "number": 0, "micros": 0}])
        counted_on = connection.execute(select(send_jobs.c["counted_on"]).where(of_job)).scalar()
        if counted_on == place.day:
            return ""
        taken = connection.execute(
            update(send_days)
            .where(of_day, or_(number == 0, and_(True, *fits)))
            .values(number=number + 1, micros=micros + place.micros)
        )
        if taken.rowcount:
            connection.execute(update(send_jobs).where(of_job).values(counted_on=place.day))
            return ""
        found = connection.execute(select(number).where(of_day)).scalar_one()
        return "number" if cap.number_max is not None and found >= cap.number_max else "cost"

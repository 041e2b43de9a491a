"""How much went out on a company's day over a channel, and the claim of a place in it.

A delivery counts once a day, however often it is tried; it is counted before it is sent, in one
transaction with the check, so that two workers cannot both have the last place. One that ends without
having been sent gives its place back, in the transaction that ends it, to who has waited for one the longest.
Rows are locked in this order: deliveries by reminder, all that a transaction will touch; then, at its end, their days
by company, channel and day; and then, of those that wait, only who is in nobody's hands, which is no wait.
"""

import datetime
from collections import Counter
from collections.abc import Collection
from typing import Literal

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Engine, and_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from infra.database.engine import again_if_undone, reading, writing
from infra.database.send_tables import send_days, send_jobs

__all__ = ["DayCap", "DayPlace", "count_in", "give_back", "have_places"]

_FREED = "a place in the daily cap has become free"


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


@again_if_undone
def count_in(engine: Engine, place: DayPlace, *, cap: DayCap) -> Literal["", "number", "cost"]:
    """Give a delivery its place on the day: '' when it has one, else which cap is reached.

    The first delivery of a day always has its place: one that alone costs more than the cap would
    otherwise wait for ever. One that somebody else has taken meanwhile has its place by that.
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
        # Locked before it is read: two workers that count the same delivery in would take two places for it.
        found = connection.execute(
            select(send_jobs.c["counted_on"], send_jobs.c["state"]).where(of_job).with_for_update()
        ).one_or_none()
        if found is None or found.counted_on == place.day or found.state != "scheduled":
            return ""
        connection.execute(insert(send_days).on_conflict_do_nothing(), [{**key, "number": 0, "micros": 0}])
        taken = connection.execute(
            update(send_days)
            .where(of_day, or_(number == 0, and_(True, *fits)))
            .values(number=number + 1, micros=micros + place.micros)
        )
        if taken.rowcount:
            counted = {"counted_on": place.day, "counted_micros": place.micros, "capped_on": None}
            connection.execute(update(send_jobs).where(of_job).values(counted))
            return ""
        used = connection.execute(select(number).where(of_day)).scalar_one()
        return "number" if cap.number_max is not None and used >= cap.number_max else "cost"


def give_back(connection: Connection, *, of: ColumnElement[bool]) -> None:
    """Take deliveries that were not sent out of the count of their day, and let others have their places.

    The last that a transaction does, and once: what it locked after the days would be locked in another order.

    Args:
        connection: of the transaction in which they end, or are put off.
        of: which deliveries; those that were not counted change nothing.
    """
    counted = and_(of, send_jobs.c["counted_on"].is_not(None))
    names = ("company", "channel", "counted_on", "counted_micros")
    # Locked as they are read: what another worker takes, or gives back, between the two statements would be
    # given back a second time, and the day would have room for one more than its cap.
    found = select(*(send_jobs.c[name] for name in names)).where(counted)
    places = connection.execute(found.order_by(send_jobs.c["reminder"]).with_for_update()).all()
    if not places:
        return
    connection.execute(update(send_jobs).where(counted).values(counted_on=None, counted_micros=0))
    numbers, costs = Counter[tuple[str, str, datetime.date]](), Counter[tuple[str, str, datetime.date]]()
    for company, channel, day, micros in places:
        numbers[company, channel, day] += 1
        costs[company, channel, day] += micros
    columns = send_days.c
    for (company, channel, day), number in sorted(numbers.items()):
        of_day = and_(columns["company"] == company, columns["channel"] == channel, columns["day"] == day)
        less = {
            "number": columns["number"] - number,
            "micros": columns["micros"] - costs[company, channel, day],
        }
        connection.execute(update(send_days).where(of_day).values(less))
    for key, number in sorted(numbers.items()):
        _free(connection, key, number=number)


def _free(connection: Connection, key: tuple[str, str, datetime.date], *, number: int) -> None:
    """Let so many of those that wait for a place on this day go."""
    company, channel, day = key
    jobs = send_jobs.c
    waiting = and_(
        jobs["channel"] == channel,
        jobs["state"] == "scheduled",
        jobs["company"] == company,
        jobs["capped_on"] == day,
    )
    query = select(jobs["reminder"]).where(waiting).order_by(jobs["tick"], jobs["reminder"]).limit(number)
    query = query.with_for_update(skip_locked=True)  # who is in somebody's hands is being looked at anyway
    chosen = list(connection.execute(query).scalars())
    if chosen:
        # It was due when the cap stopped it.
        connection.execute(
            update(send_jobs)
            .where(waiting, jobs["reminder"].in_(chosen))
            .values(not_before=jobs["tick"], capped_on=None, detail=_FREED)
        )

"""The eyes of the end-to-end benchmark: processes of their own that note when something is there.

One reads the reminders' topic (committed records only), one looks for rows in SQL. Events
are known by their customer, ``E-<number>``; what is seen goes into a queue with the time.
"""

import time
from multiprocessing import Queue
from multiprocessing.synchronize import Event as Flag
from typing import NamedTuple

from msgspec import Struct, json
from sqlalchemy import select

from infra.database.engine import open_engine, reading
from infra.database.tables import items
from infra.kafka import consumers

__all__ = ["ROWS_POLL_S", "SeenReminder", "SeenRow", "customer_of", "watch_reminders", "watch_rows"]

ROWS_POLL_S = 0.01
_LOOKED_FOR_MAX = 400


class SeenReminder(NamedTuple):
    """A reminder was on its topic at ``at_s``; it was decided at the tick ``tick_s`` (epoch seconds)."""

    number: int
    at_s: float
    tick_s: float


class SeenRow(NamedTuple):
    """An invoice's row was in SQL at ``at_s`` (epoch seconds)."""

    number: int
    at_s: float


class _Reminder(Struct):
    customer: str
    tick: str


def customer_of(number: int) -> str:
    """Name the customer of an event."""
    return f"E-{number:08d}"


def watch_reminders(broker: str, topic: str, seen: "Queue[list[SeenReminder]]", stop: Flag) -> None:
    """Note reminders until told to stop."""
    import datetime

    decode = json.Decoder(_Reminder).decode
    with consumers.consumer(
        topic, bootstrap_servers=broker, group=None, records_max=5_000, fetch_wait_ms_max=10
    ) as reader:
        while not stop.is_set():
            polled = reader.poll(timeout_ms=50)
            at_s = time.time()
            found = [decode(record.value) for records in polled.values() for record in records]
            if found:
                seen.put(
                    [
                        SeenReminder(
                            int(each.customer[2:]),
                            at_s,
                            datetime.datetime.fromisoformat(each.tick).timestamp(),
                        )
                        for each in found
                    ]
                )


def watch_rows(
    database: str, company: str, asked: "Queue[list[int]]", seen: "Queue[list[SeenRow]]", stop: Flag
) -> None:
    """Look for the rows of the events that are asked for, all of them every ``ROWS_POLL_S``."""
    engine = open_engine(database)
    looking: dict[str, int] = {}
    while not stop.wait(ROWS_POLL_S):
        while not asked.empty():
            looking.update({f"{company}:{customer_of(number)}": number for number in asked.get()})
        some = list(looking)[:_LOOKED_FOR_MAX]
        if not some:
            continue
        with reading(engine) as connection:
            there = (
                connection.execute(select(items.c.account).where(items.c.account.in_(some))).scalars().all()
            )
        at_s = time.time()
        if there:
            seen.put([SeenRow(looking.pop(account), at_s) for account in there])
    engine.dispose()

"""A day's cap: counted before it is sent, once a delivery and day, by two workers as by one."""

import datetime
import threading

import pytest
from sqlalchemy import Engine, select

from infra.database.engine import reading
from infra.database.send_days import DayCap, DayPlace, count_in
from infra.database.send_ledger import NewJob, SendLedger
from infra.database.send_tables import send_days

AT = datetime.datetime(2026, 3, 4, 12, tzinfo=datetime.UTC)
DAY = datetime.date(2026, 3, 4)


def place(name: str, *, company: str = "acme", micros: int = 0, day: datetime.date = DAY) -> DayPlace:
    """Ask for a place for the SMS of a reminder."""
    return DayPlace(reminder=name, channel="sms", company=company, day=day, micros=micros)


@pytest.fixture
def jobs(engine: Engine) -> list[str]:
    """Record twenty deliveries."""
    names = [f"r{number}" for number in range(20)]
    ledger = SendLedger(engine, channel="sms", owner="me", reader_age_s_max=60.0)
    ledger.record(
        [
            NewJob(
                reminder=name,
                account="acme:C1",
                company="acme",
                partition=0,
                mode="played",
                tick=AT,
                not_before=AT,
                decision_version=1,
                reminder_json="{}",
            )
            for name in names
        ]
    )
    return names


def used(engine: Engine) -> list[tuple[str, datetime.date, int, int]]:
    """Read the days."""
    columns = [send_days.c[name] for name in ("company", "day", "number", "micros")]
    with reading(engine) as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(*columns))]


def test_a_number_is_a_number(engine: Engine, jobs: list[str]) -> None:
    """Three a day: the fourth waits, another company's and tomorrow's do not."""
    cap = DayCap(number_max=3)
    assert ["", "", "", "number"] == [count_in(engine, place(name), cap=cap) for name in jobs[:4]]
    assert "" == count_in(engine, place(jobs[4], company="beta"), cap=cap)
    assert "" == count_in(engine, place(jobs[3], day=DAY + datetime.timedelta(days=1)), cap=cap)


def test_a_delivery_counts_once_a_day(engine: Engine, jobs: list[str]) -> None:
    """One that is tried again has its place already."""
    cap = DayCap(number_max=1)
    assert ["", "", ""] == [count_in(engine, place(jobs[0]), cap=cap) for _ in range(3)]
    assert [("acme", DAY, 1, 0)] == used(engine)


def test_a_cost_is_a_cost(engine: Engine, jobs: list[str]) -> None:
    """Ten cents a day at 4 cents each: two go; a dearer one that comes first goes alone rather than never."""
    cap = DayCap(micros_max=100_000)
    found = [count_in(engine, place(name, micros=40_000), cap=cap) for name in jobs[:3]]
    assert ["", "", "cost"] == found
    assert [("acme", DAY, 2, 80_000)] == used(engine)
    tomorrow = DAY + datetime.timedelta(days=1)
    assert "" == count_in(engine, place(jobs[3], micros=900_000, day=tomorrow), cap=cap)
    assert "cost" == count_in(engine, place(jobs[4], micros=1, day=tomorrow), cap=cap)


def test_two_workers_share_the_last_place(engine: Engine, jobs: list[str]) -> None:
    """Ten places, twenty deliveries, two threads: ten go."""
    found: list[str] = []

    def work(mine: list[str]) -> None:
        found.extend(count_in(engine, place(name, micros=7), cap=DayCap(number_max=10)) for name in mine)

    threads = [threading.Thread(target=work, args=(jobs[start::2],)) for start in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert (10, 10) == (found.count(""), found.count("number"))
    assert [("acme", DAY, 10, 70)] == used(engine)

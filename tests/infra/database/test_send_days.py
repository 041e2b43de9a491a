"""A day's cap: counted before it is sent, once a delivery and day, by two workers as by one."""

import datetime
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, func, select, update

from infra.database.engine import reading, writing
from infra.database.send_days import DayCap, DayPlace, count_in, give_back
from infra.database.send_ledger import NewJob, SendLedger
from infra.database.send_tables import send_days, send_jobs
from infra.database.send_values import Postponement
from tests.infra.database.at_once import at_once, until_it_waits

AT = datetime.datetime(2026, 3, 4, 12, tzinfo=datetime.UTC)
DAY = datetime.date(2026, 3, 4)


def place(name: str, *, company: str = "acme", micros: int = 0, day: datetime.date = DAY) -> DayPlace:
    """Ask for a place for the SMS of a reminder."""
    return DayPlace(reminder=name, channel="sms", company=company, day=day, micros=micros)


@pytest.fixture
def jobs(engine: Engine) -> list[str]:
    """Record twenty deliveries."""
    return recorded(engine, count=20)


def recorded(engine: Engine, *, count: int) -> list[str]:
    """Record so many deliveries."""
    names = [f"r{number}" for number in range(count)]
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


def test_a_delivery_that_two_workers_count_in_at_one_moment_has_one_place(
    engine: Engine, jobs: list[str]
) -> None:
    """One of them was taken for dead and was not: twenty deliveries have twenty places of the day, not up to forty."""
    cap = DayCap(number_max=40)
    for name in jobs:
        counting = partial(count_in, engine, place(name, micros=7), cap=cap)
        assert ["", ""] == at_once(counting, counting)
    assert [("acme", DAY, 20, 140)] == used(engine)


def test_what_another_worker_has_taken_meanwhile_keeps_its_place(engine: Engine, jobs: list[str]) -> None:
    """One SMS a day: one worker puts it off just when the other one takes it. It goes, and no second one does."""
    cap = DayCap(number_max=1)
    assert "" == count_in(engine, place(jobs[0]), cap=cap)
    late = SendLedger(engine, channel="sms", owner="late", reader_age_s_max=60.0)
    taking = update(send_jobs).where(send_jobs.c["reminder"] == jobs[0]).values(state="claimed", owner="me")
    with ThreadPoolExecutor(1) as pool:
        with writing(engine) as connection:
            connection.execute(taking)
            putting_off = pool.submit(
                late.postpone, [Postponement(reminder=jobs[0], until=AT, detail="the law")]
            )
            until_it_waits(engine, putting_off)
        putting_off.result(60)
    assert [("acme", DAY, 1, 0)] == used(engine)
    assert "number" == count_in(engine, place(jobs[1]), cap=cap)


def test_what_has_been_taken_by_another_worker_takes_no_place_of_ours(
    engine: Engine, jobs: list[str]
) -> None:
    """It was read before it went, or ended: the place that it would take now nobody would give back."""
    taking = (
        update(send_jobs).where(send_jobs.c["reminder"] == jobs[0]).values(state="superseded", owner="me")
    )
    with writing(engine) as connection:
        connection.execute(taking)
    assert "" == count_in(engine, place(jobs[0]), cap=DayCap(number_max=1))
    assert "" == count_in(engine, place(jobs[1]), cap=DayCap(number_max=1))


def test_a_place_that_becomes_free_is_had_by_who_waits_the_longest(engine: Engine, jobs: list[str]) -> None:
    """One a day: the second and the third wait for tomorrow; the first is given up, and the second may go today."""
    cap, tomorrow = DayCap(number_max=1), AT + datetime.timedelta(days=1)
    ledger = SendLedger(engine, channel="sms", owner="me", reader_age_s_max=60.0)
    for name in jobs[:3]:
        if count_in(engine, place(name, micros=7), cap=cap):
            late = Postponement(reminder=name, until=tomorrow, detail="the daily cap", capped_on=DAY)
            ledger.postpone([late])
    with writing(engine) as connection:
        give_back(connection, of=send_jobs.c["reminder"] == jobs[0])
    assert [("acme", DAY, 0, 0)] == used(engine)
    query = select(send_jobs.c["reminder"], send_jobs.c["not_before"]).order_by(send_jobs.c["reminder"])
    with reading(engine) as connection:
        due = {row.reminder: row.not_before for row in connection.execute(query)}
    assert [AT, tomorrow] == [due[name] for name in jobs[1:3]]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    moves=st.lists(st.tuples(st.sampled_from(["count", "end", "put off"]), st.integers(0, 4)), max_size=25)
)
def test_a_day_counts_what_has_its_place_and_nothing_else(
    sqlite_engine: Engine, moves: list[tuple[str, int]]
) -> None:
    """Whatever is counted, given up and put off, in any order: number and cost are of those that have their place."""
    with writing(sqlite_engine) as connection:
        connection.execute(delete(send_jobs))
        connection.execute(delete(send_days))
    names = recorded(sqlite_engine, count=5)
    ledger = SendLedger(sqlite_engine, channel="sms", owner="me", reader_age_s_max=60.0)
    for move, number in moves:
        name = names[number]
        if move == "count":
            count_in(sqlite_engine, place(name, micros=number + 1), cap=DayCap(number_max=3))
        elif move == "put off":
            ledger.postpone([Postponement(reminder=name, until=AT, detail="the law")])
        else:
            with writing(sqlite_engine) as connection:
                give_back(connection, of=send_jobs.c["reminder"] == name)
    jobs_of_day = select(func.count(), func.coalesce(func.sum(send_jobs.c["counted_micros"]), 0)).where(
        send_jobs.c["counted_on"] == DAY
    )
    with reading(sqlite_engine) as connection:
        have = tuple(connection.execute(jobs_of_day).one())
    found = [(number, micros) for _, _, number, micros in used(sqlite_engine)] or [(0, 0)]
    assert [have] == found
    assert have[0] <= 3

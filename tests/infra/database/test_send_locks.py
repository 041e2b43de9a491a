"""Two notifiers at one company's deliveries and days on PostgreSQL: neither is ended by a deadlock, and each place is given back once."""

import datetime
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, select, text, update

from infra.database.engine import reading, writing
from infra.database.send_days import DayCap, DayPlace, count_in
from infra.database.send_ledger import SendLedger
from infra.database.send_tables import send_days, send_jobs
from infra.database.send_values import Claim, Ending, NewJob, Postponement
from tests.infra.database.at_once import until_it_waits
from tests.notifiers.sending import TICK, know

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)

DAY = datetime.date(2012, 3, 4)
CLAIMS = [Claim(reminder=name, occurred_at="then") for name in ("first", "second")]
FAILED = [Ending(reminder=name, status="failed", occurred_at="then") for name in ("first", "second")]
POSTPONED = [Postponement(reminder=name, until=TICK, detail="the law") for name in ("first", "second")]


@pytest.fixture
def ledger(engine: Engine) -> SendLedger:
    """Give the ledger of a notifier whose reader is there."""
    know(engine, version=5)
    return SendLedger(engine, channel="sms", owner="me", reader_age_s_max=60.0)


def _record(ledger: SendLedger, name: str, *, company: str = "acme", version: int = 5) -> None:
    """Record a delivery that has its place of the day; decided on an older ``version`` it is overtaken."""
    job = NewJob(
        reminder=name,
        account="acme:C1",
        company=company,
        partition=0,
        mode="played",
        tick=TICK,
        not_before=TICK,
        decision_version=version,
        reminder_json="{}",
    )
    ledger.record([job])
    place = DayPlace(reminder=name, channel="sms", company=company, day=DAY, micros=0)
    assert "" == count_in(ledger.engine, place, cap=DayCap(number_max=9))


def _claim(ledger: SendLedger) -> None:
    assert ({"second"}, {"first"}) == ledger.claim(CLAIMS, now=TICK)


def _give_up(ledger: SendLedger) -> None:
    assert ({"second"}, {"first"}) == ledger.give_up(FAILED)


def _intend(ledger: SendLedger) -> None:
    assert {"second"} == ledger.intend(CLAIMS[1:], now=TICK, endings=FAILED[:1]).going


@pytest.mark.parametrize(("work", "version"), [(_claim, 4), (_give_up, 4), (_intend, 5)])
def test_who_waits_for_a_delivery_holds_no_day(
    ledger: SendLedger, work: Callable[[SendLedger], None], version: int
) -> None:
    """The first gives its place back; the second is in the hands of one who counts it in, and needs the day for that."""
    engine = ledger.engine
    _record(ledger, "first", version=version)
    _record(ledger, "second")
    if work is _intend:
        assert {"first", "second"} == ledger.claim(CLAIMS, now=TICK)[0]
    with ThreadPoolExecutor(1) as pool:
        with writing(engine) as other:
            other.execute(_second().with_for_update())
            working = pool.submit(work, ledger)
            until_it_waits(engine, working)
            other.execute(select(send_days).with_for_update(nowait=True))
        working.result(60)


def test_days_are_taken_in_one_order(ledger: SendLedger) -> None:
    """Two companies' deliveries are put off together: who waits for the first day does not hold the second one."""
    engine = ledger.engine
    _record(ledger, "first", company="beta")
    _record(ledger, "second", company="acme")
    acme, beta = (select(send_days).where(send_days.c["company"] == name) for name in ("acme", "beta"))
    with ThreadPoolExecutor(1) as pool:
        with writing(engine) as other:
            other.execute(acme.with_for_update())
            working = pool.submit(ledger.postpone, POSTPONED)
            until_it_waits(engine, working)
            other.execute(beta.with_for_update(nowait=True))
        working.result(60)
    assert {0} == _counted(engine)


def test_what_a_deadlock_has_undone_is_done_again(
    ledger: SendLedger, caplog: pytest.LogCaptureFixture
) -> None:
    """PostgreSQL ends one of the two and asks for it again: a notifier ended by it, with all its channels."""
    engine = ledger.engine
    _record(ledger, "first")
    _record(ledger, "second")
    ledger.claim(CLAIMS, now=TICK)
    # It looks for deadlocks after so long a wait, and undoes who looks: ours, not the other one.
    event.listen(engine, "begin", lambda begun: _look_for_deadlocks(begun, after="2s"))
    with ThreadPoolExecutor(1) as pool:
        with writing(engine) as other:
            _look_for_deadlocks(other, after="60s")
            other.execute(update(send_days).values(number=send_days.c["number"]))
            working = pool.submit(ledger.finish, FAILED)
            until_it_waits(engine, working)
            other.execute(_second().with_for_update())
        assert [] == working.result(60)
    assert "undone" in caplog.text
    assert {0} == _counted(engine)


def _look_for_deadlocks(connection: Connection, *, after: str) -> None:
    connection.execute(text(f"SET LOCAL deadlock_timeout = '{after}'"))


def _second() -> Any:
    return select(send_jobs.c["reminder"]).where(send_jobs.c["reminder"] == "second")


def _counted(engine: Engine) -> set[int]:
    with reading(engine) as connection:
        return set(connection.execute(select(send_days.c["number"])).scalars())

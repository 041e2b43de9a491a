"""What waits, counted by the read model's own clocks, on SQLite and PostgreSQL."""

import datetime

from msgspec import structs
from sqlalchemy import Engine, delete, insert, update

from infra.database.engine import reading, writing
from infra.database.queries.standing import Standing, standing
from infra.database.send_ledger import NewJob, SendLedger
from infra.database.tables import accounts, clocks
from tests.notifiers.sending import TICK, know

LATER = TICK + datetime.timedelta(days=1)


def _standing(engine: Engine) -> Standing:
    with reading(engine) as connection:
        return standing(connection, now=LATER)


def _account(name: str, *, wake_at: datetime.datetime | None, quarantined: str = "") -> dict[str, object]:
    return {
        "account": name,
        "company": "acme",
        "customer": name,
        "partition": 0,
        "version": 1,
        "sequence": 1,
        "mode": "played",
        "wake_at": wake_at,
        "last_contact_on": None,
        "episode_opened_on": None,
        "open_reminder": "",
        "quarantined": quarantined,
    }


def _live(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(update(clocks).values(mode="live"))


def _job(name: str, *, not_before: datetime.datetime) -> NewJob:
    return NewJob(
        reminder=name,
        account="acme:C1",
        company="acme",
        partition=0,
        mode="played",
        tick=TICK,
        not_before=not_before,
        decision_version=5,
        reminder_json="{}",
    )


def test_nothing_waits_in_an_empty_read_model(engine: Engine) -> None:
    """Zeros, not an error, before the first tick."""
    expected = Standing(
        due_accounts=0,
        due_accounts_oldest_s=0.0,
        quarantined_accounts=0,
        due_deliveries={},
        due_deliveries_oldest_s={},
        deliveries_in_doubt={},
        deliveries_expiring={},
    )
    assert expected == _standing(engine)


def test_age_of_the_oldest_is_since_the_last_tick_that_was_done_with(engine: Engine) -> None:
    """An import with old due dates has waited since the tick before, not for years; what wakes later, since then."""
    know(engine)
    _live(engine)
    with writing(engine) as connection:
        rows = [
            _account("acme:D1", wake_at=TICK - datetime.timedelta(days=400)),
            _account("acme:D2", wake_at=TICK + datetime.timedelta(hours=1)),
        ]
        connection.execute(insert(accounts), rows)
    assert datetime.timedelta(days=1).total_seconds() == _standing(engine).due_accounts_oldest_s
    with writing(engine) as connection:
        connection.execute(delete(accounts).where(accounts.c["account"] == "acme:D1"))
    assert datetime.timedelta(hours=23).total_seconds() == _standing(engine).due_accounts_oldest_s


def test_age_of_the_oldest_delivery_is_since_it_may_go(engine: Engine) -> None:
    """Tried again or not: a provider that is down makes it older and older (DeliveriesWait)."""
    know(engine)
    _live(engine)
    ledger = SendLedger(engine, channel="email", owner="me", reader_age_s_max=60.0)
    hour = datetime.timedelta(hours=1)
    jobs = [_job("r1", not_before=TICK - hour), _job("r2", not_before=TICK), _job("r3", not_before=LATER)]
    ledger.record([structs.replace(each, mode="live") for each in jobs])
    assert {"email": 25 * 3600.0} == _standing(engine).due_deliveries_oldest_s


def test_a_read_model_that_stands_still_makes_deliveries_older(engine: Engine) -> None:
    """They may go by the clock on the wall and do not: before, nothing was told to wait of what its clock had not reached."""
    know(engine, clock=TICK - datetime.timedelta(hours=2))
    _live(engine)
    ledger = SendLedger(engine, channel="email", owner="me", reader_age_s_max=60.0)
    ledger.record([structs.replace(_job("r1", not_before=TICK), mode="live")])
    assert {"email": 24 * 3600.0} == _standing(engine).due_deliveries_oldest_s


def test_due_is_judged_by_the_partitions_clock(engine: Engine) -> None:
    """An account wakes, a delivery may go out when its partition's newest tick is there; later ones are not due."""
    know(engine)
    with writing(engine) as connection:
        rows = [
            _account("acme:D1", wake_at=TICK),
            _account("acme:D2", wake_at=LATER),
            _account("acme:D3", wake_at=None, quarantined="ValueError"),
        ]
        connection.execute(insert(accounts), rows)
    ledger = SendLedger(engine, channel="email", owner="me", reader_age_s_max=60.0)
    ledger.record([_job("r1", not_before=TICK), _job("r2", not_before=LATER)])
    found = _standing(engine)
    assert (1, 1, {"email": 1}) == (
        found.due_accounts,
        found.quarantined_accounts,
        found.due_deliveries,
    )
    assert {"email": 0} == found.deliveries_in_doubt

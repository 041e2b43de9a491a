"""The sums beside items are what adding them up would give, whatever was written, in whatever batches."""

import datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, func, select

from infra.database.engine import reading, writing
from infra.database.tables import clocks, companies, items, owed, owed_days
from infra.projection.batch import Batch
from infra.projection.owed import move_days
from infra.projection.rows import project_row
from schemas.commands import ConfigureCompany
from schemas.events import InvoiceIssued
from schemas.rows import ClockRow, CompanyRow, ItemRow, Row, RowKey, encode_key, encode_row

_FIRST = datetime.date(2026, 1, 1)


def _item(account: str, item: str, *, minor: int, due_in: int, currency: str = "USD") -> ItemRow:
    company, _, customer = account.partition(":")
    due_on = _FIRST + datetime.timedelta(days=due_in)
    document = InvoiceIssued(
        company=company,
        customer=customer,
        occurred_at="2026-01-01",
        document=item,
        currency=currency,
        amount="9.00",
    )
    return ItemRow(
        account=account, item=item, document=document, currency=currency, amount_minor=900, open_minor=minor,
        issued_on=_FIRST, due_on=due_on, status="open" if minor else "settled",
    )  # fmt: skip


def _clock(day: int, *, hour: int = 12) -> ClockRow:
    at = datetime.datetime.combine(_FIRST, datetime.time(hour), tzinfo=datetime.UTC) + datetime.timedelta(
        days=day
    )
    return ClockRow(at=at, mode="live")


def _write(engine: Engine, *said: tuple[RowKey, Row | None], partition: int = 0) -> None:
    batch = Batch()
    for key, row in said:
        value = None if row is None else encode_row(row)
        project_row(batch, key=encode_key(key), value=value, partition=partition)
    with writing(engine) as connection:
        batch.apply(connection)


def _put(engine: Engine, *rows: ItemRow) -> None:
    _write(engine, *((RowKey("item", row.account, row.item), row) for row in rows))


def _kept(engine: Engine) -> dict[tuple[str, str], tuple[Any, ...]]:
    with reading(engine) as connection:
        rows = connection.execute(select(owed).where(owed.c["open_count"] != 0))
        return {(each.account, each.currency): tuple(each)[2:] for each in rows}


def _added_up(engine: Engine) -> dict[tuple[str, str], tuple[Any, ...]]:
    found: dict[tuple[str, str], tuple[Any, ...]] = {}
    with reading(engine) as connection:
        days = {each.company: each.day for each in connection.execute(select(owed_days))}
        rows = connection.execute(
            select(items).where(items.c["open_minor"] > 0).order_by(items.c["due_on"])
        ).all()
    for row in rows:
        place = (row.account, row.currency)
        company, count, minor, late, late_minor, oldest = found.get(
            place, (row.company, 0, 0, 0, 0, row.due_on)
        )
        is_late = row.due_on < days[row.company]
        found[place] = (
            company, count + 1, minor + row.open_minor, late + is_late,
            late_minor + (row.open_minor if is_late else 0), oldest,
        )  # fmt: skip
    return found


def test_an_invoice_counts_as_late_from_the_day_after_its_due_date(engine: Engine) -> None:
    """The day of the company, which the clock moves: nothing is written for the item itself."""
    _put(engine, _item("acme:C1", "A", minor=100, due_in=10), _item("acme:C1", "B", minor=50, due_in=11))
    _write(engine, (RowKey("clock", "", ""), _clock(10)))
    assert ("acme", 2, 150, 0, 0, _FIRST + datetime.timedelta(days=10)) == _kept(engine)["acme:C1", "USD"]
    _write(engine, (RowKey("clock", "", ""), _clock(11)))
    assert (1, 100) == _kept(engine)["acme:C1", "USD"][3:5]
    _write(engine, (RowKey("clock", "", ""), _clock(40)))
    assert (2, 150) == _kept(engine)["acme:C1", "USD"][3:5]


def test_a_day_is_the_companys_own(engine: Engine) -> None:
    """Eleven in the evening in UTC is tomorrow in Auckland; a profile that comes later moves the day, too."""
    _put(engine, _item("acme:C1", "A", minor=100, due_in=10))
    _write(engine, (RowKey("clock", "", ""), _clock(10, hour=23)))
    assert 0 == _kept(engine)["acme:C1", "USD"][3]
    profile = ConfigureCompany(
        company="acme",
        occurred_at="2026-01-01",
        command="c",
        name="Acme",
        time_zone="Pacific/Auckland",
        currency="USD",
    )
    _write(engine, (RowKey("company", "acme", ""), CompanyRow(company="acme", profile=profile)))
    assert 1 == _kept(engine)["acme:C1", "USD"][3]


def test_the_slowest_partition_has_the_day(engine: Engine) -> None:
    """As for the worklist: a partition that is behind holds the day back, even where another was there first."""
    _put(engine, _item("acme:C1", "A", minor=100, due_in=10))
    _write(engine, (RowKey("clock", "", ""), _clock(30)), partition=1)
    assert 1 == _kept(engine)["acme:C1", "USD"][3]
    _write(engine, (RowKey("clock", "", ""), _clock(5)), partition=0)
    assert 0 == _kept(engine)["acme:C1", "USD"][3]


def test_what_a_database_had_before_is_late_once_a_projector_starts(engine: Engine) -> None:
    """An upgrade fills the sums with a day on which nothing is late; a start moves it."""
    _put(engine, _item("acme:C1", "A", minor=100, due_in=1))
    _write(engine, (RowKey("clock", "", ""), _clock(5)))
    with writing(engine) as connection:
        connection.execute(owed.update().values(late_count=0, late_minor=0))
        connection.execute(owed_days.update().values(day=datetime.date.min))
        move_days(connection)
    assert (1, 100) == _kept(engine)["acme:C1", "USD"][3:5]


_said = st.tuples(
    st.sampled_from(("acme:C1", "acme:C2", "beta:C1")),
    st.sampled_from(("A", "B", "C", "D")),
    st.sampled_from(("USD", "EUR")),
    st.integers(0, 3),
    st.integers(0, 20),
    st.booleans(),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.tuples(st.lists(_said, max_size=6), st.integers(0, 25)), max_size=6))
def test_sums_are_what_adding_up_gives(sqlite_engine: Engine, batches: list[tuple[list[Any], int]]) -> None:
    """Items come, are paid in part, amended, purged, in any batches; the clock goes on with them."""
    with writing(sqlite_engine) as connection:
        for table in (items, owed, owed_days, clocks, companies):
            connection.execute(delete(table))
    day = 0
    for said, later in batches:
        rows: list[tuple[RowKey, Row | None]] = []
        for account, item, currency, minor, due_in, is_gone in said:
            # One item has one currency for ever.
            key = RowKey("item", account, f"{item}-{currency}")
            row = _item(account, key.id, minor=minor, due_in=due_in, currency=currency)
            rows.append((key, None if is_gone and minor == 0 else row))
        day = max(day, later)
        _write(sqlite_engine, *rows, (RowKey("clock", "", ""), _clock(day)))
        assert _added_up(sqlite_engine) == _kept(sqlite_engine)


def test_what_is_settled_leaves_nothing(engine: Engine) -> None:
    """The line of an account that owes nothing says nothing."""
    _put(engine, _item("acme:C1", "A", minor=100, due_in=1))
    _put(engine, _item("acme:C1", "A", minor=0, due_in=1))
    assert {} == _kept(engine)
    with reading(engine) as connection:
        assert (0, None) == connection.execute(
            select(func.sum(owed.c["open_minor"]), func.min(owed.c["oldest_due_on"]))
        ).one()

"""What is planned, from the read model: the same as the core foresees from its own rows."""

import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from infra.database.engine import reading, writing
from infra.database.queries.scheduled import newest_day, scheduled
from infra.database.tables import live_rows
from infra.projection.batch import Batch
from infra.projection.rows import project_row
from processors.forecast import forecast
from schemas.facts import ReminderDecided
from schemas.rows import decode_key
from tests.infra.database.played import play_into

_SCENARIOS = sorted((Path(__file__).parents[2] / "scenarios").glob("r*.txt"))
_STORY = """# two customers; one pays in time, one has been written to
customer email ana@c1.test address "Calle 1, Santiago"
@C2 customer email bo@c2.test
plan default
    courtesy  -3 email
    first      0 email, letter
    second   +15 email
2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-01-02  invoice INV-2 60.00 due 2026-03-05
2026-01-02  @C2 invoice INV-3 40.00 due 2026-02-03
2026-01-02  @C2 invoice INV-4 40.00 due 2026-02-03
2026-01-31  tick
    expect reminder courtesy INV-1 by email
    expect @C2 reminder courtesy INV-3 INV-4 by email
2026-02-01  @C2 payment P-1 40.00 for INV-3
2026-02-01  tick
"""


def _planned(engine: Engine, *, until: str, company: str = "", account: str = "") -> list[tuple[str, ...]]:
    with reading(engine) as connection:
        found = scheduled(
            connection, last_on=datetime.date.fromisoformat(until), company=company, account=account
        )
        return [(str(each.day), each.account, each.level, each.channel, each.items) for each in found]


def test_what_is_planned(engine: Engine, tmp_path: Path) -> None:
    """S4-20: a line per delivery of each planned reminder; what is paid is in none."""
    play_into(engine, _STORY, folder=tmp_path)
    assert [
        ("2026-02-03", "acme:C1", "first", "email", "INV-1"),
        ("2026-02-03", "acme:C1", "first", "letter", "INV-1"),
        ("2026-02-03", "acme:C2", "first", "email", "INV-4"),
        ("2026-02-03", "acme:C2", "first", "task", "INV-4"),  # no postal address (R19)
    ] == _planned(engine, until="2026-02-10")
    assert ["acme:C2"] * 3 == [each[1] for each in _planned(engine, until="2026-12-31", account="acme:C2")]
    assert [] == _planned(engine, until="2026-12-31", company="beta")
    assert [] == _planned(engine, until="2026-02-02")
    with reading(engine) as connection:
        assert datetime.date(2026, 2, 1) == newest_day(connection)


def test_only_what_is_alive_is_kept(engine: Engine, tmp_path: Path) -> None:
    """A settled item, a used payment and an ended reminder are no rows that a future depends on."""
    stage = play_into(engine, _STORY, folder=tmp_path)
    with reading(engine) as connection:
        names = {(row.owner, row.kind, row.name) for row in connection.execute(select(live_rows))}
    assert ("acme:C2", "item", "INV-4") in names
    assert ("acme", "company", "") in names
    assert not {("acme:C2", "item", "INV-3"), ("acme:C2", "credit", "payment/P-1")} & names
    assert not {kind for _, kind, _ in names} & {"reminder", "application", "seen", "clock"}
    batch = Batch()
    for key in stage.partition.rows():
        if decode_key(key).owner == "acme:C2":
            project_row(batch, key=key, value=None, partition=0)
    with writing(engine) as connection:
        batch.apply(connection)
    assert [] == _planned(engine, until="2026-12-31", account="acme:C2")


@pytest.mark.parametrize("path", _SCENARIOS, ids=lambda path: path.stem)
def test_live_rows_are_enough(path: Path, tmp_path: Path, sqlite_engine: Engine) -> None:
    """The live rows foresee what all rows do, for every story."""
    stage = play_into(sqlite_engine, path.read_text(encoding="utf-8"), folder=tmp_path)
    clock = stage.partition.clock
    if clock is None:
        return
    rows = stage.partition.rows()
    until = clock.at.date() + datetime.timedelta(days=60)
    expected = []
    for account in sorted(decode_key(key).owner for key in rows if decode_key(key).kind == "account"):
        for each in forecast(account, rows=rows.items(), after=clock.at, until=until):
            if isinstance(fact := each.fact, ReminderDecided):
                items = ", ".join(item.item for item in fact.items)
                channels = dict.fromkeys(delivery.channel for delivery in fact.deliveries)
                expected += [(str(each.on), account, fact.step, channel, items) for channel in channels]
    assert expected == _planned(sqlite_engine, until=until.isoformat())

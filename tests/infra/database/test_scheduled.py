"""What is planned, from the read model: the same as the core foresees from its own rows."""

import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from infra.database.engine import reading, writing
from infra.database.queries.scheduled import newest_day, scheduled
from infra.database.tables import live_rows
from infra.projection.batch import Batch
from infra.projection.live import is_kept
from infra.projection.rows import project_row
from processors.forecast import forecast
from schemas.facts import ReminderDecided
from schemas.rows import decode_key
from tests.infra.database.played import play_into
from tests.scenarios.language import read_script
from tests.scenarios.on_core import Stage, _play

_SCENARIOS = sorted((Path(__file__).parents[2] / "scenarios").glob("*.txt"))
_MIDDLES = [
    path
    for path in _SCENARIOS
    if path.stem.startswith(("r13_correction", "r25_", "r33_", "discount", "tolerance", "r19_proposal_left"))
]
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


def test_what_is_only_remembered_is_left_out(engine: Engine, tmp_path: Path) -> None:
    """Natural keys and clocks are no rows that a future depends on; what the ledger has forgotten goes."""
    stage = play_into(engine, _STORY, folder=tmp_path)
    with reading(engine) as connection:
        names = {(row.owner, row.kind, row.name) for row in connection.execute(select(live_rows))}
    assert {("acme:C2", "item", "INV-3"), ("acme:C2", "item", "INV-4"), ("acme", "company", "")} <= names
    assert not {kind for _, kind, _ in names} & {"seen", "clock"}
    batch = Batch()
    for key in stage.partition.rows():
        if decode_key(key).owner == "acme:C2":
            project_row(batch, key=key, value=None, partition=0)
    with writing(engine) as connection:
        batch.apply(connection)
    assert [] == _planned(engine, until="2026-12-31", account="acme:C2")


@pytest.mark.parametrize("path", _MIDDLES, ids=lambda path: path.stem)
def test_kept_rows_are_enough_at_any_time(path: Path) -> None:
    """In the middle of a story, too: paid instalments, used credits and messages to come are part of the future."""
    stage = Stage()
    for step in read_script(path).steps:
        _play(stage, step)
        clock = stage.partition.clock
        if clock is None:
            continue
        rows = stage.partition.rows()
        kept = {key: value for key, value in rows.items() if is_kept(decode_key(key))}
        until = clock.at.date() + datetime.timedelta(days=25)
        foreseen = [
            forecast("acme:C1", rows=each.items(), after=clock.at, until=until) for each in (rows, kept)
        ]
        assert foreseen[0] == foreseen[1]


@pytest.mark.parametrize("path", _SCENARIOS, ids=lambda path: path.stem)
def test_planned_is_what_the_core_foresees(path: Path, tmp_path: Path, sqlite_engine: Engine) -> None:
    """The read model plans what the core foresees from its own rows, for every story."""
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

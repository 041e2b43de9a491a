"""Which customers a report walks through: those of whom something may be told, and no others."""

import datetime
from typing import Any

from sqlalchemy import Engine, Table, insert

from infra.database.engine import reading, writing
from infra.database.queries.account_choice import AccountChoice, blocks
from infra.database.tables import accounts, requests

WINDOW = (datetime.date(2026, 3, 1), datetime.date(2026, 3, 31))


def _plain(table: Table) -> dict[str, Any]:
    """Give a row that says nothing where something must be said."""
    return {each.name: each.type.python_type() for each in table.columns if not each.nullable}


def _noted(account: str, at: str) -> dict[str, Any]:
    return {**_plain(requests), "account": account, "request": f"note-{account}-{at}", "occurred_at": at}


def test_entries_of_a_month_are_looked_for_where_somebody_wrote_any(engine: Engine) -> None:
    """S1-14: with ten thousand customers and three entries, the page read a hundred customers after the other."""
    with writing(engine) as connection:
        customers = [f"acme:C{number:03}" for number in range(300)]
        connection.execute(insert(accounts), [{**_plain(accounts), "account": each} for each in customers])
        connection.execute(
            insert(requests),
            [
                _noted("acme:C007", "2026-02-28T23:59:59Z"),
                _noted("acme:C100", "2026-03-01T00:00:00Z"),
                _noted("acme:C250", "2026-03-31T23:59:59Z"),
                _noted("acme:C270", "2026-04-01T00:00:00Z"),
            ],
        )
    with reading(engine) as connection:
        walked = list(blocks(connection, AccountChoice(asked_between=WINDOW), size=100))
        whole = list(blocks(connection, AccountChoice(), size=100))
    assert [["acme:C100", "acme:C250"]] == [list(each) for each in walked]
    assert 300 == sum(map(len, whole))

"""A page of the worklist is the part of the whole list that it says it is, whatever is filtered."""

from collections.abc import Iterator
from itertools import product

import pytest
from sqlalchemy import Engine, insert, update

from benchmarks.console_filling import fill
from benchmarks.console_records import Size
from infra.database.engine import reading, writing
from infra.database.queries.worklist import WHYS, WorkLine, worklist
from infra.database.queries.worklist_page import WorkFilter, worklist_accounts, worklist_page
from infra.database.tables import accounts, outcomes


def _admits(asked: WorkFilter, line: WorkLine) -> bool:
    return (
        (not asked.companies or line.company in asked.companies)
        and asked.company in ("", line.company)
        and (not asked.why or asked.why in line.whys)
        and (asked.days is None or line.days >= asked.days)
        and asked.responsible in ("", line.responsible)
        and asked.trust in ("", line.trust)
        and asked.level in ("", line.level)
        and not (asked.not_called and line.is_called())
    )


def _filters() -> Iterator[WorkFilter]:
    for why, company in product(("", *WHYS), ("", "acme")):
        yield WorkFilter(why=why, company=company)
    for days, trust in product((None, 0, 30, 85, 400), ("", "bad")):
        yield WorkFilter(days=days, trust=trust)
    for responsible, level, not_called in product(("", "ana", "nobody"), ("", "first"), (False, True)):
        yield WorkFilter(responsible=responsible, level=level, not_called=not_called)
    yield WorkFilter(companies=("beta", "gamma"))
    yield WorkFilter(why="nothing like this")


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """Give a read model with every reason in it."""
    fill(engine, size=Size(150, 3_000))
    with writing(engine) as connection:
        connection.execute(
            update(accounts).where(accounts.c["account"].like("%7")).values(quarantined="broken")
        )
        unknown = {
            "channel": "email", "status": "unknown", "occurred_at": "2026-02-01T09:00:00Z", "provider_id": "",
            "error_type": "", "detail": "", "partition": 0, "record_offset": 0,
        }  # fmt: skip
        names = ("acme:C00000", "acme:C00002")
        connection.execute(
            insert(outcomes), [{**unknown, "reminder": f"{each}/lost", "account": each} for each in names]
        )
    return engine


def test_a_page_has_what_the_whole_list_has_in_its_order(filled: Engine) -> None:
    """R37: the same accounts, reasons, amounts and days, by the same rank; the count is of all."""
    seen = set()
    with reading(filled) as connection:
        whole = worklist(connection)
        for asked in _filters():
            expected = [line for line in whole if _admits(asked, line)]
            found = worklist_page(connection, asked=asked, skip=3, lines_max=20)
            assert len(expected) == found.count, asked
            assert expected[3:23] == found.lines, asked
            assert [line.account for line in expected] == worklist_accounts(connection, asked=asked)
            seen |= {why for line in found.lines for why in line.whys}
    assert set(WHYS) == seen


def test_a_page_behind_the_last_is_empty(filled: Engine) -> None:
    """Who pages on while the list gets shorter sees nothing, and how many there are."""
    with reading(filled) as connection:
        found = worklist_page(connection, asked=WorkFilter(), skip=100_000, lines_max=20)
    assert [] == found.lines
    assert found.count > 50

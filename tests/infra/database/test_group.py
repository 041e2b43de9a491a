"""B-13: a group's statement: the parent's and its children's, and what they owe together."""

import datetime
from pathlib import Path

from sqlalchemy import Engine

from infra.database.engine import reading
from infra.database.queries.group import GroupStatement, group_statement
from tests.infra.database.played import play_into

_STORY = """# a head office with two shops, and a neighbour
customer @C1 email head@test
customer @C2 email shop@test parent C1 dunned-at parent
customer @C3 email store@test parent C1
customer @C4 email neighbour@test
2026-01-02  invoice I-1 100.00 due 2026-02-01 @C1
2026-01-02  invoice I-2 50.00 due 2026-02-01 @C2
2026-01-02  invoice I-2E 30.00 EUR due 2026-02-01 @C2
2026-01-02  invoice I-3 20.00 due 2026-02-01 @C3
2026-01-02  invoice I-4 70.00 due 2026-02-01 @C4
2026-01-05  payment P-3 60.00 @C3
"""


def _group(engine: Engine, account: str) -> GroupStatement | None:
    with reading(engine) as connection:
        return group_statement(connection, account=account, as_of=datetime.date(2026, 1, 31))


def test_what_a_group_owes_together(engine: Engine, tmp_path: Path) -> None:
    """Balances are added per currency, the children's credit too; the neighbour is not in it."""
    play_into(engine, _STORY, folder=tmp_path)
    found = _group(engine, "acme:C1")
    assert found is not None
    assert ["acme:C1", "acme:C2", "acme:C3"] == [each.account for each in found.members]
    assert {"EUR": 3000, "USD": 11000} == found.totals_minor


def test_a_group_of_one_and_of_none(engine: Engine, tmp_path: Path) -> None:
    """An account without children is its own group; an unknown one has none."""
    play_into(engine, _STORY, folder=tmp_path)
    alone = _group(engine, "acme:C4")
    assert alone is not None
    assert (["acme:C4"], {"USD": 7000}) == ([each.account for each in alone.members], alone.totals_minor)
    assert _group(engine, "acme:C9") is None

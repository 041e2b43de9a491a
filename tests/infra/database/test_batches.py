"""Batches as both databases keep them: once, whole, and with the fate of each line as the read model has it."""

import datetime

from sqlalchemy import Engine

from infra.database.batches import Batch, BatchBook, BatchLine
from infra.database.engine import writing
from infra.database.saved_filters import FilterBook, SavedFilter
from infra.database.tables import exceptions, requests

NOW = datetime.datetime(2026, 3, 2, 9, tzinfo=datetime.UTC)


def _batch(name: str = "b", *, at: datetime.datetime = NOW) -> Batch:
    return Batch(batch=name, user="bea", made_at=at, asked_json="{}")


def test_the_fate_of_each_line_is_what_the_read_model_says(engine: Engine) -> None:
    """Skipped, waiting, asked, written, refused: in the order in which they come about."""
    book = BatchBook(engine)
    lines = [BatchLine(account=f"acme:C{number}", commands=(f"c{number}",)) for number in range(4)]
    assert book.keep(_batch(), [*lines, BatchLine(account="acme:C9", skipped="too soon")])
    assert not book.keep(_batch(), lines)  # a double click
    assert {"waiting": 4, "skipped": 1} == {fate: n for fate, n in book.counts("b").items() if n}
    book.asked("b", positions=[each.position for each in book.waiting("b", limit=3)])
    said = {"request_type": "t", "occurred_at": "2026-03-02", "author": "", "request_json": "{}"}
    refused = {"account": "acme:C1", "raised_by": "ledger", "reason": "request_refused", "detail": "too late"}
    with writing(engine) as connection:
        for number in (0, 1):
            row = {"account": f"acme:C{number}", "request": f"c{number}", "company": "acme", **said}
            connection.execute(requests.insert().values(**row))
        row = {"id": "x", "key": "command/c1", "first_json": "", "second_json": ""}
        connection.execute(exceptions.insert().values(**row, **refused, recorded_at=NOW))
    fates = [(each.fate, each.why) for each in book.lines("b", skip=0, lines_max=9)]
    assert [
        ("written", ""),
        ("refused", "too late"),
        ("asked", ""),
        ("waiting", ""),
        ("skipped", "too soon"),
    ] == fates
    assert ["acme:C1"] == [each.account for each in book.lines("b", fate="refused", skip=0, lines_max=9)]


def test_old_batches_are_forgotten(engine: Engine) -> None:
    """After 90 days: they have names in them, and the audit has what was asked."""
    book = BatchBook(engine)
    book.keep(_batch("old"), [BatchLine(account="acme:C1", commands=("c",))])
    book.keep(_batch("new", at=NOW + datetime.timedelta(days=91)), [])
    assert book.batch("old") is None
    assert [] == book.lines("old", skip=0, lines_max=9)
    assert ["new"] == [each.batch for each in book.newest("bea", limit=9)]


def test_a_filter_of_the_same_name_is_replaced_and_there_are_fifty_at_most(engine: Engine) -> None:
    """Each person's own, of each page."""
    book = FilterBook(engine)
    for number in range(50):
        assert book.keep("bea", page="today", saved=SavedFilter(name=f"f{number:02}", query="why=task"))
    assert not book.keep("bea", page="today", saved=SavedFilter(name="one more", query=""))
    assert book.keep("bea", page="today", saved=SavedFilter(name="f00", query="days=30"))
    assert SavedFilter(name="f00", query="days=30") == book.of("bea", page="today")[0]
    assert [] == book.of("eve", page="today")
    book.forget("bea", page="today", name="f00")
    assert 49 == len(book.of("bea", page="today"))

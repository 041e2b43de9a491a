"""Any text that comes from elsewhere is written and found again, the same on both databases."""

import datetime

import pytest
from msgspec import json
from sqlalchemy import Engine, func, select, text

from infra.database.engine import reading, writing
from infra.database.fit_text import fit, fit_json
from infra.database.people import AuditEntry, PeopleBook
from infra.database.people_tables import audit

AT = datetime.datetime(2026, 3, 2, tzinfo=datetime.UTC)


def test_a_text_with_a_character_that_there_is_not_is_written_and_found(engine: Engine) -> None:
    """A line of a file: kept once, and found by the text that it was."""
    people = PeopleBook(engine)
    entry = AuditEntry(entry="e", at=AT, user="ana", act="own", detail="no\0mailbox", account="a\0cme")
    assert people.note(entry)
    assert not people.note(entry)
    found = select(audit.c["user"], audit.c["detail"]).where(
        audit.c["detail"] == "no\0mailbox", audit.c["account"].in_(["a\0cme", "other"])
    )
    with reading(engine) as connection:
        assert [("ana", "no\ufffdmailbox")] == [tuple(row) for row in connection.execute(found)]


def test_half_a_character_is_looked_for_and_not_there(engine: Engine) -> None:
    """What is no UTF-8 comes in as such halves: from a command line, from a provider's JSON."""
    with reading(engine) as connection:
        query = select(func.count()).where(audit.c["user"] == "an\udc80a")
        assert 0 == connection.execute(query).scalar_one()


def test_several_rows_at_once_are_looked_at_each(engine: Engine) -> None:
    """By name and by place, those with such a text and those without."""
    rows = [{"text": "a\0b", "number": 1}, {"text": "ñ", "number": 2}]
    with writing(engine) as connection:
        connection.execute(text("CREATE TEMPORARY TABLE said (text TEXT, number INTEGER)"))
        connection.execute(text("INSERT INTO said VALUES (:text, :number)"), rows)
        found = connection.execute(text("SELECT text FROM said ORDER BY number")).scalars()
        assert ["a\ufffdb", "ñ"] == list(found)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("plain", "plain"),
        ("Almacén\t\x1f", "Almacén\t\x1f"),
        ("\0\0", "\ufffd\ufffd"),
        ("é\udc80\0", "é\ufffd\ufffd"),
        ("\ud83d\ude00", "😀"),
    ],
)
def test_only_what_no_database_holds_is_changed(given: str, kept: str) -> None:
    """Two halves that belong together are the character that they are."""
    assert kept == fit(given)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (rb'"a\u0000\u0000"', "a\ufffd\ufffd"),
        (rb'"a\\u0000"', r"a\u0000"),
        (rb'"a\\\u0000"', "a\\\ufffd"),
    ],
)
def test_of_json_only_the_character_is_changed(given: bytes, kept: str) -> None:
    """Who writes a backslash, a u and four noughts, has written these."""
    assert kept == json.decode(fit_json(given))

"""Stopping messages (RFC 8058): one click of a mail program, or a page with a button; never by looking."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from schemas.commands import OptOut
from tests.console.web.reader import Reader
from tests.notifiers.sending import merge, reminder


@pytest.fixture
def reader(sqlite_engine: Engine, tmp_path: Path) -> Reader:
    """Give a reader with a browser."""
    return Reader(sqlite_engine, tmp_path)


def test_looking_stops_nothing(reader: Reader) -> None:
    """Programs of mail servers follow every link."""
    made = reminder("r1", mode="live")
    reader.got(made)
    page = reader.browser.get(reader.path(made, purpose="unsubscribe"))
    assert (200, True) == (page.status_code, "Stop these messages" in page.text)
    assert [] == reader.kept


def test_one_click_stops_this_channel(reader: Reader) -> None:
    """What a mail program posts, and what the button does: the same, once a day at most."""
    made = reminder("r1", mode="live")
    reader.got(made)
    path = reader.path(made, purpose="unsubscribe")
    for form in ({"List-Unsubscribe": "One-Click"}, {}):
        done = reader.browser.post(path, data=form)
        assert (200, True) == (done.status_code, "will not write to" in done.text)
    [event] = reader.asked
    assert isinstance(event, OptOut)
    assert ("acme", "C1", "email", "reader") == (event.company, event.customer, event.channel, event.author)


def test_who_was_opted_in_again_can_leave_again(reader: Reader) -> None:
    """The same link on another day is another wish."""
    made = reminder("r1", mode="live")
    reader.got(made)
    path = reader.path(made, purpose="unsubscribe")
    reader.browser.post(path)
    reader.now = reader.now.replace(day=20)
    reader.browser.post(path)
    assert 2 == len(reader.kept)


def test_a_merged_customer_stops_where_he_is_now(reader: Reader) -> None:
    """SEMANTICS 2.6: who stops a message of C1 is written to as C2 by now."""
    made = reminder("r1", mode="live")
    reader.got(made)
    merge(reader.engine, "acme:C1", into="C2")
    reader.browser.post(reader.path(made, purpose="unsubscribe"))
    [event] = reader.asked
    assert ("C2", "email") == (event.customer, event.channel)

"""Why nothing was sent on a day, and what comes next: told on the customer's page (R31, S0-25, U-4)."""

import datetime
import html
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from console.web.inside.pages.customer import why
from infra.database.queries.scheduled import ScheduledLine, scheduled
from infra.errors import OperatorError
from processors.retelling import DayTold, retell
from tests.console.inside.desk import Desk
from tests.processors.test_retelling import story_journal

STORY = """# one whom nobody may write to for a while
customer email ana@c1.test
plan default
    first      0 email
    second   +10 email
2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-02-01  hold blocked until 2026-02-10 because "new contact"
2026-02-02  tick
    expect withheld INV-1 first because blocked until 2026-02-10
2026-02-10  tick
    expect reminder first INV-1 by email
"""
PAGE = "/customers/acme:C1"
Progress = Callable[[int, int], None]


def _desk(engine: Engine, folder: Path) -> Desk:
    """Give a console in the story, told from the story's own journal."""
    desk = Desk(engine, folder, STORY, now=datetime.datetime(2026, 2, 11, 9, tzinfo=datetime.UTC))
    (folder / "told").mkdir()
    records = list(story_journal(STORY, folder=folder / "told"))

    def tell(account: str, day: datetime.date | None, progress: Progress) -> DayTold:
        progress(len(records), len(records))
        return retell(records, account=account, day=day)

    desk.parts = replace(desk.parts, retell=tell)
    desk.browser = desk.another_browser()
    return desk.at_work("ana")


def _text(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_the_page_says_why_nothing_went_out_on_a_day(sqlite_engine: Engine, tmp_path: Path) -> None:
    """R31: the word of the day, with the hold that it comes from, in the user's language."""
    desk = _desk(sqlite_engine, tmp_path)
    text = _text(desk.browser.get(f"{PAGE}/why?on=2026-02-02").text)
    assert "INV-1" in text
    assert "new contact" in text
    desk.at_work("eva", language="es")
    assert "Por qué" in _text(desk.browser.get(f"{PAGE}/why?on=2026-02-02").text)


def test_while_the_journal_is_read_the_page_says_how_far_and_looks_again(
    sqlite_engine: Engine, tmp_path: Path
) -> None:
    """It waits a second, then shows the progress; afterwards the same address has the answer."""
    desk = _desk(sqlite_engine, tmp_path)
    told, go_on = desk.parts.retell, threading.Event()
    assert told is not None

    def slowly(account: str, day: datetime.date | None, progress: Progress) -> DayTold:
        progress(3, 9)
        assert go_on.wait(timeout=120)
        return told(account, day, progress)

    desk.parts = replace(desk.parts, retell=slowly)
    desk.browser = desk.another_browser()
    desk.log_in("ana")
    waiting = desk.browser.get(f"{PAGE}/why?on=2026-02-02").text
    assert 'hx-trigger="every 1s"' in waiting
    assert "3 / 9" in _text(waiting)
    go_on.set()
    assert "new contact" in _text(desk.browser.get(f"{PAGE}/why?on=2026-02-02").text)


def test_a_journal_that_cannot_be_read_is_said(sqlite_engine: Engine, tmp_path: Path) -> None:
    """No page of its own for a fault of the broker: the page stays, and says so."""
    desk = _desk(sqlite_engine, tmp_path)

    def fail(account: str, day: datetime.date | None, progress: Progress) -> DayTold:
        raise OperatorError("the broker cannot be reached")

    desk.parts = replace(desk.parts, retell=fail)
    desk.browser = desk.another_browser()
    desk.log_in("ana")
    assert "the broker cannot be reached" in desk.browser.get(f"{PAGE}/why").text


def test_what_comes_next_is_listed_by_day(sqlite_engine: Engine, tmp_path: Path) -> None:
    """S0-25, S3-08, U-9: the second level, ten days after the first, if nothing comes in."""
    desk = _desk(sqlite_engine, tmp_path)
    text = _text(desk.browser.get(f"{PAGE}/next").text)
    assert "second reminder" in text
    assert "INV-1" in text
    assert "Nothing will be sent" in _text(desk.browser.get(f"{PAGE}/next?days=1").text)


def test_what_comes_next_of_very_many_documents_is_worked_out_behind_the_page(
    sqlite_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No customer is too large to look ahead: the page says that it is being worked out, and later has it with its time."""
    desk = _desk(sqlite_engine, tmp_path)
    go_on = threading.Event()

    def slowly(*args: Any, **asked: Any) -> Iterator[ScheduledLine]:
        assert go_on.wait(timeout=120)
        return scheduled(*args, **asked)

    monkeypatch.setattr(why, "_ROWS_MAX", 1)
    monkeypatch.setattr(why, "scheduled", slowly)
    console = desk.parts.console.model_copy(update={"answer_wait_s": 0.0})
    desk.parts = replace(desk.parts, console=console)
    desk.browser = desk.another_browser()
    desk.log_in("ana")
    waiting = desk.browser.get(f"{PAGE}/next").text
    assert 'hx-trigger="every 2s"' in waiting
    assert "being worked out" in waiting
    go_on.set()
    for _ in range(200):
        text = _text(desk.browser.get(f"{PAGE}/next").text)
        if "Worked out" in text:
            break
    assert "second reminder" in text

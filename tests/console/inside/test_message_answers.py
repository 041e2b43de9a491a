"""What the reader of a message answered stands with the message, whichever of its fields he left empty (S4-17, S2-19)."""

import datetime
import html
import re
from pathlib import Path

import pytest
from sqlalchemy import Engine

from schemas.answers import AnswerFile, AnswerSaid, GiveAnswer
from tests.console.inside.desk import Desk
from tests.console.inside.posted import keep_jobs

STORY = """# one who was reminded, and answers
customer email ana@c1.test
plan default
    first      0 email
    second   +90 email
2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-02-03  tick
    expect reminder first INV-1 by email
"""
_PHOTO = AnswerFile(sha256="0" * 64, name="foto.png", media_type="image/png", size_bytes=9)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            AnswerSaid(
                kind="dispute", documents=("INV-1",), reason="faulty", text="A box was wet", files=(_PHOTO,)
            ),
            "I do not agree · faulty A box was wet foto.png",
        ),
        (AnswerSaid(kind="paid", on=datetime.date(2026, 2, 1)), "I have paid · Feb 1, 2026"),
        (AnswerSaid(kind="will_pay", on=datetime.date(2026, 2, 10)), "I will pay · Feb 10, 2026"),
        (AnswerSaid(kind="wrong_person", by="Zoë"), "wrong person Zoë"),
    ],
)
def test_an_answer_stands_with_its_message(
    sqlite_engine: Engine, tmp_path: Path, said: AnswerSaid, shown: str
) -> None:
    """Its kind, day, reason, words and files; what was left empty is left out."""
    desk = Desk(sqlite_engine, tmp_path, STORY).at_work("ana")
    keep_jobs(desk)
    reminder = desk.stage.latest["acme:C1"]
    answer = GiveAnswer(
        company="acme",
        customer="C1",
        occurred_at="2026-02-03",
        author="reader",
        command="reader/1",
        reminder=reminder,
        channel="email",
        said=said,
    )
    desk.parts.publish([answer])
    page = desk.browser.get(f"/customers/acme:C1/message?reminder={reminder}")
    assert 200 == page.status_code
    section = page.text.partition('<ul id="answered">')[2].partition("</section>")[0]
    assert shown == " ".join(html.unescape(re.sub(r"<[^>]+>", " ", section)).split())

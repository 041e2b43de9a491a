"""A reader's answer from the page behind his link to the ledger, and back to the company's desk; real processes."""

import datetime
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from console.explaining.words import words_of
from tests.console.web.played import DUE, Played, played

pytestmark = pytest.mark.system
_DAY = datetime.timedelta(days=1)


@pytest.fixture
def installation(broker: str, namespace: str, tmp_path: Path) -> Iterator[Played]:
    """Run an installation."""
    with played(broker, prefix=namespace, data_dir=tmp_path) as running:
        yield running


def test_an_answer_reaches_the_ledger_once_and_the_desk_once(installation: Played) -> None:
    """S4-17: link, form, command, fact, task, hold, mail to the desk; pressing twice changes nothing."""
    installation.tick(DUE)
    url, stop = installation.link("/a/"), installation.link("/u/")
    assert "Ya pagué" in httpx.get(url).text
    before = installation.commands()
    form = {"kind": "dispute", "documents": "INV-1", "reason": "faulty", "text": "Una caja llegó mojada."}
    for _ in range(2):
        assert 303 == httpx.post(url, data=form).status_code
    installation.rest()
    assert before + 1 == installation.commands()
    listed = installation.run("answers", "list", "acme:C-1", "--format", "csv")
    assert "dispute,INV-1,,,Defectuoso o incompleto – Una caja llegó mojada.,,disputes" in listed.stdout
    assert "answer_dispute" in installation.run("tasks", "--account", "acme:C-1", "--format", "csv").stdout
    explained = installation.run("explain", "acme:C-1", "--language", "en").stdout
    assert "a reader's answer, does not agree, INV-1, Defectuoso o incompleto" in explained

    installation.tick(DUE + _DAY)
    installation.tick(DUE + 2 * _DAY)
    [told] = installation.sent("answer")
    assert "desk@acme.test" == told.deliveries[0].contact.email
    [mail] = [text for text in installation.mails() if "does not agree" in text]
    assert "Una caja llegó mojada." in mail
    assert installation.web not in mail  # the desk has no business with the customer's links

    # One click of a mail program: the next level goes by letter.
    assert 200 == httpx.post(stop, data={"List-Unsubscribe": "One-Click"}).status_code
    installation.rest()
    installation.tick(DUE + 15 * _DAY)
    assert [] == installation.sent("second")
    reminders = installation.run("reminders", "--format", "csv").stdout
    assert "letter" in reminders
    why = installation.run("explain", "acme:C-1", "--item", "INV-1", "--language", "en").stdout
    assert words_of("en").reasons["disputed"] in why

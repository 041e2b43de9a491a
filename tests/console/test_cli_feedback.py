"""Commands around what comes back: mails in folders, lists, a person's word, and the addresses that are not written to."""

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from console.cli.main import main
from infra.database.engine import writing
from infra.database.feedback import FeedbackInbox, Settled
from infra.database.send_tables import send_jobs
from infra.database.tables import open_tasks
from schemas.codec import decode_source
from schemas.commands import CompleteTask
from schemas.envelope import from_headers
from tests.notifiers.feedback.test_dsn import PLAIN, report
from tests.notifiers.sending import ScriptedChannel, dispatcher, read, reminder

Run = Callable[..., Result]


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    """Give a function that runs ``cobranza`` on this database."""

    def cobranza(*arguments: str, input: bytes | None = None) -> Result:  # noqa: A002 - click's word
        given = {"COBRANZA_DATABASE_URL": database}
        return CliRunner().invoke(main, ["--data-dir", str(tmp_path), *arguments], env=given, input=input)

    return cobranza


def listed(run: Run, *words: str) -> list[dict[str, Any]]:
    """Give the rows of a list."""
    done = run(*words, "--format", "json")
    assert 0 == done.exit_code, done.output
    rows: list[dict[str, Any]] = json.loads(done.output)
    return rows


def test_mails_that_came_back_are_taken_from_files_folders_and_a_pipe(run: Run, tmp_path: Path) -> None:
    """Each word once, however often a folder is brought; what reports nothing is counted."""
    folder = tmp_path / "Maildir" / "new"
    folder.mkdir(parents=True)
    (folder / "1").write_bytes(report())
    (folder / "2").write_bytes(b"From: zoe@customer.example\n\nI am on holiday.\n")
    done = run("feedback", "dsn", str(tmp_path / "Maildir"))
    assert (0, "1 new words taken.\n1 mails report nothing.\n") == (done.exit_code, done.output)
    assert "0 new words taken, 1 known already." in run("feedback", "dsn", str(folder / "1")).output
    assert (
        "1 new words taken."
        in run("feedback", "dsn", "-", input=PLAIN.replace("zoe@", "eva@").encode()).output
    )
    rows = listed(run, "feedback", "list")
    assert [("dsn", "bounced", "r1", "address_bounced", "waiting")] * 2 == [
        (each["source"], each["said"], each["reminder"], each["error_type"], each["state"]) for each in rows
    ]


def test_a_bounce_of_no_mail_of_ours_is_said(run: Run, tmp_path: Path) -> None:
    """What can be taken is taken; the rest is named, and the exit code says so to the pipe."""
    (tmp_path / "1").write_bytes(report(original="Subject: other\n\nHello\n"))
    (tmp_path / "2").write_bytes(report())
    done = run("feedback", "dsn", str(tmp_path / "1"), str(tmp_path / "2"))
    assert 1 == done.exit_code
    assert "1 new words taken." in done.output
    assert f"{tmp_path / '1'}: it says what became of a mail" in done.output


def test_returned_letters_by_list_and_by_hand(run: Run, tmp_path: Path) -> None:
    """A list from whoever carries letters; one letter that lies on the desk."""
    (tmp_path / "back.csv").write_text("reminder,channel,said\nr1,letter,returned\nr2,letter,returned\n")
    assert "2 new words taken." in run("feedback", "import", str(tmp_path / "back.csv")).output
    assert (
        "1 new words taken." in run("feedback", "say", "r3", "letter", "returned", "--detail", "moved").output
    )
    assert ["r1", "r2", "r3"] == sorted(each["reminder"] for each in listed(run, "feedback", "list"))
    (tmp_path / "wrong.csv").write_text("reminder,channel,said\nr4,letter,eaten\n")
    wrong = run("feedback", "import", str(tmp_path / "wrong.csv"))
    assert 1 == wrong.exit_code
    assert "line 2: Invalid enum value 'eaten'" in wrong.output


def test_dead_words_are_tried_again(run: Run, engine: Engine) -> None:
    """Once what was wrong is mended."""
    assert 0 == run("feedback", "say", "r1", "email", "bounced").exit_code
    inbox = FeedbackInbox(engine)
    [heard] = inbox.lines(lines_max=9)
    inbox.settle([Settled(word=heard.word.word, state="dead")])
    assert ["r1"] == [each["reminder"] or "r1" for each in listed(run, "feedback", "list", "--state", "dead")]
    assert "1 words are looked for again." in run("feedback", "retry").output
    assert "0 words are looked for again." in run("feedback", "retry", heard.word.word).output


def test_suppressions_are_seen_added_and_removed(run: Run) -> None:
    """An address however it is written; for one company or all."""
    assert "is not written to any more" in run("suppressions", "add", "email", "Zoe@Customer.example").output
    assert "is on the list already" in run("suppressions", "add", "email", "zoe@customer.example").output
    added = run(
        "suppressions", "add", "sms", "+34 600-000-000", "--company", "acme", "--reason", "asked by phone"
    )
    assert 0 == added.exit_code
    rows = {
        (each["channel"], each["address"], each["company"]) for each in listed(run, "suppressions", "list")
    }
    assert {("email", "zoe@customer.example", ""), ("sms", "+34600000000", "acme")} == rows
    assert 1 == len(listed(run, "suppressions", "list", "--company", "acme"))
    assert 0 == run("suppressions", "remove", "sms", "0034600000000".replace("00", "+", 1)).exit_code
    gone = run("suppressions", "remove", "sms", "+34600000000")
    assert (1, True) == (gone.exit_code, "is not on the list of sms" in gone.output)
    assert 1 == run("suppressions", "add", "sms", "no number").exit_code
    assert 1 == run("suppressions", "add", "email", "zoe.customer.example").exit_code


def held_for_bad(engine: Engine) -> None:
    """Have two accounts with a task to mend their mail address, of which C1 was written to at Zoe's."""
    for name, account in (("r1", "acme:C1"), ("r2", "acme:C2")):
        dispatcher(engine, channel=ScriptedChannel()).record([read(reminder(name, account=account))])
    with writing(engine) as connection:
        written_to = send_jobs.update().where(send_jobs.c.reminder == "r1")
        connection.execute(written_to.values(recipient="Zoe@customer.example"))
        for account in ("acme:C1", "acme:C2"):
            company, customer = account.split(":")
            task = {"account": account, "task": "address/email", "company": company, "customer": customer}
            rest = {"task_type": "address", "summary": "Mend it", "responsible": ""}
            days = {"opened_on": datetime.date(2026, 3, 2), "due_on": datetime.date(2026, 3, 2)}
            connection.execute(
                open_tasks.insert().values(**task, **rest, **days, blocking=False, items_json="[]")
            )


def test_who_takes_an_address_off_is_told_where_it_is_held_for_bad(run: Run, engine: Engine) -> None:
    """R19: the ledger's own mark ends with its task; only accounts that were written to at this address are named."""
    held_for_bad(engine)
    run("suppressions", "add", "email", "Zoe@customer.example")
    said = run("suppressions", "remove", "email", "Zoe@customer.example").output.splitlines()
    assert ["acme:C1 holds it for bad until: cobranza task done acme:C1 address/email"] == said[1:]


def test_an_address_may_be_lifted_from_its_accounts_as_well(
    run: Run, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R19: one command ends the mark of each account, with who says so and why; said twice it is the same command."""
    held_for_bad(engine)
    sent: list[Any] = []
    monkeypatch.setattr("console.publishing.send_all", lambda records, **_: sent.extend(records))
    run("suppressions", "add", "email", "Zoe@customer.example")
    words = ("email", "Zoe@customer.example", "--lift", "--because", "she called", "--author", "ana")
    done = run("suppressions", "remove", *words)
    assert (0, "acme:C1 hears that it is good again.") == (done.exit_code, done.output.splitlines()[1])
    assert 0 == run("suppressions", "remove", *words).exit_code
    first, again = (from_headers(each.headers, each.value) for each in sent)
    command, once_more = (decode_source(envelope.type, data) for envelope, data in (first, again))
    assert isinstance(command, CompleteTask)
    assert isinstance(once_more, CompleteTask)
    text = "Zoe@customer.example may be written to again: she called"
    assert ("acme", "C1", "address/email", "done", "ana", text) == (
        command.company,
        command.customer,
        command.task,
        command.outcome,
        command.author,
        command.text,
    )
    assert command.command == once_more.command


def test_nothing_is_taken_off_when_its_accounts_cannot_hear_of_it(run: Run, engine: Engine) -> None:
    """Without a broker the address stays on the list: what is done by halves could not be done again."""
    held_for_bad(engine)
    run("suppressions", "add", "email", "Zoe@customer.example")
    failed = run(
        "--bootstrap-servers",
        "127.0.0.1:1",
        "suppressions",
        "remove",
        "email",
        "Zoe@customer.example",
        "--lift",
    )
    assert 0 != failed.exit_code
    assert 1 == len(listed(run, "suppressions", "list"))

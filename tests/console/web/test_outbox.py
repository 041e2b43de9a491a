"""An answer that was kept reaches Kafka, whatever is down meanwhile; links are revoked by commands."""

import datetime
import hashlib
import os
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace
from sqlalchemy import Engine, update

from console.cli.main import main
from console.publishing import PublishError
from console.web.outbox import LOOP, Outbox
from infra.database.answer_file_tables import answer_files
from infra.database.engine import writing
from infra.database.links import LinkBook, NewAnswer
from infra.metrics.pulse import Pulses
from notifiers.answer_files import AnswerFiles, NoSuchFileError, enclosing_answers, file_of
from notifiers.writing.render import Renderer
from notifiers.writing.samples import sample_reminder
from schemas.answers import AnswerFile
from schemas.codec import encode
from schemas.commands import OptOut
from schemas.journal import SourceEvent

NOW = datetime.datetime(2026, 2, 2, 9, tzinfo=datetime.UTC)


def kept(number: int) -> NewAnswer:
    """Make an answer as it is kept."""
    event = OptOut(
        company="acme",
        customer="C1",
        occurred_at="2026-02-02",
        command=f"reader/{number}",
        channel="email",
    )
    return NewAnswer(
        command=event.command,
        reminder="r1",
        channel="email",
        account="acme:C1",
        given_at=NOW + datetime.timedelta(seconds=number),
        event_json=encode(event).decode(),
    )


def test_an_answer_is_published_once_in_order(engine: Engine) -> None:
    """What Kafka has is not sent again; the same answer kept twice is one."""
    book = LinkBook(engine)
    published: list[SourceEvent] = []
    outbox = Outbox(book, publish=published.extend, pulses=Pulses([LOOP], stalled_s=60))
    assert [True, True, False] == [book.keep(kept(number)) for number in (2, 1, 2)]
    assert 2 == outbox.step()
    assert 0 == outbox.step()
    assert ["reader/1", "reader/2"] == [getattr(each, "command", "") for each in published]
    assert 2 == book.answers("r1", channel="email")


def test_what_kafka_does_not_take_waits_and_is_said(sqlite_engine: Engine) -> None:
    """The loop goes on, says what it waits for, and brings it as soon as Kafka is back."""
    book, pulses = LinkBook(sqlite_engine), Pulses([LOOP], stalled_s=60)
    there, tried = threading.Event(), threading.Event()
    published: list[SourceEvent] = []

    def publish(events: Sequence[SourceEvent]) -> None:
        if not there.is_set():
            tried.set()
            raise PublishError("the broker cannot be reached")
        published.extend(events)

    outbox = Outbox(book, publish=publish, pulses=pulses)
    book.keep(kept(1))
    outbox.start()
    try:
        assert tried.wait(60)
        outbox.wake()
        while not any("Kafka does not take answers" in each for each in pulses.unready()):
            threading.Event().wait(0.01)
        there.set()
        outbox.wake()
        while book.unpublished(limit=1):
            threading.Event().wait(0.01)
    finally:
        outbox.stop()
    assert ["reader/1"] == [getattr(each, "command", "") for each in published]
    assert [] == pulses.unready()


def test_links_are_revoked_listed_and_restored_by_commands(database: str) -> None:
    """`cobranza links`: of a reminder, or of all that an account has by now."""

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(main, ["links", *arguments], env={"COBRANZA_DATABASE_URL": database})
        assert 0 == done.exit_code, done.output
        return done.stdout

    run("revoke", "account", "acme:C1", "--author", "me", "--reason", "sent to somebody else")
    run("revoke", "reminder", "r1")
    listed = run("list", "--format", "csv").splitlines()
    assert 3 == len(listed)
    assert "account,acme:C1,me,sent to somebody else" in listed[1]
    assert "are good again" in run("restore", "reminder", "r1")
    assert "were not revoked" in run("restore", "reminder", "r1")
    assert 2 == len(run("list", "--format", "csv").splitlines())


def _sent(
    engine: Engine, files: AnswerFiles, *, name: str, content: bytes, at: datetime.datetime
) -> AnswerFile:
    with writing(engine) as connection:
        files.keep(connection, [content], at=at)
    return file_of(name, content)


def test_a_file_is_fetched_on_purpose_and_must_be_what_was_sent(
    database: str, engine: Engine, tmp_path: Path
) -> None:
    """`cobranza answers file`: by its hash, on whichever machine; what is not that content any more is refused."""
    files = AnswerFiles(engine, tmp_path / "answers")
    kept_as = _sent(engine, files, name="a.pdf", content=b"%PDF-1", at=NOW)
    options = ["--data-dir", str(tmp_path / "another machine"), "answers", "file", kept_as.sha256]
    done = CliRunner().invoke(
        main, [*options, "--to", str(tmp_path / "out.pdf")], env={"COBRANZA_DATABASE_URL": database}
    )
    assert (0, b"%PDF-1") == (done.exit_code, (tmp_path / "out.pdf").read_bytes())
    with writing(engine) as connection:
        connection.execute(update(answer_files).values(content=b"%PDF-2"))
    with pytest.raises(NoSuchFileError, match="is not what the reader sent"):
        files.content(kept_as.sha256)
    for wrong in ("../../etc/passwd", "0" * 64):
        with pytest.raises(NoSuchFileError):
            files.content(wrong)


def test_what_a_reader_sent_goes_to_the_desk_with_his_answer(engine: Engine, tmp_path: Path) -> None:
    """As a file of the mail, under its safe name, from whichever machine it was sent to; one that is gone is only named.

    Customers get none.
    """
    web, notifier = (AnswerFiles(engine, tmp_path / machine) for machine in ("web", "notifier"))
    sent = _sent(engine, web, name="receipt.png", content=b"\x89PNG\r\n\x1a\n x", at=NOW)
    gone = replace(sent, sha256="0" * 64, name="other.png")
    told = sample_reminder(kind="answer", language="en")
    assert told.answer is not None
    told = replace(told, answer=replace(told.answer, files=(sent, gone)))
    renderer = Renderer(enclose=enclosing_answers(notifier, otherwise=None))
    mail = renderer.message(told, "email")
    assert [("receipt.png", "image/png")] == [(each.name, each.media_type) for each in mail.attachments]
    assert "receipt.png, other.png" in mail.text
    assert () == renderer.message(sample_reminder(kind="first", language="en"), "email").attachments


def test_files_are_forgotten_when_they_were_kept_long_enough(engine: Engine, tmp_path: Path) -> None:
    """From when they were sent last: what is sent again is kept anew; those in a folder of an earlier version, too."""
    files = AnswerFiles(engine, tmp_path)
    long_ago = NOW - datetime.timedelta(days=401)
    old, again = (
        _sent(engine, files, name="a.pdf", content=b"%PDF-" + each, at=long_ago) for each in (b"1", b"2")
    )
    _sent(engine, files, name="b.pdf", content=b"%PDF-2", at=NOW)
    before = NOW - datetime.timedelta(days=400)
    in_folder = hashlib.sha256(b"%PDF-3").hexdigest()
    path = tmp_path / in_folder[:2] / in_folder
    path.parent.mkdir(parents=True)
    path.write_bytes(b"%PDF-3")
    assert b"%PDF-3" == files.content(in_folder)
    os.utime(path, (long_ago.timestamp(),) * 2)
    assert 2 == files.sweep(before=before)
    assert b"%PDF-2" == files.content(again.sha256)
    for each in (old.sha256, in_folder):
        with pytest.raises(NoSuchFileError, match="kept long enough"):
            files.content(each)
    assert 0 == AnswerFiles(engine, tmp_path / "nothing").sweep(before=before)


def test_a_loop_that_breaks_ends_the_process(sqlite_engine: Engine) -> None:
    """Answers must not wait for ever behind pages that still answer: it is said at once, and raised at the end."""
    ended = threading.Event()

    def publish(_: Sequence[SourceEvent]) -> None:
        raise RuntimeError("a bug of ours")

    book = LinkBook(sqlite_engine)
    book.keep(kept(1))
    outbox = Outbox(book, publish=publish, pulses=Pulses([LOOP], stalled_s=60), crashed=ended.set)
    outbox.start()
    assert ended.wait(60)
    with pytest.raises(RuntimeError, match="a bug of ours"):
        outbox.stop()

"""Channels that keep what they carry on this machine: outbox, letters, tasks."""

import email
import email.policy
import io
from pathlib import Path

import pypdf
import pytest
from sqlalchemy import Engine, select

from infra.database.engine import reading
from infra.database.send_tables import tasks
from notifiers.channel import PermanentError, TemporaryError, TracingChannel
from notifiers.paper.folder import LetterFolder
from notifiers.recorder import Recorder
from notifiers.task import TaskList
from schemas.events import Contact
from tests.notifiers.sending import RENDERER, reminder

STEM = "acme/2012-03-04/C1-first-r1"


def test_the_recorder_writes_what_would_be_sent(tmp_path: Path) -> None:
    """A mail as .eml, its text and its HTML beside it; the receipt names the .eml."""
    written = RENDERER.message(reminder(), "email")
    assert f"{STEM}.eml" == Recorder(tmp_path).send(written).provider_id
    assert written.text == (tmp_path / f"{STEM}.txt").read_text()
    assert written.html == (tmp_path / f"{STEM}.html").read_text()
    mail = email.message_from_bytes((tmp_path / f"{STEM}.eml").read_bytes(), policy=email.policy.default)
    assert ("Zoë Ñandú <zoe@customer.example>", written.subject, "r1") == (
        mail["To"],
        mail["Subject"],
        mail["X-Cobranza-Reminder"],
    )


def test_the_recorder_writes_sms(tmp_path: Path) -> None:
    """Number and text."""
    written = RENDERER.message(reminder(channels=("sms",)), "sms")
    receipt = Recorder(tmp_path).send(written)
    assert f"+34600000000\n\n{written.text}\n" == (tmp_path / receipt.provider_id).read_text()


def test_a_letter_is_a_file(tmp_path: Path) -> None:
    """With the address in it."""
    receipt = LetterFolder(tmp_path).send(RENDERER.message(reminder(channels=("letter",)), "letter"))
    assert f"{STEM}.pdf" == receipt.provider_id
    text = pypdf.PdfReader(io.BytesIO((tmp_path / receipt.provider_id).read_bytes())).pages[0].extract_text()
    assert "28001 Madrid" in text


@pytest.mark.parametrize("channel", ["email", "sms", "letter"])
def test_files_are_there_whole_or_not_at_all_and_can_be_found(tmp_path: Path, channel: str) -> None:
    """After a crash the folder says what was taken; doing it again leaves the same one file."""
    made = reminder(channels=("email", "sms", "letter"))
    carrier = LetterFolder(tmp_path) if channel == "letter" else Recorder(tmp_path)
    written = RENDERER.message(made, channel)  # type: ignore[arg-type]  # a parameter is any text
    assert isinstance(carrier, TracingChannel)
    assert carrier.find(written) is None
    receipt = carrier.send(written)
    assert (receipt, receipt) == (carrier.find(written), carrier.send(written))
    assert [] == list(tmp_path.rglob("*.partial"))
    assert len(list(tmp_path.rglob("*.*"))) == (3 if channel == "email" else 1)


@pytest.mark.parametrize("channel", ["email", "sms", "letter"])
def test_without_an_address_nothing_is_carried(tmp_path: Path, channel: str) -> None:
    """R27, R19: address_missing, so that the ledger takes the next channel."""
    made = reminder(channels=("email", "sms", "letter"), contact=Contact(name="Nobody", address=("", " ")))
    carrier = LetterFolder(tmp_path) if channel == "letter" else Recorder(tmp_path)
    with pytest.raises(PermanentError) as caught:
        carrier.send(RENDERER.message(made, channel))  # type: ignore[arg-type]
    assert ("address_missing", []) == (caught.value.error_type, list(tmp_path.iterdir()))


def test_names_cannot_leave_the_folder(tmp_path: Path) -> None:
    """A customer called '../../x' is a file name like any other, and so is a reminder's id."""
    made = reminder("a/../b", account="acme:../../x")
    receipt = Recorder(tmp_path / "outbox").send(RENDERER.message(made, "email"))
    assert receipt.provider_id.startswith("acme/2012-03-04/_x-first-")
    assert ["outbox"] == [each.name for each in tmp_path.iterdir()]


def test_a_disk_that_takes_nothing_is_for_later(tmp_path: Path) -> None:
    """Temporary: the backlog shows."""
    (tmp_path / "outbox").write_text("not a folder")
    with pytest.raises(TemporaryError):
        Recorder(tmp_path / "outbox").send(RENDERER.message(reminder(), "email"))


def test_a_task_is_listed_once(engine: Engine) -> None:
    """S2-09, R28: open, due on the reminder's day; listing it again changes nothing."""
    written = RENDERER.message(reminder(channels=("task",)), "task")
    carrier = TaskList(engine)
    assert isinstance(carrier, TracingChannel)
    assert carrier.find(written) is None
    assert "task/r1" == carrier.send(written).provider_id
    carrier.send(written)
    assert carrier.find(written) is not None
    with reading(engine) as connection:
        (row,) = connection.execute(select(tasks)).mappings().all()
    assert ("r1", 0, "acme:C1", "first", "open", written.on) == (
        row["reminder"],
        row["position"],
        row["account"],
        row["step"],
        row["status"],
        row["due_on"],
    )

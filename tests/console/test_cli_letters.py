"""``cobranza letters``: print runs as an operator sees and ends them, and what came back."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from console.cli.main import main
from infra.database.feedback import FeedbackInbox
from infra.database.print_runs import PrintRuns, RunLetter
from infra.settings import Settings
from notifiers.assembly import open_channel, utc_now
from notifiers.channel import TendedChannel
from notifiers.settings import SendSettings
from tests.notifiers.sending import dispatcher, know, read, reminder

Run = Callable[..., Result]


@pytest.fixture
def run(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give a function that runs ``cobranza``, on a database in which two letters are in a run."""
    monkeypatch.setenv("COBRANZA_SEND_LETTER", "print_run")
    monkeypatch.setenv("COBRANZA_SEND_PRINT_RUN_MERGED", "true")
    url = engine.url.render_as_string(hide_password=False)
    settings = Settings(data_dir=tmp_path, database_url=url)
    channel = open_channel("letter", settings=settings, send=SendSettings(), engine=engine, clock=utc_now)
    assert isinstance(channel, TendedChannel)
    know(engine)
    loop = dispatcher(engine, channel=channel, name="letter")
    loop.record([read(reminder(name, channels=("letter",))) for name in ("r1", "r2")])
    loop.run(partitions=[0])

    def cobranza(*arguments: str) -> Result:
        given = {"COBRANZA_DATABASE_URL": url}
        return CliRunner().invoke(main, ["--data-dir", str(tmp_path), *arguments], env=given)

    return cobranza


def test_a_run_from_open_to_closed(run: Run, tmp_path: Path) -> None:
    """List, show, close, and the files are there; to close again finds nothing to do."""
    (row,) = json.loads(run("letters", "list", "--format", "json").output)
    assert ("acme-000001", "open", 2, 2) == (row["run"], row["state"], row["letters"], row["sheets"])
    shown = json.loads(run("letters", "show", "acme-000001", "--format", "json").output)
    assert [(1, "r1"), (2, "r2")] == [(each["position"], each["reminder"]) for each in shown]
    (closed,) = json.loads(run("letters", "close", "acme", "--format", "json").stdout)
    assert ("closed", str(tmp_path / "print-runs/runs/acme/acme-000001")) == (
        closed["state"],
        closed["place"],
    )
    assert {"manifest.json", "letters.pdf"} < {each.name for each in Path(closed["place"]).iterdir()}
    assert [] == json.loads(run("letters", "close", "--format", "json").output)
    assert [] == json.loads(run("letters", "list", "--state", "open", "--format", "json").output)


def test_a_run_that_cannot_be_written_says_why(run: Run, tmp_path: Path) -> None:
    """The disk takes nothing: the run is kept, and closes when that is mended."""
    (tmp_path / "print-runs" / "runs").write_text("not a folder")
    done = run("letters", "close")
    assert (1, True) == (done.exit_code, "close it again" in done.output)
    (tmp_path / "print-runs" / "runs").unlink()
    assert "closed" in run("letters", "close").output


def test_a_letter_that_was_left_out_is_printed_again(run: Run, tmp_path: Path) -> None:
    """It is told with its file and the way out, and goes with the open run once its file is back."""
    (row,) = json.loads(run("letters", "list", "--format", "json").output)
    (spooled, *_) = (tmp_path / "print-runs" / "spool").rglob("*r1.pdf")
    good = spooled.read_bytes()
    spooled.unlink()
    assert "left out, because damaged: r1" in run("letters", "close").output
    (left,) = json.loads(run("letters", "left-out", "--format", "json").output)
    assert ("r1", row["run"]) == (left["reminder"], left["run"])
    assert str(spooled) in left["left_out"]
    shown = run("deliveries", "show", "r1", "letter").output
    assert f"left out of its run       {left['left_out']}" in shown
    assert "printed again" not in shown
    refused = run("letters", "again", "r1")
    assert (1, True) == (refused.exit_code, "Put the file back from a copy" in refused.output)
    spooled.write_bytes(good)
    assert "acme-000002/000001\n" == run("letters", "again", "r1").output
    shown = run("deliveries", "show", "r1", "letter").output
    assert ("printed again at          acme-000002/000001" in shown, "left out" in shown) == (True, False)
    told = json.loads(run("deliveries", "show", "r1", "letter", "--format", "json").output)
    assert ("acme-000001/000001", "acme-000002/000001") == (told["provider_id"], told["letter"]["place"])
    assert "No letter of reminder 'r1' was left out" in run("letters", "again", "r1").output
    assert (
        "No letter of reminder 'r1' was left out" in run("letters", "give-up", "r1", "--because", "x").output
    )
    assert "closed" in run("letters", "close").output


def test_a_letter_that_was_left_out_is_given_up(run: Run, engine: Engine, tmp_path: Path) -> None:
    """There is no copy: the next channel is told, once."""
    (spooled, *_) = (tmp_path / "print-runs" / "spool").rglob("*r1.pdf")
    spooled.unlink()
    run("letters", "close")
    assert 0 == run("letters", "give-up", "r1", "--because", "no copy").exit_code
    assert 1 == run("letters", "give-up", "r1", "--because", "no copy").exit_code
    assert "  given up " in run("deliveries", "show", "r1", "letter").output
    assert [] == json.loads(run("letters", "left-out", "--format", "json").output)
    (line,) = FeedbackInbox(engine).lines(state="", source="", lines_max=9)
    assert ("r1", "letter", "failed", "no copy") == (
        line.word.reminder,
        line.word.channel,
        line.word.said,
        line.word.detail,
    )


def test_a_letter_is_given_up_or_printed_again_never_both(
    run: Run, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A colleague has it printed again at the same moment: who gives it up is told so, and no other channel writes."""
    (spooled, *_) = (tmp_path / "print-runs" / "spool").rglob("*r1.pdf")
    spooled.unlink()
    run("letters", "close")
    look = PrintRuns.letter

    def looked(runs: PrintRuns, reminder: str) -> RunLetter | None:
        found = look(runs, reminder)
        runs.again(reminder, now=utc_now(), letters_max=9)
        return found

    monkeypatch.setattr(PrintRuns, "letter", looked)
    refused = run("letters", "give-up", "r1", "--because", "no copy")
    assert (1, True) == (refused.exit_code, "No letter of reminder 'r1' was left out" in refused.output)
    assert {} == FeedbackInbox(engine).counts()


def test_the_only_letter_of_a_run_that_waits_can_be_given_up(
    run: Run, engine: Engine, tmp_path: Path
) -> None:
    """Nothing of the run is there and there is no copy: its letters are given up one by one, and it closes. A whole one never is."""
    assert 1 == run("letters", "give-up", "r1", "--because", "no copy").exit_code
    good = {path: path.read_bytes() for path in (tmp_path / "print-runs" / "spool").rglob("*.pdf")}
    for path in good:
        path.unlink()
    assert 1 == run("letters", "give-up", "r1", "--because", "its run is open").exit_code
    assert 1 == run("letters", "close").exit_code
    refused = run("letters", "give-up", "r1", "--because", "no copy")
    assert (1, True) == (refused.exit_code, "COBRANZA_DATA_DIR" in refused.output)
    next(path for path in good if path.name.endswith("r1.pdf")).write_bytes(b"")
    assert 0 == run("letters", "give-up", "r1", "--because", "no copy").exit_code
    for path, content in good.items():
        path.write_bytes(content)
    assert 1 == run("letters", "give-up", "r2", "--because", "it is there").exit_code
    assert {"waiting": 1} == FeedbackInbox(engine).counts()
    (closed,) = json.loads(run("letters", "close", "--format", "json").stdout)
    assert ("closed", 1) == (closed["state"], closed["letters"])
    assert [] == json.loads(run("letters", "left-out", "--format", "json").output)


def test_a_run_that_is_not_there(run: Run) -> None:
    """A sentence, and the way out."""
    done = run("letters", "show", "acme-000009")
    assert (1, "Error: There is no print run 'acme-000009': cobranza letters list\n") == (
        done.exit_code,
        done.output,
    )


def test_a_letter_that_came_back(run: Run, engine: Engine, tmp_path: Path) -> None:
    """One by its reference, many by a file; what is not known is said, and the exit code too."""
    (row,) = json.loads(run("letters", "returned", "r1", "--reason", "moved", "--format", "json").output)
    assert ("noted", "acme", "C1") == (row["outcome"], row["company"], row["customer"])
    (tmp_path / "back.csv").write_text("reference,on\nr1,2026-03-31\nr2,2026-03-31\nr7,\n")
    done = run("letters", "returned", "--file", str(tmp_path / "back.csv"), "--format", "json")
    assert 1 == done.exit_code
    assert ["known", "noted", "not found"] == [each["outcome"] for each in json.loads(done.output)]
    assert {"waiting": 2} == FeedbackInbox(engine).counts()


def test_what_came_back_must_be_named(run: Run) -> None:
    """Neither a letter nor a file is nothing."""
    assert 2 == run("letters", "returned").exit_code


def test_wrong_settings_are_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each variable by its name."""
    monkeypatch.setenv("COBRANZA_SEND_PRINT_RUN_CUT_OFF", "half past four")
    monkeypatch.setenv("COBRANZA_SEND_PRINT_RUN_LETTERS_MAX", "0")
    said = run("letters", "close").output
    assert "COBRANZA_SEND_PRINT_RUN_CUT_OFF" in said
    assert "COBRANZA_SEND_PRINT_RUN_LETTERS_MAX" in said

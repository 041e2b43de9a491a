"""Commands around sending: previews, deliveries, tasks, and settings that are wrong."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from console.cli.main import main
from infra.database.send_ledger import SendLedger
from notifiers.channel import TemporaryError, UncertainError
from notifiers.task import TaskList
from tests.notifiers.sending import ScriptedChannel, dispatcher, job_row, know, read, reminder

Run = Callable[..., Result]


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    """Give a function that runs ``cobranza`` on this database."""

    def cobranza(*arguments: str, **environment: str) -> Result:
        given = {"COBRANZA_DATABASE_URL": database, **environment}
        return CliRunner().invoke(main, ["--data-dir", str(tmp_path), *arguments], env=given)

    return cobranza


def doubtful(engine: Engine) -> None:
    """Leave a mail of which nobody knows whether it went out, its outcome said."""
    running = dispatcher(engine, channel=ScriptedChannel(answers=[UncertainError("cut")]))
    know(engine)
    running.record([read(reminder())])
    running.run(partitions=[0])
    ledger = SendLedger(engine, channel="email", owner="me", reader_age_s_max=60)
    ledger.mark_published(ledger.unpublished(partitions=[0], limit=9))


def test_a_preview_is_written_to_files(tmp_path: Path) -> None:
    """`cobranza render` shows a template as a mail, an SMS and a letter, with made-up data."""
    output = tmp_path / "preview"
    given = ["render", "--kind", "third", "--language", "es", "--output", str(output)]
    done = CliRunner().invoke(main, given)
    assert 0 == done.exit_code
    stem = "C-100-third-sample-third-es"
    assert [f"{stem}{end}" for end in (".eml", ".html", ".pdf", ".sms.txt", ".txt")] == sorted(
        each.name for each in output.rglob("*.*")
    )


def test_a_preview_of_a_template_that_is_not_there_says_which_are(tmp_path: Path) -> None:
    """The error is a sentence with the way out."""
    done = CliRunner().invoke(main, ["render", "--kind", "fourth", "--output", str(tmp_path)])
    assert 1 == done.exit_code
    said = done.output.partition("there are: ")[2]
    assert {"courtesy", "first", "second", "third"} <= set(said.strip().split(", "))


def test_a_person_resolves_an_unknown_delivery(run: Run, engine: Engine) -> None:
    """R19: listed as unknown; a word makes it an outcome that is still to be said; once only."""
    doubtful(engine)
    listed = run("deliveries", "list", "--state", "unknown", "--format", "json")
    assert [("r1", "email", "interrupted")] == [
        (each["reminder"], each["channel"], each["error_type"]) for each in json.loads(listed.output)
    ]
    assert 0 == run("deliveries", "resolve", "r1", "email", "accepted").exit_code
    row = job_row(engine)
    assert ("accepted", False, "", "2012-03-04T12:00:00+00:00") == (
        row["state"],
        row["published"],
        row["error_type"],
        row["occurred_at"],
    )
    again = run("deliveries", "resolve", "r1", "email", "failed")
    assert (1, True) == (again.exit_code, "The delivery is accepted, which stands" in again.output)
    missing = run("deliveries", "resolve", "r2", "email", "failed")
    assert "There is no delivery of reminder r2 over email" in missing.output


def test_tasks_are_listed(run: Run, engine: Engine) -> None:
    """S2-09: what is to be done, for whom, since when."""
    running = dispatcher(engine, channel=TaskList(engine), name="task")
    know(engine)
    running.record([read(reminder(channels=("task",)))])
    running.run(partitions=[0])
    (row,) = json.loads(run("tasks", "--format", "json").output)
    assert ("2012-03-04", "acme:C1", "task", "reminder/r1/0", "r1") == (
        row["due_on"],
        row["account"],
        row["task_type"],
        row["task"],
        row["reminder"],
    )
    assert [] == json.loads(run("tasks", "--account", "acme:C2", "--format", "json").output)


def test_smtp_without_a_host_is_said_before_anything_starts(run: Run) -> None:
    """A provider is switched on by name, and with all that it needs."""
    done = run("notifier", COBRANZA_SEND_EMAIL="smtp")
    assert 2 == done.exit_code
    assert "COBRANZA_SEND_SMTP_HOST is needed when COBRANZA_SEND_EMAIL is smtp" in done.output


def test_a_misspelt_variable_keeps_the_notifier_from_starting(run: Run) -> None:
    """A sandbox that is not read would be mails to customers."""
    done = run("notifier", COBRANZA_SEND_SANBDOX_EMAIL="trial@company.example")
    assert 2 == done.exit_code
    assert "is COBRANZA_SEND_SANDBOX_EMAIL meant?" in done.output


def test_a_delivery_in_doubt_is_shown_with_its_evidence(run: Run, engine: Engine) -> None:
    """R37: to whom, by which provider, since when, what went wrong, and each word about it."""
    doubtful(engine)
    shown = run("deliveries", "show", "r1", "email")
    assert 0 == shown.exit_code, shown.output
    for evidence in (
        "unknown",
        "zoe@customer.example",
        "by worker",
        "scripted",
        "interrupted",
        "no_answer: cut",
    ):
        assert evidence in shown.output
    told = json.loads(run("deliveries", "show", "r1", "email", "--format", "json").output)
    assert ("unknown", ["no_answer"]) == (told["state"], [note["what"] for note in told["notes"]])
    missing = run("deliveries", "show", "r2", "email")
    assert "There is no delivery of reminder r2 over email" in missing.output


def test_a_persons_word_is_kept_with_its_reason(run: Run, engine: Engine) -> None:
    """Who resolved a doubt, and how they knew, stays with the delivery."""
    doubtful(engine)
    given = (
        "deliveries",
        "resolve",
        "r1",
        "email",
        "failed",
        "--because",
        "not in the log",
        "--author",
        "ana",
    )
    assert 0 == run(*given).exit_code
    told = json.loads(run("deliveries", "show", "r1", "email", "--format", "json").output)
    assert [("no_answer", "cut"), ("said", "not in the log")] == [
        (note["what"], note["detail"]) for note in told["notes"]
    ]
    assert "ana" == told["notes"][-1]["author"]


def test_the_provider_is_asked_by_hand(run: Run, engine: Engine, tmp_path: Path) -> None:
    """`cobranza deliveries ask`: the recorder has not got it, and nobody can bring it any more: it goes again."""
    doubtful(engine)
    asked = run("deliveries", "ask", "email")
    assert (0, "r1 email resend\n") == (asked.exit_code, asked.stdout)
    assert "scheduled" == job_row(engine)["state"]
    assert "No delivery over email is unknown" in run("deliveries", "ask", "email").output


def test_a_delivery_that_waits_says_since_when_and_until_when(run: Run, engine: Engine) -> None:
    """The provider was down: what it answered, when it is tried again, since when it waits, when it is given up."""
    running = dispatcher(engine, channel=ScriptedChannel(answers=[TemporaryError("connection refused")]))
    know(engine)
    running.record([read(reminder())])
    running.run(partitions=[0])
    shown = run("deliveries", "show", "r1", "email").output
    for line in (
        "error                     connection refused",
        "tried again at            2012-03-04T12:00:05",
        "waits since               2012-03-04T12:00:00",
        "given up at               2012-03-09T12:00:00",
    ):
        assert line in shown
    (told,) = json.loads(run("deliveries", "list", "--format", "json").stdout)
    assert ("2012-03-04T12:00:00+00:00", "2012-03-09T12:00:00+00:00") == (
        told["waits_since"],
        told["give_up_at"],
    )


def test_a_wrong_setting_is_told_not_traced(run: Run, engine: Engine) -> None:
    """Who resolves a doubt where the environment is wrong reads which variable it is."""
    doubtful(engine)
    done = run("deliveries", "resolve", "r1", "email", "failed", COBRANZA_SEND_EMAIL="pigeon")
    assert (1, True) == (done.exit_code, "COBRANZA_SEND_EMAIL: Input should be" in done.output)

"""The operators' commands on a real broker: kafka, topics, lag, dlq."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from console.cli.main import COMMANDS, main
from infra.kafka import consumers
from infra.kafka.broker import LocalBroker
from infra.kafka.consumers import producer
from infra.processes import lives
from infra.settings import Settings
from schemas.dead_letters import DeadLetter, dead_letter_headers

Run = Callable[..., Result]


@pytest.fixture
def run(broker: str, namespace: str, tmp_path: Path) -> Run:
    """Give a function that runs ``cobranza`` against an installation of its own."""

    def cobranza(*arguments: str) -> Result:
        given = ["--data-dir", str(tmp_path), "--bootstrap-servers", broker, *arguments]
        return CliRunner().invoke(main, given, env={"COBRANZA_TOPIC_PREFIX": namespace})

    return cobranza


@pytest.fixture
def settings(broker: str, namespace: str) -> Settings:
    """Give the settings that `run` uses."""
    return Settings(bootstrap_servers=broker, topic_prefix=namespace)


@pytest.fixture
def letters(run: Run, settings: Settings) -> None:
    """Put three dead letters on the broker: readable, binary, and one of another topic."""
    assert run("topics", "apply").exit_code == 0
    with producer(bootstrap_servers=settings.brokers(), transactional_id=settings.group("writer")) as writer:
        writer.init_transactions()
        _bury(
            writer, settings, reason="not_json", value=b'{"amount":\x1b[31m', offset=4, own=[("ce_id", b"7")]
        )
        _bury(writer, settings, reason="invalid", value=b"\xff\x00", offset=5, own=[])
        _bury(writer, settings, reason="invalid", value=None, offset=6, own=[], topic="ledger.journal")


def _bury(
    writer: object,
    settings: Settings,
    *,
    reason: str,
    value: bytes | None,
    offset: int,
    own: list[tuple[str, bytes]],
    topic: str = "billing.invoice.v1",
) -> None:
    """Write a dead letter in a transaction of its own: markers lie between letters."""
    letter = DeadLetter(
        reason=reason, detail="d", stage="intake", topic=settings.topic(topic), partition=1, offset=offset
    )
    kafka = writer
    kafka.begin_transaction()  # type: ignore[attr-defined]
    kafka.send(  # type: ignore[attr-defined]
        settings.topic(topic + ".dlq"),
        value,
        key=b"acme:1",
        headers=dead_letter_headers(letter, original=own),
    )
    kafka.commit_transaction()  # type: ignore[attr-defined]


def test_every_command_of_the_table_is_there() -> None:
    """The table names existing commands, and --help lists each with a line of help."""
    context = click.Context(main)
    assert list(COMMANDS) == main.list_commands(context)
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        assert command.get_short_help_str()
    assert CliRunner().invoke(main, ["--help"]).exit_code == 0


def test_topics_are_planned_applied_and_checked(run: Run) -> None:
    """check fails before apply and passes after it; plan shows and does nothing."""
    assert run("topics", "check").exit_code == 1
    planned = json.loads(run("topics", "plan", "--format", "json").stdout)
    assert {"create"} == {each["action"] for each in planned}
    assert run("topics", "apply").exit_code == 0
    checked = run("topics", "check")
    assert (0, "The topics are as the registry says.\n") == (checked.exit_code, checked.stdout)
    assert "[]\n" == run("topics", "check", "--format", "json").stdout


def test_a_refusal_is_one_clear_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another partition count: exit code 1, the reason, no traceback."""
    run("topics", "apply")
    monkeypatch.setenv("COBRANZA_PARTITIONS", "9")
    refused = run("topics", "apply")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("Error: Refused, and nothing was changed:\n")
    assert "has 4 partitions, 9 are set" in refused.stderr


def test_lag_has_an_exit_code_for_thresholds(run: Run, settings: Settings) -> None:
    """Unread records are lag; above --max the exit code is 1, at it 0."""
    run("topics", "apply")
    with producer(bootstrap_servers=settings.brokers()) as writer:
        for _ in range(3):
            writer.send(settings.topic("billing.payment.v1"), b"x", partition=1)
    rows = list(csv.DictReader(io.StringIO(run("lag", "--format", "csv").stdout)))
    assert [("3", "1", settings.topic("billing.payment.v1"), settings.group("intake"))] == [
        (row["lag"], row["partition"], row["topic"], row["group"]) for row in rows if row["lag"] != "0"
    ]
    assert run("lag", "--max", "3").exit_code == 0
    above = run("lag", "--max", "2")
    assert above.exit_code == 1
    assert "lag by more than 2" in above.stderr


@pytest.mark.usefixtures("letters")
def test_dead_letters_are_listed(run: Run, settings: Settings) -> None:
    """All topics at once, newest last, with reason and source; filters and limits hold."""
    listed = json.loads(run("dlq", "list", "--format", "json").stdout)
    assert ["not_json", "invalid", "invalid"] == [each["reason"] for each in listed]
    assert [4, 5, 6] == [each["source_offset"] for each in listed]
    assert {settings.topic("billing.invoice.v1"), settings.topic("ledger.journal")} == {
        each["source_topic"] for each in listed
    }
    assert all(each["size_bytes"] > 50 for each in listed)
    of_topic = json.loads(run("dlq", "list", "--topic", "billing.invoice.v1", "--format", "json").stdout)
    assert listed[:2] == of_topic
    of_reason = json.loads(run("dlq", "list", "--reason", "invalid", "--format", "json").stdout)
    assert listed[1:] == of_reason
    newest = run("dlq", "list", "--limit", "1").stdout
    assert "3 dead letters, the newest 1 shown." in newest
    assert "ledger.journal.dlq/0/0" in newest


@pytest.mark.usefixtures("letters")
def test_a_dead_letter_is_shown_as_it_is(run: Run) -> None:
    """Headers and bytes, printable ones as text, others as digits; --raw gives the bytes alone."""
    shown = run("dlq", "show", "billing.invoice.v1.dlq/0/0")
    assert shown.exit_code == 0
    assert "  ce_id: 7\n" in shown.stdout
    assert "  dlq_reason: not_json\n" in shown.stdout
    assert '{"amount":\\x1b[31m' in shown.stdout
    assert b'{"amount":\x1b[31m' == run("dlq", "show", "billing.invoice.v1/0/0", "--raw").stdout_bytes
    assert "ff 00" in run("dlq", "show", "billing.invoice.v1/0/2").stdout
    assert "value (none)" in run("dlq", "show", "ledger.journal/0/0").stdout


@pytest.mark.usefixtures("letters")
@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("billing.invoice.v1/0/1", "There is no dead letter"),  # a transaction's marker
        ("billing.invoice.v1/0/999", "There is no dead letter"),
        ("billing.invoice.v1/7/0", "There is no dead letter"),
        ("nonsense/0/0", "has no dead letters; there are"),
        ("nonsense", "is not TOPIC/PARTITION/OFFSET"),
    ],
)
def test_a_letter_that_is_not_there_is_said(run: Run, place: str, said: str) -> None:
    """Every way to miss ends in one sentence and exit code 1."""
    missed = run("dlq", "show", place)
    assert missed.exit_code == 1
    assert said in missed.stderr


def test_without_topics_the_way_out_is_said(run: Run) -> None:
    """Before topics apply the commands name it."""
    for command in (["lag"], ["dlq", "list"]):
        missed = run(*command)
        assert missed.exit_code == 1
        assert "cobranza topics apply" in missed.stderr


def test_a_broker_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No traceback for a wrong address; without one the error names the command that starts a broker."""
    monkeypatch.setattr(consumers, "_BOOTSTRAP_MS_MAX", 500)
    here = ["--data-dir", str(tmp_path)]
    wrong = CliRunner().invoke(main, [*here, "--bootstrap-servers", "127.0.0.1:1", "lag"])
    assert wrong.exit_code == 1
    assert "cobranza kafka status" in wrong.stderr
    none = CliRunner().invoke(main, [*here, "topics", "plan"])
    assert none.exit_code == 1
    assert "cobranza kafka start" in none.stderr


def test_wrong_settings_are_said_by_variable() -> None:
    """A wrong COBRANZA_ variable is named."""
    wrong = CliRunner().invoke(main, ["lag"], env={"COBRANZA_PARTITIONS": "none"})
    assert wrong.exit_code == 2
    assert "COBRANZA_PARTITIONS" in wrong.stderr


def test_the_local_broker_starts_and_stops(tmp_path: Path) -> None:
    """start, status, start again, stop, stop again: what a person would type."""

    def cobranza(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["--data-dir", str(tmp_path), "kafka", *arguments])

    try:
        assert cobranza("status").exit_code == 1
        started = cobranza("start", "--heap", "300m")
        assert started.exit_code == 0
        status = cobranza("status", "--format", "json")
        [found] = json.loads(status.stdout)
        assert (0, "running") == (status.exit_code, found["state"])
        assert found["bootstrap_servers"] in started.stdout
        assert started.stdout == cobranza("start").stdout
        assert "Kafka is stopped.\n" == cobranza("stop").stdout
        assert "Kafka was not running.\n" == cobranza("stop").stdout
        assert not lives(found["pid"])
    finally:
        LocalBroker(tmp_path / "kafka").stop()

"""``cobranza dlq replay`` on a real broker: what was refused is sent again as it was, once; accounts are released."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from console.cli.main import main
from console.logs import read_log
from infra.kafka.consumers import producer
from infra.settings import Settings
from schemas.codec import decode_source
from schemas.commands import ReleaseQuarantine
from schemas.dead_letters import DeadLetter, dead_letter_headers
from schemas.journal import BROADCAST_KEY
from tests.notifiers.sending import reminder

Run = Callable[..., Result]
INVOICES = "billing.invoice.v1"
JOURNAL = "ledger.journal"
REMINDERS = "collections.reminder.v1"


@pytest.fixture
def settings(broker: str, namespace: str) -> Settings:
    """Give the settings of an installation of its own, with topics."""
    return Settings(bootstrap_servers=broker, topic_prefix=namespace)


@pytest.fixture
def run(settings: Settings, broker: str, namespace: str, tmp_path: Path) -> Run:
    """Give a function that runs ``cobranza`` there."""

    def cobranza(*arguments: str) -> Result:
        given = ["--data-dir", str(tmp_path), "--bootstrap-servers", broker, *arguments]
        return CliRunner().invoke(main, given, env={"COBRANZA_TOPIC_PREFIX": namespace})

    assert cobranza("topics", "apply").exit_code == 0
    return cobranza


def bury(
    settings: Settings,
    topic: str,
    *,
    key: bytes,
    value: bytes,
    offset: int = 0,
    account: str = "",
    reason: str = "invalid",
    stage: str = "intake",
    own: tuple[tuple[str, bytes], ...] = (),
) -> None:
    """Put a dead letter of partition 1 of a topic on the broker."""
    letter = DeadLetter(
        reason=reason,
        detail="d",
        stage=stage,
        topic=settings.topic(topic),
        partition=1,
        offset=offset,
        account=account,
    )
    with producer(bootstrap_servers=settings.brokers()) as writer:
        headers = dead_letter_headers(letter, original=own)
        writer.send(settings.topic(topic + ".dlq"), value, key=key, headers=headers).get(timeout=30)


def records(settings: Settings, topic: str) -> list[Any]:
    """Give all records of a topic."""
    return list(read_log(settings, topic=topic))


def releases(settings: Settings) -> list[ReleaseQuarantine]:
    """Give the releases that were asked for."""
    found = []
    for record in records(settings, "collections.command.v1"):
        event_type = dict(record.headers)["ce_type"].decode()
        command = decode_source(event_type, record.value)
        assert isinstance(command, ReleaseQuarantine)
        assert record.key == f"{command.company}:{command.customer}".encode()
        found.append(command)
    return found


def test_what_intake_refused_is_sent_again_as_it_was_and_once(run: Run, settings: Settings) -> None:
    """Bytes, key, headers and partition are the record's own; a second replay sends nothing, and says so."""
    own = (("ce_id", b"7"), ("traceparent", b"00-1"))
    bury(settings, INVOICES, key=b"acme:1", value=b"{1}", own=own)
    bury(settings, INVOICES, key=b"acme:2", value=b"{2}", own=own, reason="not_json")
    dry = run("dlq", "replay", "--dry-run")
    assert "2 dead letters would be sent again." in dry.stdout
    assert [] == records(settings, INVOICES)
    first = run("dlq", "replay", "--reason", "not_json")
    assert (0, True) == (first.exit_code, "1 dead letters sent again." in first.stdout), first.output
    second = run("dlq", "replay")
    assert "1 dead letters sent again." in second.stdout
    assert "1 were sent again before" in second.stdout
    assert "0 dead letters sent again." in run("dlq", "replay", "--topic", INVOICES).stdout
    sent = records(settings, INVOICES)
    assert [(b"acme:2", b"{2}", 1), (b"acme:1", b"{1}", 1)] == [
        (record.key, record.value, record.partition) for record in sent
    ]
    assert [*own, ("cobranza_replay_of", b"billing.invoice.v1.dlq/0/1")] == list(sent[0].headers)
    listed = json.loads(run("dlq", "list", "--format", "json").stdout)
    assert 2 == len(listed)
    assert all(each["replayed_at"] for each in listed)


def test_one_letter_can_be_chosen_and_sent_once_more(run: Run, settings: Settings) -> None:
    """--id sends this one; sent before, it is left out unless --again says so."""
    for number in range(3):
        bury(settings, INVOICES, key=b"acme:1", value=b"%d" % number)
    for expected, more in ((1, ()), (0, ()), (1, ("--again",))):
        done = run("dlq", "replay", "--id", f"{INVOICES}.dlq/0/1", *more)
        assert f"{expected} dead letters sent again." in done.stdout, done.output
    assert [b"1", b"1"] == [record.value for record in records(settings, INVOICES)]


def test_an_account_is_released_when_all_its_records_are_in_the_journal(run: Run, settings: Settings) -> None:
    """One of two sent: it stays; both: its release is asked for, up to its last failure, in the same transaction."""
    bury(settings, JOURNAL, key=b"acme:1", value=b"[1]", offset=11, account="acme:1", reason="fold_failed")
    bury(settings, JOURNAL, key=b"acme:1", value=b"[2]", offset=14, account="acme:1", reason="fold_failed")
    first = run("dlq", "replay", "--id", "ledger.journal.dlq/0/0")
    assert "Stays in quarantine, other letters of it are not sent again: acme:1" in first.stdout, first.output
    assert [] == releases(settings)
    second = run("dlq", "replay")
    assert "Release from quarantine asked for: acme:1" in second.stdout
    assert [(b"acme:1", b"[1]", 1, []), (b"acme:1", b"[2]", 1, [])] == [
        (record.key, record.value, record.partition, list(record.headers))
        for record in records(settings, JOURNAL)
    ]
    assert [14] == [each.up_to_offset for each in releases(settings)]
    assert "0 dead letters sent again." in run("dlq", "replay").stdout
    assert 1 == len(releases(settings))


def test_a_tick_is_not_sent_again_nor_a_reminder_that_nobody_can_read(run: Run, settings: Settings) -> None:
    """The next tick decides anyway; a record that is no reminder would only be put aside again."""
    bury(settings, JOURNAL, key=BROADCAST_KEY, value=b"[tick]", offset=20, account="acme:3")
    bury(settings, REMINDERS, key=b"acme:3", value=b"{}")
    done = run("dlq", "replay")
    assert "1 ticks need not be sent" in done.stdout, done.output
    assert "1 are reminders that this version cannot read either, and stay" in done.stdout
    assert "Release from quarantine asked for: acme:3" in done.stdout
    assert [] == records(settings, JOURNAL) + records(settings, REMINDERS)
    assert [20] == [each.up_to_offset for each in releases(settings)]


def test_a_reminder_that_can_be_read_by_now_goes_again_and_words_of_providers_do_not(
    run: Run, settings: Settings
) -> None:
    """An older notifier put it aside; a word on a delivery would be refused by intake, and waits in SQL."""
    value = msgspec.json.encode(reminder())
    bury(settings, REMINDERS, key=b"acme:C1", value=value, stage="notify-email")
    bury(settings, "notify.outcome.v1", key=b"word", value=b"{}", stage="feedback")
    done = run("dlq", "replay")
    assert "1 dead letters sent again." in done.stdout, done.output
    assert "1 are words of providers and stay: cobranza feedback retry" in done.stdout
    assert [(b"acme:C1", value)] == [(each.key, each.value) for each in records(settings, REMINDERS)]
    assert [] == records(settings, "notify.outcome.v1")
    assert "0 dead letters sent again." in run("dlq", "replay").stdout

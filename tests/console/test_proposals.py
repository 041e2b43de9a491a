"""R19 at the command line: what waits is listed as it is now, and what a person says is about that."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from console import requests
from console.cli.main import main
from console.publishing import Outgoing
from schemas.codec import decode_source
from schemas.commands import ApproveReminder, CompleteTask, DropReminder, EditReminder, SendNow
from schemas.envelope import from_headers
from schemas.journal import SourceEvent
from tests.infra.database.played import play_into

_STORY = """# a manual customer, who pays a part of what is proposed
customer email ana@c1.test name "Panes del Sur"
plan default
    first   0 email pay-by 0
    second +15 email
2026-01-02  mode manual
2026-01-02  invoice A 100.00 due 2026-02-02
2026-01-02  invoice B 40.00 due 2026-02-02
2026-02-02  tick
    expect proposal first A B by email
2026-02-03  payment P 100.00 for A
2026-02-03  tick
    expect proposal first B by email revision 2
"""
Run = Callable[..., Result]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[SourceEvent]:
    """Note what is published, instead of a broker."""
    events: list[SourceEvent] = []

    def note(records: list[Outgoing], **_: Any) -> int:
        for each in records:
            envelope, data = from_headers(list(each.headers), each.value)
            events.append(decode_source(envelope.type, data))
        return len(records)

    monkeypatch.setattr(requests, "send_all", note)
    return events


@pytest.fixture
def run(engine: Engine, database: str, tmp_path: Path) -> Run:
    """Give a function that runs ``cobranza`` on the read model that the story leaves."""
    play_into(engine, _STORY, folder=tmp_path)

    def cobranza(*arguments: str) -> Result:
        given = ["--data-dir", str(tmp_path), *arguments]
        return CliRunner().invoke(main, given, env={"COBRANZA_DATABASE_URL": database})

    return cobranza


def _listed(run: Run) -> dict[str, Any]:
    (row,) = json.loads(run("proposals", "list", "--format", "json").output)
    return dict(row)


def test_what_waits_is_listed_as_it_is_now(run: Run) -> None:
    """S2-14: the newest revision, in a controller's words."""
    row = _listed(run)
    expected = ("acme:C1", "Panes del Sur", "first", "40.00 USD", "email", "B", "customer", 2)
    names = ("account", "customer", "step", "total", "by", "items", "because", "revision")
    assert expected == tuple(row[name] for name in names)
    assert [] == json.loads(run("proposals", "list", "--company", "beta", "--format", "json").output)


def test_approving_names_the_revision_that_was_seen(run: Run, sent: list[SourceEvent]) -> None:
    """What has changed since is refused by the ledger, not sent."""
    reminder = _listed(run)["reminder"]
    assert "Approved." in run("proposals", "approve", reminder, "--author", "ana").output
    (event,) = sent
    assert isinstance(event, ApproveReminder)
    assert ("acme", "C1", reminder, 2, "ana") == (
        event.company, event.customer, event.reminder, event.revision, event.author,
    )  # fmt: skip


def test_changing_dropping_and_sending_now(run: Run, sent: list[SourceEvent]) -> None:
    """Each says what was given, and nothing else; each is a command of its own."""
    reminder = _listed(run)["reminder"]
    run("proposals", "edit", reminder, "--channel", "letter", "--text", "As agreed", "--without", "B",
        "--template", "second", "--no-attach")  # fmt: skip
    run("proposals", "drop", reminder, "--because", "spoke to them")
    run("proposals", "send-now", "acme:C1", "--because", "asked for")
    run("task", "skip", "acme:C1", "step/default/1/1")
    edited, dropped, now, task = sent
    assert isinstance(edited, EditReminder)
    assert (("letter",), "As agreed", ("B",), None, "second", False) == (
        edited.channels, edited.text, edited.drop_items, edited.next_on, edited.template, edited.attach_invoices,
    )  # fmt: skip
    assert isinstance(dropped, DropReminder)
    assert "spoke to them" == dropped.reason
    assert isinstance(now, SendNow)
    assert "asked for" == now.because
    assert isinstance(task, CompleteTask)
    assert ("step/default/1/1", "skipped") == (task.task, task.outcome)
    assert 4 == len({edited.command, dropped.command, now.command, task.command})


def test_what_is_not_there_is_said(run: Run, sent: list[SourceEvent]) -> None:
    """Nothing is published by a slip of the pen."""
    assert "No reminder xyz waits for anybody" in run("proposals", "approve", "xyz").output
    assert "There is no reminder xyz" in run("proposals", "call-back", "xyz").output
    assert "'acme' is no account" in run("proposals", "send-now", "acme").output
    assert [] == sent

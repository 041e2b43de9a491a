"""S0-18, S0-20, S0-24, S2-23: many statements at once; whom a selection means, and what follows, twice the same."""

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, insert

from console import processing
from console.cli.main import main
from console.publishing import Outgoing
from infra.database.engine import writing
from infra.database.tables import exceptions
from schemas.codec import decode_source
from schemas.commands import ApproveReminder, DropReminder, EditReminder, SendNow, SetNextDate
from schemas.envelope import from_headers
from schemas.journal import SourceEvent
from tests.infra.database.played import play_into

_STORY = """# three manual customers, two proposed by mail and one by letter; an automatic one who was just written to
plan default
    first   0 email pay-by 0
    second +15 letter pay-by 0
customer @C1 email ana@c1.test name "Panes del Sur"
customer @C2 address "Calle 2, Santiago" name "Molino Azul"
customer @C3 email eva@c3.test name "Horno Norte"
customer @C4 email leo@c4.test name "Trigo y Sal"
2026-01-02  mode manual @C1
2026-01-02  mode manual @C2
2026-01-02  mode manual @C3
2026-01-02  invoice A 100.00 due 2026-01-12 @C1
2026-01-02  invoice B 40.00 due 2026-01-30 @C2
2026-01-02  invoice C 10.00 due 2026-03-30 @C3
2026-01-02  invoice D 70.00 due 2026-01-31 @C4
2026-02-02  tick
    expect proposal first A by email @C1
    expect proposal first B by letter @C2
    expect reminder first D by email @C4
"""
Run = Callable[..., Result]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[SourceEvent]:
    """Note what is published, instead of a broker."""
    events: list[SourceEvent] = []

    def note(records: Any, **_: Any) -> int:
        found: list[Outgoing] = list(records)
        for each in found:
            envelope, data = from_headers(list(each.headers), each.value)
            events.append(decode_source(envelope.type, data))
        return len(found)

    monkeypatch.setattr(processing, "send_all", note)
    return events


@pytest.fixture
def run(engine: Engine, database: str, tmp_path: Path) -> Run:
    """Give a function that runs ``cobranza batch`` on the read model that the story leaves."""
    play_into(engine, _STORY, folder=tmp_path)

    def cobranza(*arguments: str, asking: str = "") -> Result:
        given = ["--data-dir", str(tmp_path), "batch", *arguments]
        return CliRunner().invoke(main, given, env={"COBRANZA_DATABASE_URL": database}, input=asking)

    return cobranza


def _asked(run: Run, *arguments: str) -> Result:
    result = run(*arguments, "--yes", "--wait", "0")
    assert 0 == result.exit_code, result.output
    return result


def _of(events: list[SourceEvent]) -> list[str]:
    return [getattr(each, "customer", "") for each in events]


def test_the_waiting_list(run: Run) -> None:
    """S0-19: who never got a reminder comes first, the latest before the later; who owes nothing late is not there."""
    rows = json.loads(run("list", "--format", "json").output)
    assert ["acme:C1", "acme:C2", "acme:C4"] == [row["account"] for row in rows]
    first, _, last = rows
    expected = ("Panes del Sur", "first", "email", "USD 100.00", 21)
    assert expected == tuple(first[name] for name in ("customer", "step", "by", "at_risk", "days"))
    assert ("", "first 2026-02-02") == (last["step"], last["last_reminder"])


@pytest.mark.parametrize(
    ("choosing", "meant"),
    [
        (("--all",), ["C1", "C2"]),
        (("--channel", "letter"), ["C2"]),
        (("--level", "first", "--level", "second"), ["C1", "C2"]),
        (("--level", "second"), []),
        (("--days-min", "10"), ["C1"]),
        (("--days-max", "10", "--proposed"), ["C2"]),
        (("--account", "acme:C2"), ["C2"]),
        (("--company", "beta"), []),
        (("--all", "--limit", "1"), ["C1"]),
        (("--responsible", "ana"), []),
        (("--amount-min", "USD 50.00"), ["C1"]),
        (("--amount-min", "EUR 1.00"), []),
        (("--trust", "normal", "--days-min", "10"), ["C1"]),
        (("--trust", "good"), []),
    ],
)
def test_a_selection_means_whom_it_says(
    run: Run, sent: list[SourceEvent], choosing: tuple[str, ...], meant: list[str]
) -> None:
    """Company, level, channel, days, responsible, or by name."""
    _asked(run, "approve", *choosing)
    assert meant == _of(sent)
    assert all(isinstance(each, ApproveReminder) for each in sent)


def test_everybody_must_be_said(run: Run, sent: list[SourceEvent]) -> None:
    """A forgotten option does not write to all customers."""
    result = run("approve", "--yes")
    assert (2, True) == (result.exit_code, "say whom" in result.output)
    assert [] == sent


def test_accounts_of_a_file(run: Run, sent: list[SourceEvent], tmp_path: Path) -> None:
    """One a line, with remarks."""
    (tmp_path / "list.txt").write_text("# called today\nacme:C2  # asked for it\n\n")
    _asked(run, "drop", "--accounts-file", str(tmp_path / "list.txt"), "--because", "spoke to them")
    (dropped,) = sent
    assert isinstance(dropped, DropReminder)
    assert ("C2", "spoke to them") == (dropped.customer, dropped.reason)


def test_a_dry_run_asks_for_nothing(run: Run, sent: list[SourceEvent]) -> None:
    """It says what would be asked, and of whom nothing would be."""
    result = run("approve", "--all", "--dry-run")
    assert 0 == result.exit_code
    assert "3 statements: 1 nothing waits, 2 would be asked." in result.output
    assert [] == sent


def test_what_it_will_cost_is_said_before(run: Run, sent: list[SourceEvent], tmp_path: Path) -> None:
    """By the installation's prices, of those that are let go."""
    price = '[[price]]\nchannel = "letter"\ncurrency = "EUR"\ndelivery = "1.10"\n'
    (tmp_path / "prices.toml").write_text(price)
    assert "2 would be asked, about EUR 1.10." in run("approve", "--all", "--dry-run").output
    both = run("edit", "--all", "--over", "letter", "--approve", "--dry-run").output
    assert "2 would be asked, about EUR 2.20." in both
    assert "2 would be asked." in run("drop", "--all", "--dry-run").output
    assert [] == sent


def test_a_person_is_asked_first(run: Run, sent: list[SourceEvent]) -> None:
    """With the count; no is no."""
    result = run("approve", "--all", asking="n\n")
    assert 1 == result.exit_code
    assert "approve: 2 of 3 statements. Go on?" in result.output
    assert [] == sent


def test_asked_twice_is_asked_once(run: Run, sent: list[SourceEvent]) -> None:
    """A batch that broke off, or is run again: the very same commands, which the ledger takes once."""
    _asked(run, "edit", "--all", "--text", "As agreed", "--approve", "--author", "ana")
    first = list(sent)
    _asked(run, "edit", "--all", "--text", "As agreed", "--approve", "--author", "ana")
    assert first == sent[len(first) :]
    assert 4 == len({each.command for each in first if isinstance(each, EditReminder | ApproveReminder)})
    _asked(run, "edit", "--all", "--text", "As agreed again", "--approve", "--author", "ana")
    assert not {getattr(each, "command", "") for each in first} & {
        getattr(each, "command", "") for each in sent[2 * len(first) :]
    }


def test_changed_and_approved_on_what_was_seen(run: Run, sent: list[SourceEvent]) -> None:
    """S2-17: other texts, channels, with the invoices, not before a day; and approved as that revision."""
    changes = ("--template", "second", "--over", "letter", "--attach", "--not-before", "2026-02-09")
    _asked(run, "edit", "--account", "acme:C1", *changes, "--approve")
    edited, approved = sent
    assert isinstance(edited, EditReminder)
    assert ("second", ("letter",), True, "2026-02-09", None) == (
        edited.template, edited.channels, edited.attach_invoices, str(edited.next_on), edited.text,
    )  # fmt: skip
    assert isinstance(approved, ApproveReminder)
    assert (edited.reminder, 1) == (approved.reminder, approved.revision)
    assert "say what to change" in run("edit", "--all").output


def test_sent_now_but_for_whom_it_is_too_soon(run: Run, sent: list[SourceEvent]) -> None:
    """S0-16: who was written to today is left out, unless there is a reason."""
    result = _asked(run, "send-now", "--all")
    assert ["C1", "C2"] == _of(sent)
    assert all(isinstance(each, SendNow) for each in sent)
    assert "before 2026-02-05 it needs a reason" in result.output
    assert "3 statements: 2 asked, 1 too soon." in result.output
    _asked(run, "send-now", "--account", "acme:C4", "--because", "they asked for it")
    assert ("C4", "they asked for it") == (_of(sent)[-1], getattr(sent[-1], "because", ""))


def test_only_the_next_date_is_set(run: Run, sent: list[SourceEvent]) -> None:
    """S0-20: and nothing else."""
    _asked(run, "next-date", "--days-min", "2", "--on", "2026-02-20")
    assert ["C1", "C2", "C4"] == _of(sent)
    assert {"2026-02-20"} == {str(each.next_on) for each in sent if isinstance(each, SetNextDate)}


def test_what_the_ledger_refuses_is_told(engine: Engine, run: Run, sent: list[SourceEvent]) -> None:
    """The account, the reason, and an exit code that a script sees."""
    _asked(run, "approve", "--account", "acme:C1")
    (event,) = sent
    assert isinstance(event, ApproveReminder)
    row = {
        "id": "x",
        "account": "acme:C1",
        "raised_by": "ledger",
        "reason": "request_refused",
        "key": f"command/{event.command}",
        "detail": "reminder is at revision 2 by now, not 1",
        "first_json": "null",
        "second_json": "null",
        "recorded_at": datetime.datetime(2026, 2, 2, tzinfo=datetime.UTC),
    }
    with writing(engine) as connection:
        connection.execute(insert(exceptions), [row])
    result = run("approve", "--account", "acme:C1", "--yes", "--wait", "0")
    assert 1 == result.exit_code
    assert "reminder is at revision 2 by now, not 1" in result.output
    assert "1 statements: 1 refused." in result.output

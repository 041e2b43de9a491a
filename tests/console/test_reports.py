"""The report commands as a person and a program use them: table, json, csv, and what is said of errors."""

import csv
import datetime
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from console.cli.formats import Cell, print_rows
from console.cli.main import main
from tests.infra.database.filled import Filled
from tests.infra.database.played import play_into

Run = Callable[..., Result]
_TICK = datetime.datetime(2026, 2, 1, 12, tzinfo=datetime.UTC)


@pytest.fixture
def run(database: str, engine: Engine) -> Run:
    """Give a function that runs ``cobranza`` on a read model with two customers."""
    told = Filled(engine)
    told.customer("acme:C1", "Árbol, S.A.")
    told.moves(
        "acme:C1", [("01-01", "issued", 123_456, "I1", "01-31"), ("01-20", "issued", 1000, "I2", "02-28")]
    )
    told.moves("acme:C1", [("02-05", "received", 2345, "credit:payment/P1")])
    told.moves("beta:C2", [("01-01", "issued", 700, "I3", "12-31")], currency="CLP")
    told.reminder("acme:C1", name="r1", tick=_TICK, step="first", items="I1", channels=("email",))
    told.ended("acme:C1", reminder="r1", tick=_TICK, status="sent")
    told.withheld("beta:C2", name="w1", tick=_TICK, step="first", reasons={"I3": "gap"})

    def cobranza(*arguments: str) -> Result:
        return CliRunner().invoke(main, arguments, env={"COBRANZA_DATABASE_URL": database})

    return cobranza


def rows(result: Result) -> list[dict[str, Any]]:
    """Read a command's JSON."""
    assert 0 == result.exit_code, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def test_aged_for_programs(run: Run) -> None:
    """S0-02: decimal text with its currency, counts as numbers, customers and totals told apart."""
    found = rows(run("aged", "--as-of", "2026-02-10", "--format", "json"))
    assert ["customer", "customer", "total", "total"] == [row["row"] for row in found]
    assert {
        "row": "customer",
        "account": "acme:C1",
        "customer": "Árbol, S.A.",
        "currency": "USD",
        "open": 2,
        "receivables": "1244.56",
        "not_due_count": 1,
        "not_due_amount": "10.00",
        "1_30_count": 1,
        "1_30_amount": "1234.56",
        "31_60_count": 0,
        "31_60_amount": "0.00",
        "61_90_count": 0,
        "61_90_amount": "0.00",
        "90_plus_count": 0,
        "90_plus_amount": "0.00",
        "unapplied_credit": "23.45",
    } == found[0]
    assert [("CLP", "700"), ("USD", "1244.56")] == [
        (row["currency"], row["receivables"]) for row in found[2:]
    ]


def test_aged_for_people(run: Run) -> None:
    """The table has count and amount in one cell, and totals below."""
    result = run("aged", "--as-of", "2026-02-10", "--company", "acme")
    assert 0 == result.exit_code, result.output
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("total")]
    assert "1 / 1,234.56" in line
    assert "beta" not in result.stdout


def test_aged_totals_as_csv(run: Run) -> None:
    """The same figures for a spreadsheet."""
    result = run("aged", "--as-of", "2026-02-10", "--totals-only", "--format", "csv")
    found = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [("total", "CLP", "1", "700"), ("total", "USD", "1", "10.00")] == [
        (row["row"], row["currency"], row["not_due_count"], row["not_due_amount"]) for row in found
    ]


@pytest.mark.parametrize("edges", ["x", "30,10", "0", ""])
def test_wrong_edges_are_said(run: Run, edges: str) -> None:
    """A usage error, no traceback."""
    result = run("aged", "--as-of", "2026-02-10", "--edges", edges)
    assert 2 == result.exit_code
    assert "--edges" in result.stderr


def test_dso(run: Run) -> None:
    """S0-27: four decimals per company and currency; n/a without sales."""
    found = rows(run("dso", "--as-of", "2026-02-10", "--days", "45", "--format", "json"))
    assert [("acme", "1244.56", "45.0000"), ("beta", "700", "45.0000")] == [
        (row["company"], row["credit_sales"], row["dso"]) for row in found
    ]
    assert [None, None] == [
        row["dso"] for row in rows(run("dso", "--as-of", "2026-06-30", "--format", "json"))
    ]
    assert "n/a" in run("dso", "--as-of", "2026-06-30").stdout


def test_figures(run: Run) -> None:
    """SEMANTICS 6: shares and days, with the amounts that they are made of; n/a where there is nothing."""
    found = rows(
        run("figures", "--as-of", "2026-02-10", "--days", "45", "--company", "acme", "--format", "json")
    )
    assert [("45.0000", "0.3616", "44.6384", "0.0000", None, "1244.56", "10.00")] == [
        tuple(
            row[name]
            for name in (
                "dso",
                "best_dso",
                "days_delinquent",
                "effectiveness",
                "paid_late",
                "receivables",
                "not_due",
            )
        )
        for row in found
    ]
    assert "n/a" in run("figures", "--as-of", "2026-06-30").stdout


def test_statement_for_programs(run: Run) -> None:
    """One object: lines with the running balance, open items, buckets and credit per currency."""
    result = run("statement", "acme:C1", "--as-of", "2026-02-10", "--from", "2026-01-15", "--format", "json")
    assert 0 == result.exit_code, result.output
    found = json.loads(result.stdout)
    (of,) = found["currencies"]
    assert ("1234.56", "1221.11") == (of["opening"], of["closing"])
    assert [("issued", "10.00", "1244.56"), ("received", "-23.45", "1221.11")] == [
        (line["kind"], line["amount"], line["balance"]) for line in of["lines"]
    ]
    assert [("I1", "1234.56", 10), ("I2", "10.00", -18)] == [
        (item["item"], item["open"], item["days_overdue"]) for item in of["open_items"]
    ]
    assert {"count": 1, "amount": "1234.56"} == of["aged"]["1-30"]
    assert "23.45" == of["aged"]["unapplied_credit"]


def test_statement_for_people(run: Run) -> None:
    """Name, lines, balance, open items and buckets; csv has the lines only."""
    result = run("statement", "acme:C1", "--as-of", "2026-02-10")
    assert 0 == result.exit_code, result.output
    for expected in ("Árbol, S.A.", "Balance: 1,221.11", "Open items", "1 / 1,234.56"):
        assert expected in result.stdout
    lines = run("statement", "acme:C1", "--as-of", "2026-02-10", "--format", "csv").stdout.splitlines()
    assert "USD,2026-01-01,issued,I1,2026-01-31,1234.56,1234.56" == lines[1]
    assert 4 == len(lines)


def test_late_items_are_red(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal a styled row is coloured, and only that one."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    target = io.StringIO()
    late: list[dict[str, Cell]] = [{"item": "late", "days_overdue": 3}, {"item": "fine", "days_overdue": 0}]
    from console.cli.statement import _late_is_red

    print_rows(
        late, columns=("item", "days_overdue"), output_format="table", file=target, row_style=_late_is_red
    )
    red = [line for line in target.getvalue().splitlines() if "\x1b[31m" in line]
    assert 1 == len(red)
    assert "late" in red[0]


def test_statement_of_nobody(run: Run) -> None:
    """An unknown account is said; so is a first day after the last."""
    unknown = run("statement", "acme:none", "--as-of", "2026-02-10")
    assert (1, True) == (unknown.exit_code, "nothing is known of account 'acme:none'" in unknown.stderr)
    backwards = run("statement", "acme:C1", "--as-of", "2026-02-10", "--from", "2026-02-11")
    assert (2, True) == (backwards.exit_code, "--from" in backwards.stderr)


def test_reminders_listed(run: Run) -> None:
    """S0-30: what was sent, and what was withheld and why."""
    found = rows(run("reminders", "--format", "json"))
    assert [("sent", "email", "", "USD 10.00", "I1"), ("withheld", "", "gap", "", "I3")] == [
        (row["status"], row["channel"], row["reason"], row["amount"], row["items"]) for row in found
    ]
    assert ["2026-02-01"] == [
        row["day"] for row in rows(run("reminders", "--status", "sent", "--format", "json"))
    ]
    assert [] == rows(run("reminders", "--from", "2026-02-02", "--format", "json"))


def test_reminders_counted(run: Run) -> None:
    """By reason, level, channel and day."""
    found = rows(run("reminders", "--by", "reason", "--status", "withheld", "--format", "json"))
    assert [{"reason": "gap", "status": "withheld", "lines": 1, "reminders": 0}] == found
    for by in ("day", "level", "channel"):
        assert 2 == len(rows(run("reminders", "--by", by, "--format", "json")))


def test_a_cut_list_is_said(run: Run) -> None:
    """A limit that was reached is no silence."""
    result = run("reminders", "--limit", "1")
    assert "Only the newest 1 lines are shown" in result.stderr


def test_exceptions_of_an_empty_list(run: Run) -> None:
    """No exceptions are an empty report."""
    assert [] == rows(run("exceptions", "--format", "json"))


def test_the_age_of_the_read_model_is_said(run: Run) -> None:
    """A report on the terminal says how far its source is; a program's output stays clean."""
    assert "The read model has seen no tick yet." in run("dso", "--as-of", "2026-02-10").stderr
    assert "" == run("dso", "--as-of", "2026-02-10", "--format", "json").stderr


def test_without_a_database_the_way_out_is_said(tmp_path: Path) -> None:
    """Reports make no empty database; db upgrade does, once; check tells."""

    def cobranza(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["--data-dir", str(tmp_path / "new"), *arguments])

    for missing in (cobranza("aged", "--as-of", "2026-02-10"), cobranza("db", "check")):
        assert 1 == missing.exit_code
        assert "run `cobranza db upgrade`" in missing.stderr
    assert not (tmp_path / "new").exists()
    assert "from migration none to" in cobranza("db", "upgrade").stdout
    assert "already" in cobranza("db", "upgrade").stdout
    assert 0 == cobranza("db", "check").exit_code
    assert 0 == cobranza("aged", "--as-of", "2026-02-10").exit_code


def test_the_projector_command_reads_to_the_end(database: str, broker: str, namespace: str) -> None:
    """With --until-end it stops by itself; without topics it says what to run."""

    def cobranza(*arguments: str) -> Result:
        env = {"COBRANZA_DATABASE_URL": database, "COBRANZA_TOPIC_PREFIX": namespace}
        return CliRunner().invoke(main, ["--bootstrap-servers", broker, *arguments], env=env)

    missing = cobranza("projector", "--until-end")
    assert (1, True) == (missing.exit_code, "run `cobranza topics apply`" in missing.stderr)
    assert 0 == cobranza("topics", "apply").exit_code
    for arguments in (("--until-end",), ("--rebuild", "--until-end")):
        done = cobranza("projector", *arguments)
        assert (0, "0 records were read.\n") == (done.exit_code, done.stdout), done.output


_PLANNED = """# what is to come
customer email ana@c1.test address "Calle 1, Santiago"
plan default
    first      0 email, letter
    second   +15 email
2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-01-02  @C2 customer email bo@c2.test
2026-01-02  @C2 invoice INV-2 40.00 due 2026-02-02
2026-01-31  tick
"""


def test_reminders_scheduled(database: str, engine: Engine, tmp_path: Path) -> None:
    """S4-20, U-9: what will be sent if nothing comes in, listed and counted by day and channel."""
    play_into(engine, _PLANNED, folder=tmp_path)

    def planned(*arguments: str) -> Result:
        environment = {"COBRANZA_DATABASE_URL": database}
        return CliRunner().invoke(main, ["reminders", "--scheduled", *arguments], env=environment)

    by_day = rows(planned("--by", "day", "--to", "2026-03-31", "--format", "json"))
    assert [("2026-02-02", "scheduled", 4, 2), ("2026-02-17", "scheduled", 2, 2)] == [
        (row["day"], row["status"], row["lines"], row["reminders"]) for row in by_day
    ]
    listed = rows(planned("--account", "acme:C1", "--level", "first", "--format", "json"))
    assert [("2026-02-02", "email", "USD 100.00"), ("2026-02-02", "letter", "USD 100.00")] == [
        (row["day"], row["channel"], row["amount"]) for row in listed
    ]
    assert 2 == len(rows(planned("--from", "2026-02-03", "--format", "json")))
    assert 1 == len(rows(planned("--channel", "letter", "--format", "json")))
    assert 2 == planned("--status", "sent").exit_code


def test_nothing_is_scheduled_before_the_first_tick(run: Run) -> None:
    """Without a tick there is no now to look ahead from."""
    assert [] == rows(run("reminders", "--scheduled", "--format", "json"))


_LATE = """# two who owe; one paid late before, and is trusted less
customer email ana@c1.test name "Ana"
2026-01-02  @C2 customer email bo@c2.test name Bo
2026-01-02  invoice INV-1 100.00 due 2026-02-01
2026-01-02  @C2 invoice INV-2 300.00 due 2026-02-01
2026-01-02  @C2 invoice OLD 10.00 due 2026-01-04
2026-01-14  @C2 payment P 10.00 for OLD
2026-01-15  @C2 trust bad
2026-02-05  tick
    expect withheld INV-1 - because no_plan
    expect @C2 withheld INV-2 - because no_plan
2026-02-06  conversation "will pay"
"""


def test_worklist_and_trust(database: str, engine: Engine, tmp_path: Path) -> None:
    """R37, R34: the day's work ranked by money at risk, filtered; whom to trust and why."""
    play_into(engine, _LATE, folder=tmp_path)

    def asked(*arguments: str) -> Result:
        return CliRunner().invoke(main, arguments, env={"COBRANZA_DATABASE_URL": database})

    found = rows(asked("worklist", "--on", "2026-02-25", "--format", "json"))
    assert [
        ("acme:C2", "Bo", "no_action", "USD 300.00", 24, "2026-02-02", "bad", "no"),
        ("acme:C1", "Ana", "next_action", "USD 100.00", 24, "2026-02-21", "normal", "yes"),
    ] == [
        tuple(
            row[name]
            for name in ("account", "customer", "why", "at_risk", "days", "next_action", "trust", "called")
        )
        for row in found
    ]
    not_called = asked("worklist", "--on", "2026-02-25", "--not-called", "--format", "json")
    assert ["acme:C2"] == [row["account"] for row in rows(not_called)]
    assert [] == rows(asked("worklist", "--why", "task", "--format", "json"))
    assert "The first 1 of 2" in asked("worklist", "--on", "2026-02-25", "--limit", "1").stderr
    assert 2 == asked("worklist", "--why", "mood").exit_code
    (history,) = rows(asked("trust", "--trust", "bad", "--format", "json"))
    assert ("acme:C2", "yes", 1, 1, "1.00", "10.00") == tuple(
        history[name]
        for name in ("account", "by_hand", "paid_items", "paid_late", "share_late", "mean_days_late")
    )


_EXPECTED = """# what may come in
customer email ana@c1.test
plan default
    first 0 email pay-by 10
plan other
    first 0 email pay-by 3
2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-01-02  invoice INV-2 50.00 due 2026-02-18
2026-01-02  invoice INV-3 20.00 due 2026-02-20 plan other
2026-01-02  invoice INV-4 7.00 due 2026-02-04
2026-01-02  exclude INV-4 because "sold"
2026-02-05  tick
    expect withheld INV-4 first because excluded
    expect reminder first INV-1 by email
    expect finished INV-1
2026-02-06  tick
"""


def test_cash_forecast(database: str, engine: Engine, tmp_path: Path) -> None:
    """U-9: by week, with what has no day; and by reminder plan, each with what it implies."""
    play_into(engine, _EXPECTED, folder=tmp_path)

    def forecast(*arguments: str) -> list[dict[str, Any]]:
        environment = {"COBRANZA_DATABASE_URL": database}
        return rows(CliRunner().invoke(main, ["cash", *arguments, "--format", "json"], env=environment))

    by_week = forecast()
    assert [
        ("2026-02-09", "100.00", "100.00", "0.00", "0.00", ""),
        ("2026-02-16", "70.00", "0.00", "70.00", "0.00", ""),
        (None, "0.00", "0.00", "0.00", "7.00", "held"),
    ] == [
        (row["week"], row["expected"], row["asked"], row["on_due_date"], row["no_day"], row["why"])
        for row in by_week
    ]
    by_plan = forecast("--by", "plan")
    assert [("default", "150.00", "7.00"), ("other", "20.00", "0.00")] == [
        (row["plan"], row["expected"], row["no_day"]) for row in by_plan
    ]
    assert "acme:C1" == forecast("--by", "account", "--account", "acme:C1")[0]["account"]
    assert [] == forecast("--company", "beta")

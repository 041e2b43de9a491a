"""Before automatic sending can start: what is missing is said, and the first run is cut into days (S4-24, R36)."""

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from console.cli.main import main
from console.going_live import go_live_command, portions
from console.plan_files import find_plan
from console.readiness import Point, ready_points
from infra.database.own_text_book import OwnTextBook
from infra.database.queries.debtors import Debtor
from notifiers.settings import SendSettings
from notifiers.writing.library import Library
from notifiers.writing.render import templates_folder
from processors.company import Company
from schemas.commands import ConfigureCompany, PublishPlan
from schemas.events import Contact, CustomerUpserted, InvoiceIssued
from schemas.facts import ReminderDecided
from schemas.journal import TickPassed
from schemas.plans import Action, Plan, Step
from schemas.rows import CustomerRow
from tests.infra.database.played import play_into
from tests.scenarios.law import free_law
from tests.scenarios.on_core import Stage

STORY = """# S4-24: a company on its way to going live.
company zone UTC min-days 0 {settings}
law shipped
{customers}
{plan}
2026-03-02  invoice INV-1 100.00 due 2026-03-03
2026-03-02  invoice INV-2 50.00 due 2026-02-01 @C2
2026-03-02  invoice INV-3 50.00 due 2026-01-05 @C3
2026-03-02  tick
    {expect}
"""
PLAN = """plan default
    first 0 email"""
Run = Callable[..., Result]
_EMAIL = Action(channel="email")


@pytest.fixture
def cobranza(database: str) -> Run:
    """Give a function that runs ``cobranza`` on the read model."""
    return lambda *said: CliRunner().invoke(main, said, env={"COBRANZA_DATABASE_URL": database})


def played(
    engine: Engine, folder: Path, *, settings: str = "", customers: str = "", plan: str = PLAN
) -> None:
    """Play a company until its first tick; nobody is written to on it."""
    withheld = "\n    ".join(
        f"expect withheld INV-{number} first because not_enrolled{who}"
        for number, who in ((2, " @C2"), (3, " @C3"))
    )
    text = STORY.format(
        settings=f"enrolment selected {settings}", customers=customers, plan=plan, expect=withheld
    )
    play_into(engine, text, folder=folder)


def verdicts(result: Result) -> dict[str, str]:
    """Read the points of ``cobranza ready``."""
    return {row["point"]: row["verdict"] for row in json.loads(result.stdout)}


def test_a_company_that_nobody_configured(cobranza: Run, engine: Engine) -> None:
    """S4-24: there is nothing to start with, and the exit code says so."""
    result = cobranza("ready", "acme", "--format", "json")
    assert (1, {"profile": "missing", "links": "look"}) == (result.exit_code, verdicts(result))


def test_what_is_missing_is_said(cobranza: Run, engine: Engine, tmp_path: Path) -> None:
    """S4-24: master data, sender, payment instructions, nobody enrolled; the gate and the law are worth a look."""
    played(engine, tmp_path, customers="customer kind business country CL email ana@c1.test")
    result = cobranza("ready", "acme", "--format", "json")
    found = verdicts(result)
    assert 1 == result.exit_code
    missing = {"sender", "payment", "customers", "enrolment"}
    assert missing == {point for point, verdict in found.items() if verdict == "missing"}
    assert {"answers", "law", "links", "mail", "first run", "bank gate"} == {
        point for point, verdict in found.items() if verdict == "look"
    }
    assert "ok" == found["plan"]


def test_preview_of_a_first_run(cobranza: Run, engine: Engine, tmp_path: Path) -> None:
    """R36: at most two accounts a day, the oldest debts first, on business days; nothing is set."""
    played(engine, tmp_path)
    result = cobranza("preview", "acme", "--per-day", "1", "--from", "2026-03-06", "--format", "csv")
    assert 0 == result.exit_code, result.output
    assert [
        "day,accounts,oldest_debt,up_to_debt,last_customer",
        "2026-03-06,1,2026-01-05,2026-01-05,C3",
        "2026-03-09,1,2026-02-01,2026-02-01,C2",
    ] == result.stdout.splitlines()


def test_preview_of_the_next_reminders(cobranza: Run, engine: Engine, tmp_path: Path) -> None:
    """R36: what the next tick that sends anything would send, as the core itself would."""
    story = (
        "# R36: two invoices fall due on different days.\ncompany zone UTC\n"
        "customer email ana@c1.test\nplan default\n    first 0 email\n"
        "2026-03-02  invoice INV-1 100.00 due 2026-03-05\n"
        "2026-03-02  invoice INV-2 30.00 due 2026-03-20\n"
        "2026-03-02  tick\n"
    )
    play_into(engine, story, folder=tmp_path)
    result = cobranza("preview", "acme", "--format", "csv")
    assert 0 == result.exit_code, result.output
    assert "2026-03-05,acme:C1,C1,first,email,INV-1,100.00 USD" == result.stdout.splitlines()[1]
    assert 2 == len(result.stdout.splitlines())


def test_portions_end_with_the_last_debtor() -> None:
    """R36: each account is in one day's portion, whatever the number of days."""
    found = [
        Debtor(
            account=f"acme:C{number}",
            oldest_due_on=datetime.date(2026, 1, 1 + number),
            item_count=1,
            customer=None,
        )
        for number in range(5)
    ]
    days = portions(found, per_day=2, first_on=datetime.date(2026, 3, 6), country="")
    assert [("2026-03-06", "C1"), ("2026-03-09", "C3"), ("2026-03-10", "C4")] == [
        (each.on.isoformat(), each.customer) for each in days
    ]


def test_a_company_that_is_ready(tmp_path: Path) -> None:
    """S4-24: with profile, plan, texts, sender, payment instructions, reachable debtors and a bank that speaks, nothing is missing."""
    company = Company("acme")
    told: dict[str, Any] = {"company": "acme", "occurred_at": "2026-01-01"}
    company.apply(
        ConfigureCompany(
            **told,
            command="profile",
            name="Acme",
            time_zone="UTC",
            currency="USD",
            past_from=datetime.date(2025, 1, 1),
            sender_email="billing@acme.example",
            payment_instructions="Bank transfer to 00-123.",
            answers_to=("desk@acme.test",),
        )
    )
    company.apply(PublishPlan(**told, command="plan", plan=find_plan("default")))
    said = CustomerUpserted(
        **told,
        customer="C1",
        name="C1",
        kind="business",
        country="DE",
        contacts=(Contact(email="a@c1.test"),),
    )
    debtor = Debtor(
        account="acme:C1",
        oldest_due_on=datetime.date(2026, 2, 1),
        item_count=1,
        customer=CustomerRow(account="acme:C1", customer=said),
    )
    tick = datetime.datetime(2026, 3, 2, 9, tzinfo=datetime.UTC)

    def points() -> list[Point]:
        return ready_points(
            company,
            debtors=[debtor],
            enrolled=0,
            newest_tick=tick,
            send=SendSettings(email="smtp"),
            faults={},
            texts=Library(templates_folder(), own=tmp_path),
        )

    assert {"bank gate"} == {each.point for each in points() if each.verdict != "ok"}
    assert "debtors by law: eu_business (1)" in [each.detail for each in points()]
    subject = tmp_path / "acme" / "first" / "en" / "subject.txt"
    subject.parent.mkdir(parents=True)
    subject.write_text("Notice\n{{ nobody }}")
    wrong = [each.detail for each in points() if each.point == "texts"]
    assert [
        "1 faults: first/en/subject.txt, line 2: 'nobody' is undefined (cobranza templates check --company acme)"
    ] == wrong


def test_a_first_run_sends_to_at_most_n_accounts_a_day() -> None:
    """R36: ten debtors, three a day, the oldest debts first; then business as usual."""
    stage = Stage()
    told: dict[str, Any] = {"company": "acme", "occurred_at": "2026-01-01"}
    plan = Plan(id="default", version=1, steps=(Step(name="first", offset_days=0, actions=(_EMAIL,)),))
    stage.fold(PublishPlan(**told, command="plan", plan=plan))
    stage.fold(free_law())
    found = []
    for number in range(10):
        due_on = datetime.date(2025, 12, 1) + datetime.timedelta(days=number * 7 % 10)
        named = told | {"customer": f"C{number}"}
        stage.fold(CustomerUpserted(**named, name="C", contacts=(Contact(email="a@c.test"),)))
        stage.fold(
            InvoiceIssued(**named, document=f"I-{number}", currency="USD", amount="1.00", due_date=due_on)
        )
        found.append(Debtor(account=f"acme:C{number}", oldest_due_on=due_on, item_count=1, customer=None))
    found.sort(key=lambda each: (each.oldest_due_on, each.account))
    first_on = datetime.date(2026, 3, 2)
    days = portions(found, per_day=3, first_on=first_on, country="")
    at = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
    stage.fold(go_live_command(days, company="acme", at=at, author="controller"))
    written: list[list[str]] = []
    for day in range(6):
        noon = datetime.datetime(2026, 3, 2 + day, 12, tzinfo=datetime.UTC)
        facts = stage.fold(TickPassed(at=noon, mode="played"))
        written.append(sorted(each.account for each in facts if isinstance(each, ReminderDecided)))
    expected = [sorted(each.account for each in found[start : start + 3]) for start in range(0, 10, 3)]
    assert [*expected, [], []] == written


def test_rates_of_interest_that_are_old_or_not_there_are_looked_at() -> None:
    """R22: Chile's current interest is the company's to publish; nobody claims by a half-year's rate that is over unsaid."""
    customers = {
        name: CustomerUpserted(
            company="acme",
            customer=name,
            occurred_at="2026-01-01",
            name=name,
            kind="business",
            country=country,
        )
        for name, country in (("C1", "CL"), ("C2", "DE"))
    }
    debtors = [
        Debtor(
            account=f"acme:{name}",
            oldest_due_on=datetime.date(2026, 1, 1),
            item_count=1,
            customer=CustomerRow(account=f"acme:{name}", customer=each),
        )
        for name, each in customers.items()
    ]

    def looked_at(charges: str, at: str) -> list[tuple[str, str]]:
        company = Company("acme")
        company.apply(
            ConfigureCompany(
                company="acme",
                occurred_at="2026-01-01",
                command="profile",
                name="Acme",
                time_zone="UTC",
                currency="EUR",
                late_charges=charges,  # type: ignore[arg-type]  # one of three
            )
        )
        points = ready_points(
            company,
            debtors=debtors,
            enrolled=0,
            newest_tick=datetime.datetime.fromisoformat(f"{at}T09:00:00+00:00"),
            send=SendSettings(),
            faults={},
            texts=Library(templates_folder(), own=None),
        )
        return [(each.verdict, each.values["law"]) for each in points if each.point == "interest"]

    assert [] == looked_at("off", "2026-10-01")
    assert [("look", "cl_business"), ("ok", "eu_business")] == looked_at("claim", "2026-06-30")
    assert [("look", "cl_business"), ("missing", "eu_business")] == looked_at("claim", "2026-07-01")
    assert [("look", "cl_business"), ("look", "eu_business")] == looked_at("show", "2026-11-23")


def test_texts_that_the_disk_does_not_take_are_told_on_one_machine(
    cobranza: Run, engine: Engine, tmp_path: Path
) -> None:
    """Messages go with the texts before; where there is one machine nobody's texts differ, and only this says so (S0-05)."""
    played(engine, tmp_path)
    OwnTextBook(engine).save("acme", {"first/es/subject.txt": b"Factura pendiente\n"}, seen=None)
    blocked = tmp_path / "data" / "templates" / "acme"
    blocked.parent.mkdir(parents=True)
    blocked.write_text("a file where the folder should be")

    def told() -> tuple[str, str]:
        result = cobranza("--data-dir", str(tmp_path / "data"), "ready", "acme", "--format", "json")
        rows = {row["point"]: (row["verdict"], row["detail"]) for row in json.loads(result.stdout)}
        return rows["text places"]

    verdict, detail = told()
    assert ("missing", True) == (verdict, "what was saved cannot be written here" in detail)
    assert "first/es" in detail
    blocked.unlink()
    assert ("look", "no notifier has said lately which texts it sees") == told()

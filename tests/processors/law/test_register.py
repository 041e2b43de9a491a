"""The register of contacts: what went out or was tried, once each, kept as long as the law asks and no longer."""

import datetime
from typing import Any

import pytest

from processors.account import Account
from processors.law.register import legal_texts, on_their_way, permits_for, terms_for
from schemas import commands, events
from schemas.journal import TickPassed
from schemas.law import LawChoice
from schemas.message_rows import MessageRow
from schemas.outcomes import DeliveryStatus, OutcomeReported
from schemas.plans import Action, Plan, Step
from tests.scenarios.on_core import Stage, _restored

TOLD: dict[str, Any] = {"company": "acme", "customer": "C1", "occurred_at": "2026-03-02"}
COMPANY: dict[str, Any] = {"company": "acme", "occurred_at": "2026-01-01"}
PLAN = Plan(
    id="default",
    version=1,
    steps=(
        Step(
            name="first",
            offset_days=0,
            actions=(Action(channel="email"), Action(channel="task", summary="Look")),
        ),
    ),
)


def at(day: str) -> datetime.datetime:
    """Give the noon of a day."""
    return datetime.datetime.fromisoformat(f"{day}T12:00:00+00:00")


def tick(stage: Stage, day: str) -> None:
    """Let the noon of a day pass."""
    stage.fold(TickPassed(at=at(day), mode="played"))


def contacts(stage: Stage) -> dict[str, str]:
    """Give the register: id -> kind."""
    rows = stage.partition.account("acme:C1").contacts
    return {name: row.contact_kind for name, row in rows.items()}


@pytest.fixture
def stage() -> Stage:
    """A Chilean consumer with an invoice due on 2 March 2026, and a reminder of it on its way."""
    stage = Stage()
    stage.fold(commands.PublishPlan(**COMPANY, command="plan", plan=PLAN))
    stage.fold(commands.SetLaw(**COMPANY, command="law", choices=(LawChoice(profile="cl_consumer"),)))
    contact = events.Contact(email="a@c1.test")
    stage.fold(events.CustomerUpserted(**TOLD, name="C1", contacts=(contact,)))
    due_on = datetime.date(2026, 3, 2)
    stage.fold(
        events.InvoiceIssued(**TOLD, document="INV-1", currency="USD", amount="10.00", due_date=due_on)
    )
    tick(stage, "2026-03-02")
    return stage


def report(stage: Stage, channel: Any, status: DeliveryStatus) -> str:
    """Report the fate of a delivery; give the reminder's id."""
    reminder = next(iter(stage.partition.account("acme:C1").reminders))
    stage.fold(
        OutcomeReported(
            **(TOLD | {"occurred_at": "2026-03-02T12:00:05+00:00"}),
            reminder=reminder,
            channel=channel,
            status=status,
        )
    )
    return reminder


def test_a_delivery_counts_and_a_mere_task_does_not(stage: Stage) -> None:
    """Section 5: every delivery; a task for a person contacts nobody."""
    reminder = report(stage, "email", "accepted")
    report(stage, "task", "accepted")
    assert {f"{reminder}/email": "delivery"} == contacts(stage)


def test_what_may_have_gone_out_counts_until_it_is_known_not_to_have(stage: Stage) -> None:
    """Section 5: in doubt for the debtor."""
    reminder = report(stage, "email", "unknown")
    assert {f"{reminder}/email": "delivery"} == contacts(stage)
    report(stage, "email", "failed")
    assert {} == contacts(stage)


def test_calls_count_and_notes_do_not(stage: Stage) -> None:
    """Section 5: call attempts and conversations; said twice, they count once."""
    for kind in ("note", "call_attempt", "conversation", "conversation"):
        note: Any = {"kind": kind, "text": "x"}
        stage.fold(commands.AddNote(**TOLD, command=f"n-{kind}", **note))
    assert {"note/n-call_attempt": "call_attempt", "note/n-conversation": "conversation"} == contacts(stage)


def test_the_register_is_kept_as_long_as_the_law_asks(stage: Stage) -> None:
    """Section 5, Chile: two years, although the company forgets what is settled after 400 days; also by a worker that took over."""
    reminder = report(stage, "email", "accepted")
    report(stage, "task", "accepted")
    stage.fold(events.PaymentReceived(**TOLD, payment="P-1", currency="USD", amount="10.00"))
    tick(stage, "2027-06-01")
    assert {} == stage.partition.account("acme:C1").items
    assert {f"{reminder}/email": "delivery"} == contacts(stage)
    stage.partition = _restored(stage.partition.rows())
    tick(stage, "2028-03-01")
    assert {f"{reminder}/email": "delivery"} == contacts(stage)
    tick(stage, "2028-03-03")
    assert {} == contacts(stage)


def test_texts_are_those_of_the_law_in_the_language_of_the_message(stage: Stage) -> None:
    """Section 5: what only levels carry is in no courtesy; a region speaks its language; of whom nothing is known the strict law holds."""
    company, account = stage.partition.company("acme"), Account("acme:C9")
    on = datetime.date(2026, 3, 2)
    company.apply(commands.SetLaw(**COMPANY, command="other law", choices=(LawChoice(profile="strict"),)))

    def said(language: str, *, levels: bool) -> list[str]:
        found = legal_texts(account, company=company, on=on, language=language, levels=levels)
        return [f"{each.language} {each.text[:12]}" for each in found]

    assert ["en This message", "en To receive n"] == said("en-GB", levels=True)
    assert ["en To receive n"] == said("en", levels=False)
    assert ["es Para no reci"] == said("es", levels=False)
    assert [] == said("fr", levels=True)


def test_the_debtors_country_has_the_holidays_and_its_zone_the_day() -> None:
    """Section 5: where they are known; else the company's. What was said late in the evening there counts as of that day."""
    stage = Stage()
    stage.fold(
        commands.ConfigureCompany(
            **COMPANY, command="profile", name="Acme", time_zone="Europe/Madrid", currency="EUR", country="ES"
        )
    )
    stage.fold(commands.SetLaw(**COMPANY, command="law", choices=(LawChoice(profile="cl_consumer"),)))
    stage.fold(
        events.CustomerUpserted(
            **TOLD, name="C1", country="CL", time_zone="America/Santiago", kind="consumer"
        )
    )
    late = TOLD | {"occurred_at": "2026-03-03T00:30:00+00:00"}
    for customer in ("C1", "C2"):
        note = late | {"customer": customer, "command": "call"}
        stage.fold(commands.AddNote(**note, kind="call_attempt", text="nobody there"))
    company, on = stage.partition.company("acme"), datetime.date(2026, 3, 3)
    found = {
        customer: (
            terms_for(account, company=company, on=on).country,
            terms_for(account, company=company, on=on).time_zone,
            [str(row.on) for row in account.contacts.values()],
            [str(each.on) for each in permits_for(account, company=company, on=on)._made],
        )
        for customer in ("C1", "C2")
        for account in (stage.partition.account(f"acme:{customer}"),)
    }
    assert {
        "C1": ("CL", "America/Santiago", ["2026-03-02"], ["2026-03-02"]),
        "C2": ("ES", "Europe/Madrid", ["2026-03-03"], ["2026-03-03"]),
    } == found


def test_of_a_message_on_its_way_only_what_is_still_to_come_counts(stage: Stage) -> None:
    """Section 5: a channel that failed is none; a message that has ended is in the register, or nowhere."""
    account = stage.partition.account("acme:C1")
    message = MessageRow(
        account="acme:C1",
        message="statement/2026-03-02",
        message_kind="statement",
        subject="2026-03-02",
        due_on=datetime.date(2026, 3, 2),
        status="open",
        deliveries={"email": "failed", "letter": "dispatched"},
    )
    account.messages[message.message] = message
    assert ["letter"] == [each.channel for each in on_their_way(account)]
    message.status = "sent"
    assert [] == list(on_their_way(account))

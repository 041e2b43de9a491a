"""The register of contacts: what went out or was tried, once each, kept as long as the law asks and no longer."""

import datetime
from typing import Any

import pytest

from schemas import commands, events
from schemas.journal import TickPassed
from schemas.law import LawChoice
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

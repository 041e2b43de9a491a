"""``cobranza render --account`` on a real journal of Kafka: what a customer gets next, without any process running."""

import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from console.cli.main import main
from infra.kafka.consumers import producer
from infra.kafka.topics import apply
from infra.settings import Settings
from schemas.commands import ConfigureCompany, PublishPlan
from schemas.events import Contact, CustomerUpserted, InvoiceIssued
from schemas.journal import BROADCAST_KEY, JournalEntry, JournalEvent, TickPassed, encode_entry
from schemas.plans import Action, Plan, Step
from streams.intake import place
from streams.names import JOURNAL

pytestmark = pytest.mark.system

PLAN = Plan(
    id="default", version=1, steps=(Step(name="first", offset_days=0, actions=(Action(channel="email"),)),)
)
EVENTS: list[JournalEvent] = [
    ConfigureCompany(
        company="acme",
        occurred_at="2026-01-01",
        command="profile",
        name="Acme S.A.",
        time_zone="UTC",
        currency="USD",
        language="pt",
        payment_link="https://pay.example/{document}",
    ),
    PublishPlan(company="acme", occurred_at="2026-01-01", command="plan", plan=PLAN),
    CustomerUpserted(
        company="acme",
        customer="C-1",
        occurred_at="2026-01-01",
        name="Padaria",
        kind="business",
        contacts=(Contact(email="a@c1.test"),),
    ),
    InvoiceIssued(
        company="acme",
        customer="C-1",
        occurred_at="2026-01-02",
        document="F-1",
        currency="USD",
        amount="10.50",
        due_date=datetime.date(2026, 2, 2),
    ),
    TickPassed(at=datetime.datetime(2026, 1, 5, 9, tzinfo=datetime.UTC), mode="played"),
]


def test_what_a_customer_gets_next(broker: str, namespace: str, tmp_path: Path) -> None:
    """S0-04: the mail of the day on which the first step is due, in the company's Portuguese, with the way to pay."""
    settings = Settings(data_dir=tmp_path, bootstrap_servers=broker, topic_prefix=namespace, partitions=2)
    apply(settings)
    writer = producer(bootstrap_servers=broker)
    for offset, event in enumerate(EVENTS):
        key = b"acme:C-1" if getattr(event, "customer", "") else BROADCAST_KEY
        value = encode_entry(JournalEntry(event, f"e-{offset}", "test"))
        writer.send(settings.topic(JOURNAL), key=key, value=value, partition=place("acme:C-1", partitions=2))
    writer.flush()
    writer.close()

    def run(*arguments: str) -> Result:
        options = ["--data-dir", str(tmp_path), "--bootstrap-servers", broker]
        return CliRunner().invoke(
            main, [*options, *arguments], env={"COBRANZA_TOPIC_PREFIX": namespace, "COBRANZA_PARTITIONS": "2"}
        )

    migrated = run("db", "upgrade")
    assert 0 == migrated.exit_code, migrated.output
    done = run("render", "--account", "acme:C-1", "--output", str(tmp_path / "out"))
    assert 0 == done.exit_code, done.output
    assert "On 2026-02-02, if nothing comes in until then" in done.stderr
    (page,) = (Path(line) for line in done.stdout.splitlines())
    text = page.read_text()
    assert "<title>Lembrete de pagamento: o documento F-1 – Acme S.A.</title>" in text
    assert 'href="https://pay.example/F-1"' in text
    nobody = run("render", "--account", "acme:C-9", "--output", str(tmp_path / "out"))
    assert (1, True) == (nobody.exit_code, "gets no message until" in nobody.stderr)

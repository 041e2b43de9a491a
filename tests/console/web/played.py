"""An installation with all its processes, the web among them, on a journal that the test plays."""

import datetime
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
from click.testing import CliRunner, Result
from msgspec import json
from sqlalchemy import select

from console.cli.main import main
from console.installation import await_ready, prepare, running
from console.logs import read_log
from console.player import open_play
from console.playing import Play
from console.publishing import outgoing
from console.quiet import groups_of
from infra.database.engine import open_engine, reading
from infra.database.links import LinkBook
from infra.database.send_tables import send_jobs
from infra.ports import free_port
from infra.settings import Settings
from schemas.commands import ConfigureCompany, PublishPlan
from schemas.events import Contact, CustomerUpserted, InvoiceIssued
from schemas.facts import ReminderDecided
from schemas.fields import TextLanguage
from schemas.journal import SourceEvent
from schemas.plans import Action, Plan, Step

ISSUED = datetime.date(2026, 1, 2)
DUE = datetime.date(2026, 2, 2)
SECRET = "a secret of one installation in one test"
_POLL_S = 0.02
_decoder = json.Decoder(ReminderDecided)


class Played:
    """Publishes, ticks, and waits until all is done; ``web`` is where readers come to."""

    def __init__(self, settings: Settings, play: Play, *, web: str) -> None:
        self.settings, self.web = settings, web
        self._play = play
        self._newest: datetime.datetime | None = None

    def publish(self, *events: SourceEvent) -> None:
        """Publish events, and wait until they are folded."""
        self._play.publish(outgoing(each, source="story") for each in events)
        self.rest()

    def tick(self, day: datetime.date, *, hour: int = 9) -> None:
        """Let the clock strike nine (or later) on a day, and wait until all that follows is done."""
        self.strike(day, hour=hour)
        self.rest()

    def strike(self, day: datetime.date, *, hour: int) -> None:
        """Let the clock strike, and wait for nothing."""
        self._newest = datetime.datetime.combine(day, datetime.time(hour), datetime.UTC)
        self._play.tick(self._newest)

    def rest(self) -> None:
        """Wait until what readers answered is in Kafka, and nothing is left to do."""
        engine = open_engine(self.settings.database)
        try:
            while LinkBook(engine).unpublished(limit=1):
                time.sleep(_POLL_S)
        finally:
            engine.dispose()
        self._play.quiet.wait(at=self._newest)

    def run(self, *arguments: str) -> Result:
        """Run ``cobranza`` on this installation."""
        options = ["--data-dir", str(self.settings.data_dir), "--bootstrap-servers", self.settings.brokers()]
        variables = {"COBRANZA_TOPIC_PREFIX": self.settings.topic_prefix}
        return CliRunner().invoke(main, [*options, *arguments], env=variables)

    def commands(self) -> int:
        """Count what people have asked for."""
        return sum(1 for _ in read_log(self.settings, topic="collections.command.v1"))

    def sent(self, template: str) -> list[ReminderDecided]:
        """Give what was sent by mail with these texts."""
        engine = open_engine(self.settings.database)
        try:
            with reading(engine) as connection:
                query = select(send_jobs.c["reminder_json"]).where(
                    send_jobs.c["channel"] == "email", send_jobs.c["state"] == "accepted"
                )
                made = [_decoder.decode(text) for text in connection.execute(query).scalars()]
        finally:
            engine.dispose()
        return sorted((each for each in made if each.template == template), key=lambda each: each.tick)

    def link(self, path: str) -> str:
        """Give the one address that begins with ``path`` in the mails that were written."""
        found: set[str] = {
            each for text in self.mails() for each in re.findall(rf"{self.web}{path}\S+", text)
        }
        assert 1 == len(found), found
        return found.pop()

    def mails(self) -> list[str]:
        """Give the texts of all mails that were written."""
        return [path.read_text() for path in sorted((self.settings.data_dir / "outbox").rglob("*.txt"))]


@contextmanager
def played(broker: str, *, prefix: str, data_dir: Path) -> Iterator[Played]:
    """Run an installation of a company with one customer and one invoice that is due on ``DUE``."""
    port = free_port()
    web = f"http://127.0.0.1:{port}"
    variables = {
        "COBRANZA_PUBLIC_URL": web,
        "COBRANZA_LINK_SECRETS": SECRET,
        "COBRANZA_WEB_PORT": str(port),
    }
    wanted = Settings(data_dir=data_dir, bootstrap_servers=broker, topic_prefix=prefix)
    with (
        mock.patch.dict(os.environ, variables),
        prepare(wanted) as settings,
        running(settings, clock=False, web=True) as supervisor,
    ):
        await_ready(settings, groups=groups_of(settings), check=supervisor.check)
        with open_play(settings, check=supervisor.check) as play:
            installation = Played(settings, play, web=web)
            installation.publish(*_company())
            installation.publish(*_customer())
            with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
                assert 200 == client.get(f"{web}/robots.txt").status_code
            yield installation


def company_events(
    company: str, *, name: str, steps: Sequence[Step], currency: str = "USD", language: TextLanguage = "en"
) -> list[SourceEvent]:
    """Configure a company that mails what its customers answer to a desk of its own, and publish its plan."""
    asked: dict[str, Any] = {"company": company, "occurred_at": "2026-01-01"}
    return [
        ConfigureCompany(
            **asked,
            command="profile",
            name=name,
            time_zone="UTC",
            currency=currency,
            language=language,
            sender_email=f"billing@{company}.test",
            answers_to=(f"desk@{company}.test",),
        ),
        PublishPlan(**asked, command="plan", plan=Plan(id="default", version=1, steps=tuple(steps))),
    ]


def _company() -> list[SourceEvent]:
    days = {"first": 0, "second": 15, "third": 30}
    mail = (Action(channel="email"),)
    steps = [Step(name=name, offset_days=offset, actions=mail) for name, offset in days.items()]
    return company_events("acme", name="Acme & Sons", steps=steps)


def _customer() -> list[SourceEvent]:
    whose: dict[str, Any] = {"company": "acme", "customer": "C-1", "occurred_at": ISSUED.isoformat()}
    contact = Contact(name="Zoë", email="zoe@customer.test", address=("Calle 1", "Santiago"))
    return [
        CustomerUpserted(**whose, name="Panadería", kind="business", language="es", contacts=(contact,)),
        InvoiceIssued(**whose, document="INV-1", amount="100.00", currency="USD", due_date=DUE),
        InvoiceIssued(**whose, document="INV-2", amount="50.00", currency="USD", due_date=DUE),
    ]

"""An installation with a console in front of it, for browsers: a company, customers in three languages, three weeks of dunning."""

import datetime
import os
import re
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest import mock

from playwright.sync_api import Browser, BrowserContext, StorageState

from console.installation import address_of, await_ready, prepare, running
from console.player import open_play
from console.quiet import groups_of
from console.web.inside.access import hash_password
from infra.database.engine import open_engine
from infra.database.people import ROLES, PeopleBook, User
from infra.metrics.targets import read_targets, targets_file
from infra.ports import free_port
from infra.settings import Settings
from schemas.commands import AddNote, ConfigureCompany, MakePromise, PublishPlan, SetMode
from schemas.events import Contact, CustomerUpserted, InvoiceIssued, PaymentReceived
from schemas.journal import SourceEvent
from schemas.plans import Action, Plan, Step
from tests.console.web.played import Played

LANGUAGES: Final = ("en", "es", "pt")
PASSWORD: Final = "a sentence for the tests"
DUE: Final = datetime.date(2026, 2, 2)
TODAY: Final = DUE + datetime.timedelta(days=21)
_PLAYED: Final = (-3, 0, 7, 15, 21)
_PROMISED: Final = 15
_ISSUED: Final = datetime.date(2026, 1, 2)
NAMES: Final = {
    "en": ("Quayside Garage", "Harbour Joinery", "Northside Bakery", "Westport Print Works"),
    "es": ("Ferretería La Cumbre", "Constructora del Valle", "Panadería Central", "Taller del Puerto"),
    "pt": ("Padaria Estrela", "Oficina São Jorge", "Gráfica do Porto", "Hotel Boa Vista"),
}


@dataclass(slots=True)
class House:
    """An installation at work; ``address`` is its console's, ``played`` plays on; ``planted``: breaches on purpose."""

    settings: Settings
    address: str
    played: Played
    planted: int = 0

    def arrive(self, browser: Browser, user: str, **how: Any) -> BrowserContext:
        """Open a browser of somebody who is logged in; ``how`` as playwright's ``new_context``."""
        context = browser.new_context(
            base_url=self.address, storage_state=self._cookies(browser, user), **how
        )
        context.set_default_timeout(20_000)
        return context

    def _cookies(self, browser: Browser, user: str) -> StorageState:
        context = browser.new_context(base_url=self.address)
        try:
            form: dict[str, str | float | bool] = {"user": user, "password": PASSWORD, "then": "/"}
            answer = context.request.post("/login", form=form, max_redirects=0)
            assert 303 == answer.status, answer.text()
            return context.storage_state()
        finally:
            context.close()

    def reports(self) -> int:
        """Count what browsers have reported of the policy."""
        [target] = [
            each for each in read_targets(targets_file(self.settings.data_dir)) if each.process == "console"
        ]
        with urllib.request.urlopen(f"http://{target.address}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        [count] = re.findall(r"^cobranza_csp_reports_total (\S+)$", text, re.MULTILINE)
        return int(float(count))


@contextmanager
def opened_house(
    broker: str, *, prefix: str, data_dir: Path, database_url: str | None = None
) -> Iterator[House]:
    """Run an installation of a company that has dunned for three weeks."""
    wanted = Settings(data_dir=data_dir, bootstrap_servers=broker, topic_prefix=prefix)
    if database_url is not None:
        wanted = wanted.model_copy(update={"database_url": database_url})
    with prepare(wanted) as settings, ExitStack() as opened:
        # Other installations of this run have ports of their own: it is told to this one alone.
        with mock.patch.dict(os.environ, {"COBRANZA_CONSOLE_PORT": str(free_port())}):
            supervisor = opened.enter_context(running(settings, clock=False, console=True))
        await_ready(settings, groups=groups_of(settings), check=supervisor.check)
        _employ(settings)
        with open_play(settings, check=supervisor.check) as play:
            played = Played(settings, play, web="")
            played.publish(*_company(), *_customers())
            for days in _PLAYED:
                played.tick(DUE + datetime.timedelta(days=days))
                if days == _PROMISED:
                    played.publish(*_promises())
            yield House(settings, address_of(supervisor.services(), "console"), played)


def _employ(settings: Settings) -> None:
    """Somebody of each role, and for each language somebody who may approve."""
    engine = open_engine(settings.database)
    hashed, now = hash_password(PASSWORD), datetime.datetime.now(datetime.UTC)
    book = PeopleBook(engine)
    try:
        for role in ROLES:
            book.put(User(user=role, role=role, password_hash=hashed), at=now)
        for language in LANGUAGES:
            book.put(
                User(user=f"ana-{language}", role="administrator", password_hash=hashed, language=language),
                at=now,
            )
    finally:
        engine.dispose()


def _company() -> list[SourceEvent]:
    asked: dict[str, Any] = {"company": "acme", "occurred_at": "2026-01-01"}
    mail, letter = Action(channel="email"), Action(channel="letter")
    call = Action(channel="task", task_type="call", summary="Call about what is open")
    steps = (
        Step(name="courtesy", offset_days=-3, actions=(mail,)),
        Step(name="first", offset_days=0, actions=(mail, letter)),
        Step(name="second", offset_days=15, actions=(mail, call)),
        Step(name="third", offset_days=60, actions=(mail, letter)),
    )
    return [
        ConfigureCompany(
            **asked,
            command="profile",
            name="Acme & Sons",
            time_zone="UTC",
            currency="USD",
            language="en",
            sender_email="billing@acme.test",
            answers_to=("desk@acme.test",),
        ),
        PublishPlan(**asked, command="plan", plan=Plan(id="default", version=1, steps=steps)),
    ]


def _customers() -> Iterator[SourceEvent]:
    """For each language: one who is dunned, one who is proposed, one who broke a promise, one who paid in part."""
    for language, names in NAMES.items():
        for kind, name in zip(("dunned", "manual", "promised", "paying"), names, strict=True):
            yield from _customer(f"{kind}-{language}", name=name, language=language)
        yield SetMode(**_whose(f"manual-{language}"), command="mode", mode="manual")
        yield PaymentReceived(
            company="acme",
            customer=f"paying-{language}",
            occurred_at=DUE.isoformat(),
            payment=f"PAY-{language}",
            currency="USD",
            amount="310.40",
        )
        yield AddNote(
            **_whose(f"dunned-{language}"),
            command="note",
            kind="note",
            text="Wants invoices by order number.",
        )


def _promises() -> Iterator[SourceEvent]:
    on = DUE + datetime.timedelta(days=_PROMISED)
    for language in LANGUAGES:
        whose = {**_whose(f"promised-{language}"), "occurred_at": on.isoformat()}
        yield MakePromise(**whose, command="promise", due_on=on + datetime.timedelta(days=2))


def _whose(customer: str) -> dict[str, Any]:
    return {"company": "acme", "customer": customer, "occurred_at": "2026-01-05", "author": "ana"}


def _customer(customer: str, *, name: str, language: str) -> Iterator[SourceEvent]:
    whose: dict[str, Any] = {"company": "acme", "customer": customer, "occurred_at": _ISSUED.isoformat()}
    contact = Contact(
        name="Zoë", email=f"zoe@{customer}.test", phone="+12025550123", address=("Calle 1", "Santiago")
    )
    yield CustomerUpserted(
        **whose, name=name, kind="business", language=language, tax_id="76.543.210-3", contacts=(contact,)
    )
    for number, (amount, days) in enumerate((("1250.00", 0), ("480.90", 0), ("99.95", 45)), start=1):
        yield InvoiceIssued(
            **whose,
            document=f"{customer}-{number}",
            amount=amount,
            currency="USD",
            due_date=DUE + datetime.timedelta(days=days),
        )

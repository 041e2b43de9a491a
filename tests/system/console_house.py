"""An installation with a console in front of it, for browsers; what has happened there is ``house_story``'s."""

import datetime
import itertools
import os
import re
import signal
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest import mock

import httpx
from argon2 import PasswordHasher
from playwright.sync_api import Browser, BrowserContext
from sqlalchemy import and_, select, update

from console.installation import address_of, await_ready, prepare, running
from console.player import open_play
from console.quiet import groups_of
from console.supervisor import Supervisor
from infra.database.engine import open_engine, writing
from infra.database.people import ROLES, PeopleBook, User
from infra.database.send_doubts import Doubts, Note
from infra.database.send_tables import send_jobs
from infra.metrics.targets import read_targets, targets_file
from infra.ports import free_port
from infra.settings import Settings
from notifiers.assembly import LETTERS, OUTBOX
from notifiers.pricing import FILE as PRICES
from schemas.fields import Channel
from tests.console.web.played import SECRET, Played
from tests.notifiers.document_server import Answer, serving
from tests.system.house_story import COMPANIES, FETCHED, LANGUAGES, PLAYED, beginning, promises

__all__ = ["CUT_OFF", "PASSWORD", "PATIENCE_MS", "House", "opened_house"]

PASSWORD: Final = "a sentence for the tests"
PATIENCE_MS: Final = 60_000  # for what is to be seen in a browser
CUT_OFF: Final = "cut off while it was handed over"
# A hash says by itself how much work it is: one of full strength would cost each of many logins here half a second.
_HASH: Final = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
# On a busy machine a page may take its time: it is not to say that it is late, it is to be right.
_PATIENCE: Final = {"COBRANZA_CONSOLE_WRITTEN_S_MAX": "15", "COBRANZA_CONSOLE_ANSWER_WAIT_S": "10"}
_MORNING: Final = 9
_FRIDAY: Final = 5
_DAY: Final = datetime.timedelta(days=1)
_CARRIED: Final = {"email": (OUTBOX, ".eml"), "sms": (OUTBOX, ".sms.txt"), "letter": (LETTERS, ".pdf")}
# What a billing system gives for the address of an invoice.
_FILES: Final[dict[str, Answer]] = {
    "pdf": (200, {"Content-Type": "application/pdf"}, b"%PDF-1.7\n%%EOF\n"),
    "xml": (200, {"Content-Type": "application/xml"}, b"<Invoice/>"),
}
# What carriers take here, so that there is something to reckon with.
_PRICES: Final = "".join(
    f'[[price]]\nchannel = "{channel}"\ncurrency = "EUR"\ndelivery = "{each}"\n'
    for channel, each in (("email", "0.01"), ("letter", "0.95"), ("sms", "0.05"))
)


@dataclass(slots=True)
class House:
    """An installation at work; ``address`` is its console's; ``today`` is its clock's; ``planted``: breaches on purpose.

    Readers of its messages come to ``played.web``.
    """

    settings: Settings
    address: str
    played: Played
    today: datetime.date
    supervisor: Supervisor
    hour: int = _MORNING
    planted: int = 0

    @property
    def tomorrow(self) -> datetime.date:
        """Give the next working day: on others the law lets nobody be written to."""
        return next(day for each in (1, 2, 3) if (day := self.today + each * _DAY).isoweekday() <= _FRIDAY)

    def pass_day(self) -> None:
        """Let the next working day come; it has its tick, and all that follows from it."""
        self.today, self.hour = self.tomorrow, _MORNING
        self.played.tick(self.today, hour=self.hour)

    def pass_hour(self) -> None:
        """Let an hour of the day go by, with its tick and all that follows from it."""
        self.hour += 1
        self.played.tick(self.today, hour=self.hour)

    @contextmanager
    def senders_held_up(self) -> Iterator[None]:
        """Let an hour go by while nobody carries messages; what was decided waits for them, and then goes on."""
        [pid] = [each.pid for each in self.supervisor.status() if each.name == "notifier"]
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            self.hour += 1
            self.played.strike(self.today, hour=self.hour)
            yield
        finally:
            os.kill(pid, signal.SIGCONT)
        self.played.rest()

    def posted(self, account: str, *, channel: str, step: str = "*") -> list[Path]:
        """List what carriers have of an account: the files of mails, SMS or letters, in the order of their days."""
        company, _, customer = account.partition(":")
        folder, suffix = _CARRIED[channel]
        return sorted((self.settings.data_dir / folder / company).glob(f"*/{customer}-{step}-*{suffix}"))

    def arrive(self, browser: Browser, user: str, **how: Any) -> BrowserContext:
        """Open a browser of somebody who is logged in; ``how`` as playwright's ``new_context``."""
        with self.asking(user) as client:
            [cookie] = client.cookies.jar
        context = browser.new_context(base_url=self.address, **how)
        context.add_cookies([{"name": cookie.name, "value": str(cookie.value), "url": self.address}])
        context.set_default_timeout(PATIENCE_MS)
        return context

    @contextmanager
    def asking(self, user: str) -> Iterator[httpx.Client]:
        """Ask for pages as somebody who is logged in, without a browser."""
        with httpx.Client(base_url=self.address, timeout=PATIENCE_MS / 1000) as client:
            answer = client.post("/login", data={"user": user, "password": PASSWORD, "then": "/"})
            assert 303 == answer.status_code, answer.text
            yield client

    def leave_in_doubt(self, account: str, *, channel: Channel) -> None:
        """Leave the latest delivery of an account as a notifier does that dies while it hands it over."""
        mine = and_(send_jobs.c["account"] == account, send_jobs.c["channel"] == channel)
        latest = select(send_jobs.c["reminder"]).where(mine, send_jobs.c["state"] == "accepted")
        engine = open_engine(self.settings.database)
        try:
            with writing(engine) as connection:
                ordered = latest.order_by(send_jobs.c["tick"].desc()).limit(1)
                reminder = connection.execute(ordered).scalar_one()
                left = update(send_jobs).where(mine, send_jobs.c["reminder"] == reminder)
                connection.execute(left.values(state="unknown", error_type="interrupted", detail=CUT_OFF))
            now = datetime.datetime.now(datetime.UTC)
            note = Note(at=now, author="worker 1", what="interrupted", detail=CUT_OFF)
            Doubts(engine, channel=channel).note(reminder, note)
        finally:
            engine.dispose()

    def reports(self) -> int:
        """Count what browsers have reported of the policy."""
        [target] = [
            each for each in read_targets(targets_file(self.settings.data_dir)) if each.process == "console"
        ]
        with urllib.request.urlopen(f"http://{target.address}/metrics", timeout=60) as answer:
            text = answer.read().decode()
        [count] = re.findall(r"^cobranza_csp_reports_total (\S+)$", text, re.MULTILINE)
        return int(float(count))


@contextmanager
def opened_house(
    broker: str, *, prefix: str, data_dir: Path, database_url: str | None = None
) -> Iterator[House]:
    """Run an installation of companies that have dunned for three weeks."""
    wanted = Settings(data_dir=data_dir, bootstrap_servers=broker, topic_prefix=prefix)
    if database_url is not None:
        wanted = wanted.model_copy(update={"database_url": database_url})
    with prepare(wanted) as settings, ExitStack() as opened:
        documents = opened.enter_context(serving(data_dir))
        for language, kind, number in itertools.product(LANGUAGES, FETCHED, "123"):
            for form, answer in _FILES.items():
                documents.answers[f"/{kind}-{language}-{number}.{form}"] = answer
        port = free_port()
        web = f"http://127.0.0.1:{port}"
        (settings.data_dir / PRICES).write_text(_PRICES, encoding="utf-8")
        told = {
            "COBRANZA_CONSOLE_PORT": str(free_port(besides=port)),
            "COBRANZA_WEB_PORT": str(port),
            "COBRANZA_PUBLIC_URL": web,
            "COBRANZA_LINK_SECRETS": SECRET,
            "COBRANZA_SEND_DOCUMENTS_HOSTS": f"127.0.0.1:{documents.port}",
            "COBRANZA_SEND_DOCUMENTS_PRIVATE": "true",
            "COBRANZA_SEND_DOCUMENTS_CA_FILE": str(documents.ca_file),
        }
        # Other installations of this run have ports of their own: it is told to this one alone.
        with mock.patch.dict(os.environ, told | _PATIENCE):
            supervisor = opened.enter_context(running(settings, clock=False, web=True, console=True))
        await_ready(settings, groups=groups_of(settings), check=supervisor.check)
        _employ(settings)
        with open_play(settings, check=supervisor.check) as play:
            played = Played(settings, play, web=web)
            played.publish(*beginning(documents=documents.url_here))
            for days, day in PLAYED.items():
                played.tick(day)
                if days == 15:
                    played.publish(*promises())
            address = address_of(supervisor.services(), "console")
            with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
                for page in (f"{address}/login", f"{web}/robots.txt"):
                    assert 200 == client.get(page, timeout=60).status_code
            yield House(settings, address, played, max(PLAYED.values()), supervisor)


def _employ(settings: Settings) -> None:
    """Somebody of each role who sees all companies, and for each language who may do everything in his own."""
    engine = open_engine(settings.database)
    now = datetime.datetime.now(datetime.UTC)
    book = PeopleBook(engine)
    try:
        for role in ROLES:
            book.put(User(user=role, role=role, password_hash=_HASH), at=now)
        for language in LANGUAGES:
            own = User(
                user=f"ana-{language}",
                role="administrator",
                password_hash=_HASH,
                language=language,
                companies=(COMPANIES[language].company,),
            )
            book.put(own, at=now)
    finally:
        engine.dispose()

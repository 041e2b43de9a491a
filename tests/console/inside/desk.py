"""A person at the console: the application on a story's read model; what is asked is folded and projected at once."""

import datetime
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from argon2 import PasswordHasher
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine, select

from console.publishing import PublishError
from console.web.inside.app import inside_app, make_routes
from console.web.inside.parts import InsideParts
from console.web.inside.settings import ConsoleSettings
from infra.database.engine import reading, writing
from infra.database.people import PeopleBook, Role, User
from infra.database.tables import reminder_items
from infra.projection.batch import Batch
from infra.projection.facts import project_fact, project_outcome
from infra.projection.rows import project_row
from infra.settings import Settings
from schemas.codec import encode, type_of
from schemas.envelope import Envelope, to_headers
from schemas.facts import LedgerFact
from schemas.fields import Channel, split_account_id
from schemas.journal import SourceEvent, TickPassed
from schemas.outcomes import DeliveryStatus, OutcomeReported
from tests.infra.database.played import play_into
from tests.scenarios.on_core import Stage

PASSWORD = "correct horse battery"
NOW = datetime.datetime(2026, 3, 2, 9, tzinfo=datetime.UTC)
# A hash says by itself how much work it is; one of full strength would cost each login here half a second.
_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


@dataclass
class Desk:
    """A console; ``now`` is the clock, ``asked`` what was published; ``reaches_kafka``: or it was refused."""

    engine: Engine
    folder: Path
    story: str
    now: datetime.datetime = NOW
    reaches_kafka: bool = True
    is_behind: bool = False
    asked: list[SourceEvent] = field(default_factory=list)
    unread: list[LedgerFact] = field(default_factory=list)
    shown: dict[bytes, bytes] = field(default_factory=dict)
    stage: Stage = field(init=False)
    people: PeopleBook = field(init=False)
    browser: TestClient = field(init=False)

    def __post_init__(self) -> None:
        """Play the story and make the application."""
        self.stage = play_into(self.engine, self.story, folder=self.folder)
        self.shown = dict(self.stage.partition.rows())
        self.people = PeopleBook(self.engine)
        self.parts = InsideParts(
            settings=Settings(data_dir=self.folder),
            console=ConsoleSettings(written_s_max=0.0, answer_wait_s=60.0, answer_fresh_s=0.0),
            engine=self.engine,
            people=self.people,
            clock=lambda: self.now,
            publish=self._publish,
        )
        self.browser = self.another_browser()

    def another_browser(self) -> TestClient:
        """Give a browser without cookies."""
        return TestClient(inside_app(self.parts), base_url="http://console.test", follow_redirects=False)

    def routes(self) -> list[APIRoute]:
        """Give the application's routes, in the order in which they are looked at."""
        return [each for each in make_routes(self.parts).routes if isinstance(each, APIRoute)]

    def employ(
        self, user: str, *, role: Role = "collector", language: str = "en", companies: tuple[str, ...] = ()
    ) -> None:
        """Let somebody use the console."""
        person = User(user=user, role=role, password_hash=_HASH, language=language, companies=companies)
        self.people.put(person, at=self.now)

    def log_in(self, user: str, *, password: str = PASSWORD, browser: TestClient | None = None) -> Response:
        """Log in."""
        client = browser or self.browser
        answer: Response = client.post("/login", data={"user": user, "password": password})
        return answer

    def at_work(self, user: str = "ana", **told: object) -> "Desk":
        """Employ somebody who logs in."""
        self.employ(user, **told)  # type: ignore[arg-type]  # as `employ` takes them
        assert 303 == self.log_in(user).status_code
        return self

    def submit(self, page: str, action: str, **fields: str) -> Response:
        """Fill in the form of a page and send it, hidden fields as they are."""
        text = html.unescape(self.browser.get(page).text)
        forms = re.findall(r'<form method="post" action="([^"]+)"[^>]*>(.*?)</form>', text, re.DOTALL)
        form = next(inner for path, inner in forms if path.endswith(action))
        hidden: dict[str, list[str] | str] = {}
        for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form):
            hidden[name] = [*hidden.get(name, []), value]
        target = next(path for path, _ in forms if path.endswith(action))
        came_from = {"referer": f"http://console.test{page}"}
        answer: Response = self.browser.post(target, data=hidden | fields, headers=came_from)
        return answer

    def pass_time(self, at: datetime.datetime) -> None:
        """Let the ledger's clock say that it is now ``at``, and the notifier send what is due."""
        self.now = at
        self._project(self.stage.take(TickPassed(at=at, mode="played")))

    def report(
        self, channel: Channel, status: DeliveryStatus, *, account: str = "acme:C1", reminder: str = ""
    ) -> None:
        """Let the notifier say what became of a reminder, the account's latest if none is named."""
        company, customer = split_account_id(account)
        outcome = OutcomeReported(
            company=company,
            customer=customer,
            occurred_at=self.now.isoformat(),
            reminder=reminder or self.stage.latest[account],
            channel=channel,
            status=status,
        )
        batch, envelope = Batch(), Envelope(id=outcome.reminder, source="/tests", type=type_of(outcome))
        project_outcome(batch, headers=to_headers(envelope), value=encode(outcome), partition=0, offset=1)
        with writing(self.engine) as connection:
            batch.apply(connection)
        self._project(self.stage.take(outcome))

    def reminders_of(self, item: str) -> list[str]:
        """List the reminders that have had a document."""
        query = select(reminder_items.c["reminder"]).where(reminder_items.c["item"] == item)
        with reading(self.engine) as connection:
            return list(connection.execute(query).scalars())

    def _publish(self, events: Sequence[SourceEvent]) -> None:
        if not self.reaches_kafka:
            raise PublishError("the broker cannot be reached")
        self.asked += events
        self._project([fact for event in events for fact in self.stage.fold(event)])

    def catch_up(self) -> None:
        """Let the read model have what it was behind with."""
        self._project([])

    def _project(self, facts: Sequence[LedgerFact]) -> None:
        self.unread += facts
        if self.is_behind:
            return
        batch = Batch()
        rows = self.stage.partition.rows()
        for key in self.shown.keys() - rows.keys():
            project_row(batch, key=key, value=None, partition=0)
        for key, value in rows.items():
            project_row(batch, key=key, value=value, partition=0)
        self.shown = dict(rows)
        for offset, fact in enumerate(self.unread, start=len(self.stage.log)):
            project_fact(batch, value=encode(fact), offset=offset, recorded_at=self.now)
        self.unread.clear()
        with writing(self.engine) as connection:
            batch.apply(connection)

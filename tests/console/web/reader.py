"""A reader of a message before the pages behind its links: the application on a database, without Kafka."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import Engine

from console.web.app import outside_app
from console.web.parts import WebParts
from console.web.settings import WebSettings
from infra.database.links import LinkBook, NewAnswer
from infra.database.send_ledger import NewJob, SendLedger
from infra.settings import Settings
from notifiers.channel import Attachment
from notifiers.links import Links, LinkSettings
from schemas.answers import GiveAnswer
from schemas.commands import OptOut
from schemas.facts import ReminderDecided, ReminderItem
from schemas.journal import SourceEvent
from tests.notifiers.sending import TICK, know, reminder

SECRET = "a secret that only this test and nobody else knows"
LINKS = Links(LinkSettings(public_url="https://pay.example", link_secrets=SecretStr(SECRET)))
_asked: msgspec.json.Decoder[GiveAnswer | OptOut] = msgspec.json.Decoder(GiveAnswer | OptOut)


@dataclass
class Reader:
    """Somebody with a browser; ``published`` is what reached Kafka, ``now`` the clock."""

    engine: Engine
    data_dir: Path
    now: datetime.datetime = TICK + datetime.timedelta(days=1)
    web: WebSettings = field(default_factory=WebSettings)
    published: list[SourceEvent] = field(default_factory=list)
    woken: int = 0
    copies: dict[str, Attachment] = field(default_factory=dict)
    fetched_from: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Make the application."""
        parts = WebParts(
            settings=Settings(data_dir=self.data_dir),
            web=self.web,
            engine=self.engine,
            links=LINKS,
            clock=lambda: self.now,
            publish=self._publish,
            printed=lambda made: b"%PDF- " + made.id.encode(),
            copied=self._copied,
            is_fetched=lambda url: url in self.fetched_from,
            answered=self._answered,
        )
        self.browser = TestClient(outside_app(parts), base_url="https://pay.example", follow_redirects=False)

    def got(self, made: ReminderDecided | None = None, **changes: object) -> str:
        """Have a message that was sent, and give the path of its link to answer."""
        made = msgspec.structs.replace(made or reminder("r1", mode="live"), **changes)
        for each in made.deliveries:
            ledger = SendLedger(self.engine, channel=each.channel, owner="w", reader_age_s_max=60)
            ledger.record([job_of(made)])
        know(self.engine, account=made.account, clock=self.now)
        return self.path(made)

    def path(self, made: ReminderDecided, *, purpose: str = "answer") -> str:
        """Give the path of a link of a message."""
        channel = made.deliveries[0].channel
        makes = {"answer": LINKS.answer, "unsubscribe": LINKS.unsubscribe, "letter": LINKS.letter}
        return makes[purpose](made, channel=channel).removeprefix("https://pay.example")

    def document(self, made: ReminderDecided, *, item: str) -> str:
        """Give the path of one document of a message."""
        url = LINKS.document(made, channel=made.deliveries[0].channel, item=item)
        return url.removeprefix("https://pay.example")

    @property
    def kept(self) -> list[NewAnswer]:
        """What waits for Kafka."""
        return LinkBook(self.engine).unpublished(limit=100)

    @property
    def asked(self) -> list[GiveAnswer | OptOut]:
        """The commands that wait for Kafka."""
        return [_asked.decode(each.event_json) for each in self.kept]

    def _publish(self, events: Sequence[SourceEvent]) -> None:
        self.published += events

    def _copied(self, _: ReminderDecided, item: ReminderItem) -> Attachment | None:
        return self.copies.get(item.item)

    def _answered(self) -> None:
        self.woken += 1


def job_of(made: ReminderDecided) -> NewJob:
    """Record a message as the notifier does."""
    return NewJob(
        reminder=made.id,
        account=made.account,
        company=made.company,
        partition=0,
        mode=made.mode,
        tick=made.tick,
        not_before=made.tick,
        decision_version=made.decision_version,
        reminder_json=msgspec.json.encode(made).decode(),
    )

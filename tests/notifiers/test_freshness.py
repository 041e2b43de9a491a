"""R32 with all processes of an installation: who has paid before the last look is not written to, and how long that took."""

import asyncio
import contextlib
import datetime
import re
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Self

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from msgspec.structs import replace
from sqlalchemy import Engine, func, select

from benchmarks.end_to_end import ANY_TIME, run_command
from benchmarks.workload import COMPANY, PLAN, PROFILE
from infra.database.engine import open_engine, reading
from infra.database.migrate import upgrade
from infra.database.send_tables import send_jobs
from infra.database.tables import accounts, reminders
from infra.kafka import consumers, topics
from infra.ports import free_port
from infra.settings import Settings
from schemas import envelope
from schemas.codec import TOPIC_OF_TYPE, encode, type_of
from schemas.events import Contact, InvoiceIssued, PaymentLine, PaymentReceived
from schemas.fields import account_id

pytestmark = pytest.mark.system

_CUSTOMERS: Final = 24
_S_MAX: Final = 120.0
_PROCESSES: Final = (("worker", "intake"), ("worker", "ledger"), ("clock",), ("projector",))
_TO: Final = re.compile(rb"(?mi)^To:.*?(c\d+)@")


class HeldServer:
    """Takes mails one by one, and none before it is let go. A context.

    Attributes:
        called: customers whose mail it was given, in order.
        let_go: set: it answers.
    """

    def __init__(self) -> None:
        self.called: list[str] = []
        self.let_go = threading.Event()
        self.port = free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go.set()
        self._controller.stop()

    async def handle_DATA(self, _server: SMTP, _session: Session, mail: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Take a mail."""
        content = mail.content
        found = _TO.search(content if isinstance(content, bytes) else str(content).encode())
        assert found is not None
        self.called.append(found[1].decode())
        await asyncio.to_thread(self.let_go.wait)
        return "250 2.0.0 taken"


class Town:
    """An installation's broker and database: what its customers publish, and what is known of it."""

    def __init__(self, settings: Settings, *, engine: Engine, producer: Any) -> None:
        self._settings, self._engine, self._producer = settings, engine, producer
        self._before: dict[str, int] = {}
        self.published_s: dict[str, float] = {}
        self.known_s: dict[str, float] = {}

    def send(self, event: Any, *, id: str) -> None:  # noqa: A002 - the envelope's word
        """Publish a fact, and wait until the broker has it."""
        kind = type_of(event)
        self._producer.send(
            self._settings.topic(TOPIC_OF_TYPE[kind]),
            key=getattr(event, "customer", COMPANY).encode(),
            value=encode(event),
            headers=envelope.to_headers(envelope.Envelope(id=id, source="town", type=kind)),
        ).get(120)

    def invoice(self, customer: str) -> None:
        """Send a customer an invoice that was due yesterday."""
        today = datetime.datetime.now(datetime.UTC).date()
        issued = InvoiceIssued(
            company=COMPANY,
            customer=customer,
            occurred_at=today.isoformat(),
            document=f"INV-{customer}",
            currency="USD",
            amount="120.50",
            due_date=today - datetime.timedelta(days=1),
            contact=Contact(email=f"{customer}@customer.example", address=("High Street 1", "Anytown")),
        )
        self.send(issued, id=f"e-{customer}")

    def pay(self, customer: str) -> None:
        """Pay it."""
        paid = PaymentReceived(
            company=COMPANY,
            customer=customer,
            occurred_at=datetime.datetime.now(datetime.UTC).date().isoformat(),
            payment=f"PAY-{customer}",
            currency="USD",
            amount="120.50",
            lines=(PaymentLine(document=f"INV-{customer}", amount="120.50"),),
        )
        self._before |= self._versions([customer])
        self.published_s[customer] = time.time()
        self.send(paid, id=f"p-{customer}")

    def look(self) -> bool:
        """Note which payments have reached where claim and intent look; say whether all have."""
        open_ = [each for each in self.published_s if each not in self.known_s]
        versions, now_s = self._versions(open_), time.time()
        self.known_s |= {each: now_s for each in open_ if versions[each] > self._before[each]}
        return len(self.known_s) == len(self.published_s)

    def decided(self) -> int:
        """Count the reminders that the ledger has decided."""
        with reading(self._engine) as connection:
            return connection.execute(select(func.count()).select_from(reminders)).scalar_one()

    def jobs(self) -> dict[str, tuple[str, float]]:
        """Read state, and when the intent was written (epoch seconds), of each customer's mail."""
        query = select(send_jobs.c.account, send_jobs.c.state, send_jobs.c.intended_at)
        with reading(self._engine) as connection:
            rows = connection.execute(query.where(send_jobs.c.channel == "email")).all()
        return {row[0].partition(":")[2]: (row[1], row[2].timestamp() if row[2] else 0.0) for row in rows}

    def _versions(self, customers: Sequence[str]) -> dict[str, int]:
        names = {account_id(company=COMPANY, customer=each): each for each in customers}
        query = select(accounts.c.account, accounts.c.version).where(accounts.c.account.in_(names))
        with reading(self._engine) as connection:
            return {names[row[0]]: row[1] for row in connection.execute(query)}


def _until(condition: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + _S_MAX
    while not condition():
        assert time.monotonic() < deadline_s, what
        time.sleep(0.005)


@pytest.fixture
def server() -> Iterator[HeldServer]:
    """Give a mail server that holds the first mail."""
    with HeldServer() as opened:
        yield opened


@pytest.fixture
def town(
    broker: str, namespace: str, server: HeldServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Town, Settings]]:
    """Give an installation whose ledger has decided a reminder for each customer; its notifier does not run yet."""
    settings = Settings(
        bootstrap_servers=broker, topic_prefix=namespace, partitions=2, source_partitions=1, data_dir=tmp_path
    )
    given = {
        "TOPIC_PREFIX": namespace,
        "PARTITIONS": "2",
        "SOURCE_PARTITIONS": "1",
        "SEND_EMAIL": "smtp",
        "SEND_SMTP_HOST": "127.0.0.1",
        "SEND_SMTP_PORT": str(server.port),
        "SEND_SMTP_SECURITY": "none",
        "SEND_SMTP_SENDER": "desk@company.example",
        "SEND_SMTP_CONNECTIONS": "1",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"COBRANZA_{name}", value)
    topics.apply(settings)
    engine = open_engine(settings.database)
    upgrade(engine)
    with contextlib.ExitStack() as stack:
        for words in _PROCESSES:
            stack.enter_context(run_command(words, settings))
        producer = stack.enter_context(consumers.producer(bootstrap_servers=broker, linger_ms=0))
        made = Town(settings, engine=engine, producer=producer)
        made.send(replace(PROFILE, decision_hour=0), id="profile-1")
        made.send(PLAN, id="plan-1")
        made.send(ANY_TIME, id="law-1")
        for number in range(_CUSTOMERS):
            made.invoice(f"c{number}")
        _until(lambda: made.decided() == _CUSTOMERS, "not all reminders are decided")
        yield made, settings
    engine.dispose()


def test_who_paid_before_the_last_look_is_not_written_to(
    town: tuple[Town, Settings], server: HeldServer, record_property: Callable[[str, object], None]
) -> None:
    """Issue 6, point 3: while the first mail is under way eight customers pay and are known to have; four more pay as it ends.

    The eight get none, everybody else who has not paid gets one; of the four nobody whose payment was known when the
    intent was written. How long each payment took to stop its mail is written down, and judged by nobody.
    """
    here, settings = town
    with run_command(("notifier", "--channel", "email"), settings):
        _until(lambda: bool(server.called), "no mail is under way")
        first = server.called[0]
        waiting = [f"c{number}" for number in range(_CUSTOMERS) if f"c{number}" != first]
        early, late = set(waiting[:8]), set(waiting[8:12])
        for customer in sorted(early):
            here.pay(customer)
        _until(here.look, "payments are not known")
        for customer in sorted(late):
            here.pay(customer)
        server.let_go.set()
        _until(here.look, "payments are not known")
        ended = {"accepted", "superseded", "failed", "unknown"}
        _until(
            lambda: len(here.jobs()) == _CUSTOMERS and {state for state, _ in here.jobs().values()} <= ended,
            "not all mails have ended",
        )
    states = {customer: state for customer, (state, _) in here.jobs().items()}
    intended_s = {customer: at_s for customer, (_, at_s) in here.jobs().items()}
    written = {customer for customer, state in states.items() if state == "accepted"}
    unpaid = {f"c{number}" for number in range(_CUSTOMERS)} - early - late
    assert early == {customer for customer in early if states[customer] == "superseded"}
    assert unpaid == written - late
    assert dict.fromkeys(written, 1) == Counter(server.called)
    assert {"accepted", "superseded"} >= {states[customer] for customer in late}
    assert set() == {each for each in late & written if intended_s[each] > here.known_s[each]}
    took_ms = [1e3 * (here.known_s[each] - at_s) for each, at_s in here.published_s.items()]
    said = f"{statistics.median(took_ms):.0f} ms, at most {max(took_ms):.0f} ms"
    record_property("payment published to sending stopped", said)
    sys.stdout.write(
        f"payment published to sending stopped: {said}; {len(late & written)} of 4 had gone before\n"
    )

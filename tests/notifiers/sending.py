"""What tests of sending start from: reminders, a read model that is as far as told, a clock, a channel."""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec
from sqlalchemy import Engine, delete, insert, select

from infra.database.engine import reading, writing
from infra.database.send_ledger import SendLedger
from infra.database.send_tables import send_jobs
from infra.database.send_values import Job
from infra.database.tables import accounts, clocks, live_rows
from infra.metrics.tally import Tally
from notifiers.channel import Channel, Message, Receipt
from notifiers.dispatch import Dispatcher, Manner
from notifiers.gates.gate import Gate, Screen, all_pass
from notifiers.reading import ReadReminder
from notifiers.writing.render import Renderer
from notifiers.writing.samples import sample_reminder
from schemas.events import Contact
from schemas.facts import Delivery, ReminderDecided
from schemas.fields import Channel as ChannelName
from schemas.journal import JournalMode
from schemas.rows import AccountRow, encode_row

TICK = datetime.datetime(2012, 3, 4, 12, tzinfo=datetime.UTC)
CONTACT = Contact(
    name="Zoë Ñandú", email="zoe@customer.example", phone="+34600000000", address=("Calle 1", "28001 Madrid")
)
RENDERER = Renderer()


def reminder(
    name: str = "r1",
    *,
    account: str = "acme:C1",
    version: int = 5,
    mode: JournalMode = "played",
    channels: tuple[ChannelName, ...] = ("email",),
    contact: Contact = CONTACT,
    tick: datetime.datetime = TICK,
    not_before: datetime.datetime | None = None,
    template: str = "first",
    cc: tuple[Contact, ...] = (),
) -> ReminderDecided:
    """Make a reminder."""
    company, _, customer = account.partition(":")
    return msgspec.structs.replace(
        sample_reminder(kind=template, language="en"),
        id=name,
        account=account,
        company=company,
        customer=customer,
        decision_version=version,
        mode=mode,
        tick=tick,
        template=template,
        deliveries=tuple(
            Delivery(channel=each, not_before=not_before or tick, contact=contact, cc=cc) for each in channels
        ),
    )


def read(made: ReminderDecided, *, partition: int = 0) -> ReadReminder:
    """Give a reminder as it is read from Kafka."""
    return ReadReminder(partition=partition, reminder=made, text=msgspec.json.encode(made).decode())


def know(
    engine: Engine,
    *,
    account: str = "acme:C1",
    version: int = 5,
    clock: datetime.datetime | None = TICK,
    partition: int = 0,
) -> None:
    """Bring the read model to this version of an account, and its partition's clock to this instant."""
    with writing(engine) as connection:
        connection.execute(delete(accounts).where(accounts.c.account == account))
        connection.execute(
            insert(accounts).values(
                account=account,
                company="acme",
                customer=account.partition(":")[2],
                partition=partition,
                version=version,
                sequence=0,
                mode="automatic",
                open_reminder="",
                quarantined="",
            )
        )
        connection.execute(delete(clocks).where(clocks.c.partition == partition))
        if clock is not None:
            connection.execute(
                insert(clocks).values(partition=partition, at=clock, mode="played", journal_offset=0)
            )


def merge(engine: Engine, account: str, *, into: str) -> None:
    """Have the ledger say that a customer is the same as another one of the company (SEMANTICS 2.6)."""
    row = AccountRow(account=account, merged_into=into)
    values = {
        "owner": account,
        "kind": "account",
        "name": "",
        "row_json": encode_row(row).decode(),
    }
    with writing(engine) as connection:
        connection.execute(insert(live_rows).values(values))


def states(engine: Engine) -> dict[str, str]:
    """Read each job's state: '<reminder>/<channel>' -> state."""
    with reading(engine) as connection:
        rows = connection.execute(select(send_jobs.c.reminder, send_jobs.c.channel, send_jobs.c.state))
        return {f"{row[0]}/{row[1]}": row[2] for row in rows}


def job_row(engine: Engine, name: str = "r1", *, channel: str = "email") -> dict[str, object]:
    """Read all of one job."""
    query = select(send_jobs).where(send_jobs.c.reminder == name, send_jobs.c.channel == channel)
    with reading(engine) as connection:
        return dict(connection.execute(query).mappings().one())


@dataclass
class SettableClock:
    """A wall clock that stands still."""

    now: datetime.datetime = TICK

    def __call__(self) -> datetime.datetime:
        """Read it."""
        return self.now

    def pass_s(self, seconds: float) -> None:
        """Move it on."""
        self.now += datetime.timedelta(seconds=seconds)


@dataclass
class ScriptedChannel:
    """Answers as told, in order, then accepts; remembers what it was asked. It cannot trace."""

    answers: list[Exception] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def send(self, message: Message) -> Receipt:
        """Take the message, or raise the next answer."""
        self.asked.append(message.reminder)
        if self.answers:
            raise self.answers.pop(0)
        return Receipt(provider_id=f"id-{message.reminder}")


@dataclass
class ScriptedTracer(ScriptedChannel):
    """The same, and it knows what became of a message."""

    taken: set[str] = field(default_factory=set)

    def find(self, message: Message) -> Receipt | None:
        """Say whether it was taken."""
        return Receipt(provider_id="found") if message.reminder in self.taken else None


MANNER = Manner(doubt="hold", attempts_max=3, retry_s_first=10.0, retry_s_max=60.0)


def dispatcher(
    engine: Engine,
    *,
    channel: Channel,
    name: ChannelName = "email",
    owner: str = "me",
    clock: Callable[[], datetime.datetime] | None = None,
    manner: Manner = MANNER,
    gates: Sequence[Gate] = (),
    screen: Screen = all_pass,
    is_gone: Callable[[Job], bool] = lambda _: True,
    sendings: Tally | None = None,
    render: Callable[[ReminderDecided, ChannelName], Message] = RENDERER.message,
    prepare: Callable[[Sequence[Job]], None] | None = None,
) -> Dispatcher:
    """Make a dispatcher without chance: its jitter is always 0."""
    return Dispatcher(
        ledger=SendLedger(engine, channel=name, owner=owner, reader_age_s_max=60.0),
        channel=channel,
        render=render,
        manner=manner,
        clock=clock or SettableClock(),
        jitter=lambda: 0.0,
        is_gone=is_gone,
        gates=gates,
        screen=screen,
        sendings=sendings,
        prepare=prepare,
    )

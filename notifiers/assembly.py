"""Which parts make a sending loop, chosen by the settings; opened here, closed with the context."""

import datetime
import random
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from sqlalchemy import Engine

from infra.database.own_text_book import OwnTextBook
from infra.database.presence import is_gone, present
from infra.database.send_ledger import SendLedger
from infra.database.send_values import Job
from infra.errors import OperatorError
from infra.kafka.consumers import close_in_time, consumer, producer
from infra.metrics.pulse import Pulses
from infra.metrics.tally import Tally
from infra.settings import Settings
from notifiers.answer_files import ANSWER_FILES, AnswerFiles, enclosing_answers
from notifiers.channel import Channel, Message
from notifiers.dispatch import Dispatcher, Manner
from notifiers.doubt import Arbiter
from notifiers.enclosing.enclosures import Enclosures
from notifiers.enclosing.opening import open_enclosures
from notifiers.enclosing.settings import DocumentSettings
from notifiers.enclosing.statements import StatementPress, enclosing_statements
from notifiers.faults import Faults
from notifiers.feedback.suppressing import sparing, suppressing
from notifiers.gates.gate import Gate
from notifiers.limits import LimitSettings, open_limits, prices_of, worded
from notifiers.links import Links, LinkSettings
from notifiers.mail.settings import DkimSettings, SesSettings, SmtpSettings
from notifiers.mail.smtp import smtp_channel
from notifiers.noting import Noter, sendings_tally, written_of
from notifiers.outcomes import OutcomePublisher
from notifiers.paper.opening import LETTERS, open_letters
from notifiers.reading import PutAside, aside_tally
from notifiers.recorder import Recorder
from notifiers.redirecting import guarded, rehearsed
from notifiers.second_look import Look, anybody, only
from notifiers.settings import DoubtPolicy, SendSettings, SettingsError, read_settings
from notifiers.sms.settings import TwilioSettings
from notifiers.task import TaskList
from notifiers.worker import Worker
from notifiers.writing.render import Renderer, templates_folder
from notifiers.writing.shared_texts import SharedTexts
from schemas.facts import ReminderDecided
from schemas.fields import Channel as ChannelName
from schemas.registry import dead_letter_of

__all__ = [
    "DOCUMENTS",
    "LETTERS",
    "OUTBOX",
    "REMINDERS",
    "TEMPLATES",
    "carrier_faults",
    "holder_is_gone",
    "manner_of",
    "open_arbiter",
    "open_channel",
    "open_gates",
    "open_render",
    "open_texts",
    "open_worker",
    "utc_now",
]

REMINDERS = "collections.reminder.v1"
_OUTCOMES = "notify.outcome.v1"
OUTBOX = "outbox"
DOCUMENTS = "documents"  # that were fetched to go with mails, for a while
TEMPLATES = "templates"  # a folder per company, before what ships
_SESSION_MS = 10_000
# While the broker is away: so long it is asked where a topic is, and so long connections take to close.
_ASKED_MS_MAX = 2_000
_CLOSE_S_MAX = 3


def utc_now() -> datetime.datetime:
    """Read the wall clock."""
    return datetime.datetime.now(datetime.UTC)


def open_channel(
    name: ChannelName,
    *,
    settings: Settings,
    send: SendSettings,
    engine: Engine,
    clock: Callable[[], datetime.datetime],
) -> Channel:
    """Give the channel that the settings name; without settings, one that writes files.

    Nothing is connected to yet. While a sandbox is set, nothing gets to a carrier with another address.

    Raises:
        OperatorError: what its provider needs is not set, or is wrong.
    """
    carrier = _carrier(name, settings=settings, send=send, engine=engine, clock=clock)
    return guarded(carrier, to=send.sandbox)


def carrier_faults(
    channels: Iterable[ChannelName], *, settings: Settings, send: SendSettings, engine: Engine
) -> dict[ChannelName, str]:
    """Say of which channels carrier, caps or prices cannot be opened, and why; nothing is connected to."""
    faults: dict[ChannelName, str] = {}
    for name in channels:
        try:
            open_channel(name, settings=settings, send=send, engine=engine, clock=utc_now)
            open_gates(name, settings=settings, send=send, engine=engine)
            prices_of(settings, limits=read_settings(LimitSettings))
        except OperatorError as error:
            faults[name] = str(error)
    return faults


def _carrier(
    name: ChannelName,
    *,
    settings: Settings,
    send: SendSettings,
    engine: Engine,
    clock: Callable[[], datetime.datetime],
) -> Channel:
    """Open a provider: a line for each, and what it needs is read only here."""
    look = only(send.sandbox) if send.sandbox else anybody
    match name, send.provider(name):
        case "task", _:
            return TaskList(engine)
        case "letter", provider:
            return open_letters(provider, data_dir=settings.data_dir, engine=engine, clock=clock, look=look)
        case "email", "smtp":
            return smtp_channel(
                read_settings(SmtpSettings), dkim=read_settings(DkimSettings), clock=clock, look=look
            )
        case "email", "ses":
            return _ses(clock, look=look)
        case "sms", "twilio":
            return _twilio(engine, look=look)
        case _, "recorder":
            return Recorder(settings.data_dir / OUTBOX)
        case _, provider:
            raise SettingsError(f"COBRANZA_SEND_{name.upper()}: nobody carries {name} by {provider}")


@contextmanager
def open_worker(
    name: ChannelName,
    *,
    settings: Settings,
    send: SendSettings,
    engine: Engine,
    member: str | None,
    pulses: Pulses | None = None,
    sendings: Tally | None = None,
    letters: Tally | None = None,
) -> Iterator[Worker]:
    """Give a worker for one channel, with Kafka clients of its own.

    Args:
        name: the channel.
        settings, send: of the installation.
        engine: of its database, which must be current.
        member: a fixed name in the consumer group: after a kill its partitions come
            back at once; None: they come back when the old session has timed out.
        pulses, sendings: see ``Worker`` and ``Dispatcher``.
        letters: counts what cannot be read; see ``aside_tally``.
    """
    servers = settings.brokers()
    ledger = SendLedger(
        engine, channel=name, owner=f"{name}-{uuid.uuid4().hex}", reader_age_s_max=send.reader_age_s_max
    )
    with ExitStack() as opened:
        still_present = opened.enter_context(present(engine, owner=ledger.owner))
        reader = consumer(
            bootstrap_servers=servers,
            group=settings.group(f"notify-{name}"),
            session_timeout_ms=_SESSION_MS,
            heartbeat_interval_ms=_SESSION_MS // 5,
            group_instance_id=None if member is None else f"{member}-{name}",
        )
        opened.callback(reader.close, timeout_ms=_CLOSE_S_MAX * 1_000)
        writer = producer(bootstrap_servers=servers, serves=True, max_block_ms=_ASKED_MS_MAX)
        opened.callback(close_in_time, writer, seconds_max=_CLOSE_S_MAX)
        enclosures = _enclosures(settings) if name in ("email", "letter") else None
        gates = open_gates(name, settings=settings, send=send, engine=engine)
        dispatcher = Dispatcher(
            ledger=ledger,
            channel=open_channel(name, settings=settings, send=send, engine=engine, clock=utc_now),
            render=open_render(name, settings=settings, send=send, engine=engine, enclosures=enclosures),
            screen=suppressing(engine),
            manner=manner_of(name, send=send),
            clock=utc_now,
            jitter=random.SystemRandom().random,
            is_gone=holder_is_gone(engine),
            gates=gates if enclosures is None else [enclosures, *gates],
            sendings=sendings,
            prepare=None if enclosures is None else enclosures.prepare,
        )
        yield Worker(
            reader=reader,
            source=settings.topic(REMINDERS),
            outcomes=OutcomePublisher(writer, target=settings.topic(_OUTCOMES), ledger=ledger),
            ledger=ledger,
            dispatcher=dispatcher,
            aside=PutAside(
                writer,
                channel=name,
                source=settings.topic(REMINDERS),
                target=settings.topic(dead_letter_of(REMINDERS)),
                tally=letters or aside_tally([name], source=settings.topic(REMINDERS)),
            ),
            still_present=still_present,
            pulses=pulses,
        )


def open_gates(name: ChannelName, *, settings: Settings, send: SendSettings, engine: Engine) -> list[Gate]:
    """Give what may put a channel's deliveries off before they are claimed, in the order of asking."""
    provider, limits = send.provider(name), read_settings(LimitSettings)
    return open_limits(name, provider=provider, settings=settings, limits=limits, engine=engine)


def _enclosures(settings: Settings) -> Enclosures | None:
    """Give who fetches the documents that go with mails and letters; None: they are linked."""
    return open_enclosures(
        read_settings(DocumentSettings), folder=settings.data_dir / DOCUMENTS, clock=utc_now
    )


def open_render(
    name: ChannelName,
    *,
    settings: Settings,
    send: SendSettings,
    engine: Engine,
    enclosures: Enclosures | None = None,
) -> Callable[[ReminderDecided, ChannelName], Message]:
    """Give what writes a channel's messages: twice the same, or nobody could ask a provider for one."""
    provider, limits = send.provider(name), read_settings(LimitSettings)
    links = Links(read_settings(LinkSettings))
    renderer = Renderer(
        own=settings.data_dir / TEMPLATES,
        fonts=send.letter_fonts,
        links=links,
        enclose=enclosing_answers(
            AnswerFiles(engine, settings.data_dir / ANSWER_FILES),
            otherwise=enclosing_statements(
                engine,
                press=StatementPress(templates_folder() / "layout", fonts=send.letter_fonts),
                otherwise=None if enclosures is None else enclosures.files,
            ),
        ),
    )
    rehearsing = rehearsed(sparing(renderer.message, engine=engine), to=send.sandbox)
    return worded(rehearsing, provider=provider, settings=settings, limits=limits)


def open_texts(settings: Settings, *, engine: Engine) -> SharedTexts:
    """Give what brings companies' own texts from the database to the folder that messages are written from."""
    return SharedTexts(OwnTextBook(engine), settings.data_dir / TEMPLATES)


def open_arbiter(name: ChannelName, *, settings: Settings, send: SendSettings, engine: Engine) -> Arbiter:
    """Give who ends doubts of a channel without a worker: for a person who wants the provider asked now."""
    ledger = SendLedger(engine, channel=name, owner="", reader_age_s_max=send.reader_age_s_max)
    manner, sendings = manner_of(name, send=send), sendings_tally(channels=[name])
    faults, render = (
        Faults(name, sendings=sendings),
        open_render(name, settings=settings, send=send, engine=engine),
    )
    noter = Noter(
        ledger=ledger, manner=manner, clock=utc_now, jitter=random.SystemRandom().random, sendings=sendings
    )
    return Arbiter(
        ledger=ledger,
        channel=open_channel(name, settings=settings, send=send, engine=engine, clock=utc_now),
        render=partial(written_of, render=render, faults=faults),
        noter=noter,
        manner=manner,
        clock=utc_now,
        is_gone=holder_is_gone(engine),
        faults=faults,
    )


def holder_is_gone(engine: Engine) -> Callable[[Job], bool]:
    """Give the question whether the worker that held a job is known not to exist any more."""
    return lambda job: is_gone(engine, owner=job.owner, since=job.intended_at or job.held_since)


def manner_of(name: ChannelName, *, send: SendSettings) -> Manner:
    """Give what the settings say about failures of a channel."""
    doubts: dict[ChannelName, DoubtPolicy] = {
        "email": send.email_doubt,
        "sms": send.sms_doubt,
        "letter": send.letter_doubt,
        "task": send.task_doubt,
    }
    return Manner(
        doubt=doubts[name],
        attempts_max=send.attempts_max,
        retry_s_first=send.retry_s_first,
        retry_s_max=send.retry_s_max,
        wait_days_max=send.wait_days_max,
        retry_after_s_max=send.retry_after_s_max,
    )


def _ses(clock: Callable[[], datetime.datetime], *, look: Look) -> Channel:
    from notifiers.mail.ses import ses_channel  # boto3 takes half a second to import

    if read_settings(DkimSettings).is_on:
        raise SettingsError("COBRANZA_SEND_DKIM_*: SES signs mails itself, and changes what we would sign")
    return ses_channel(read_settings(SesSettings), clock=clock, look=look)


def _twilio(engine: Engine, *, look: Look) -> Channel:
    from notifiers.sms.opening import twilio_channel  # its client takes a second to import

    public_url = read_settings(LinkSettings).public_url
    return twilio_channel(read_settings(TwilioSettings), engine=engine, public_url=public_url, look=look)

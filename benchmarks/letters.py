"""Letters on one core: set as PDF alone, through a print run (from jobs in SQL to files and manifest on disk), by a service.

Plain ones, with the codes that a telephone reads (to pay, to answer), and with somebody else's document enclosed.
Processor time of all threads counts: what waits for the disk or the service leaves the core to others. Kafka is not
among it (``mails.py`` has the loop around it).
"""

import argparse
import contextlib
import datetime
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import structlog
from msgspec import Struct, json
from msgspec.structs import replace
from pydantic import SecretStr
from sqlalchemy import Engine, func, insert, select

from benchmarks.figures import Figure, save
from benchmarks.mail_stand_ins import serving
from console.cli.logs import configure_logs
from infra.database.engine import open_engine, reading, writing
from infra.database.migrate import upgrade
from infra.database.send_ledger import SendLedger
from infra.database.send_tables import send_jobs
from infra.database.tables import accounts, clocks
from notifiers.channel import Attachment, Channel
from notifiers.dispatch import Dispatcher, Manner
from notifiers.links import Links, LinkSettings
from notifiers.paper.apart import foreign_reader
from notifiers.paper.opening import open_closer, open_post, open_print_run
from notifiers.paper.settings import PostSettings, PrintRunSettings
from notifiers.reading import ReadReminder
from notifiers.writing.render import Renderer
from notifiers.writing.samples import sample_reminder
from notifiers.writing.words import Words
from schemas.events import Contact
from schemas.facts import ReminderDecided

__all__ = ["letters", "main"]

_LETTERS: Final = 200
_PRINTED: Final = 500  # a full run
_WARM_UP: Final = 10
_BUDGET: Final = 100
_MANNER: Final = Manner(doubt="hold", attempts_max=3, retry_s_first=1.0, retry_s_max=1.0)
_LINKS: Final = Links(
    LinkSettings(public_url="https://cobranza.example.com", link_secrets=SecretStr("benchmark" * 4))
)
_PAGE: Final = "of one page, no two alike"
_DOCUMENTS: Final = 20  # different ones, each in turn


class _Sort(Struct, frozen=True, kw_only=True):
    """Letters of one sort: made by number, with links or without; ``note`` says what is in them."""

    make: Callable[[int], ReminderDecided]
    links: Links | None
    note: str


def main(arguments: Sequence[str] | None = None) -> None:
    """Print letters/s, alone, through a print run, and by a service."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--letters", type=int, default=_LETTERS, help="set alone")
    parser.add_argument("--printed", type=int, default=_PRINTED, help="of a run, and by the service")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args(arguments)
    save(letters(alone=chosen.letters, printed=chosen.printed), file=chosen.json)


def letters(*, alone: int = _LETTERS, printed: int = _PRINTED) -> list[Figure]:
    """Measure everything; ``alone`` letters without, ``printed`` ones with what is around them."""
    plain = _Sort(make=_plain, links=None, note=_PAGE)
    coded = _Sort(make=_with_codes, links=_LINKS, note=f"{_PAGE}, nor two codes")
    enclosing = _Sort(
        make=_with_enclosure,
        links=_LINKS,
        note=f"{_PAGE}, and a document of one page that is read and counted",
    )
    codes = "letters with two QR codes"
    return [
        _set_alone(plain, count=alone, name="letters (PDF/A, PDF/UA) of one core"),
        _set_alone(coded, count=alone, name=f"{codes} of one core"),
        _printed(
            plain,
            count=printed,
            name="letters through a print run, files and manifest on disk",
            budget=_BUDGET,
        ),
        _printed(coded, count=printed, name=f"{codes} through a print run", budget=_BUDGET),
        _printed(enclosing, count=printed, name=f"{codes} and an enclosed PDF through a print run"),
        _posted(coded, count=printed, name=f"{codes} by a print-and-post service"),
    ]


def _set_alone(sort: _Sort, *, count: int, name: str) -> Figure:
    """Measure the writing alone."""
    renderer = _renderer(sort)
    for number in range(_WARM_UP):
        renderer.message(sort.make(number), "letter")
    made = [sort.make(_WARM_UP + number) for number in range(count)]
    started = time.process_time()
    for each in made:
        assert renderer.message(each, "letter").pdf
    seconds = time.process_time() - started
    return Figure(
        name=name,
        unit="letters/s",
        values=[count / seconds],
        budget=_BUDGET,
        note=f"{count} letters {sort.note}, processor time of all threads",
    )


def _printed(sort: _Sort, *, count: int, name: str, budget: int = 0) -> Figure:
    """Measure a whole run: written, claimed, put into the spool and the run, written out with its manifest."""
    chosen = PrintRunSettings(letters_max=count)  # what warms up is in the run, too
    with _installed(sort, count=count) as (made, engine, folder):
        channel = open_print_run(chosen, data_dir=folder, engine=engine, clock=_clock)
        dispatcher = _dispatcher(engine, channel, sort)
        _carry(dispatcher, made[:_WARM_UP])
        begun, started = time.monotonic(), _processor_s()
        _carry(dispatcher, made[_WARM_UP:])
        (run,) = open_closer(chosen, data_dir=folder, engine=engine, clock=_clock).close()
        seconds, waited = _processor_s() - started, time.monotonic() - begun
        assert (run.state, run.letters) == ("closed", count), run
    return Figure(
        name=name,
        unit="letters/s",
        values=[(count - _WARM_UP) / seconds],
        budget=budget,
        note=f"a run of {count} letters {sort.note}, jobs and run in SQLite, processor time of all threads; "
        f"{waited:.1f} s with the waits for the disk",
    )


def _posted(sort: _Sort, *, count: int, name: str) -> Figure:
    """Measure letters that are handed over one by one, each with an intent and an outcome of its own."""
    with serving("post") as port, _installed(sort, count=count) as (made, engine, _):
        channel = open_post(
            PostSettings(url=f"http://127.0.0.1:{port}/v1", user="desk", key=SecretStr("key"))
        )
        dispatcher = _dispatcher(engine, channel, sort)
        _carry(dispatcher, made[:_WARM_UP])
        begun, started = time.monotonic(), time.process_time()
        _carry(dispatcher, made[_WARM_UP:])
        seconds, waited = time.process_time() - started, time.monotonic() - begun
        with reading(engine) as connection:
            ended = connection.execute(
                select(func.count()).where(send_jobs.c.state == "accepted")
            ).scalar_one()
        assert ended == count, ended
    return Figure(
        name=name,
        unit="letters/s",
        values=[(count - _WARM_UP) / seconds],
        budget=_BUDGET,
        note=f"{count} letters {sort.note}, to a stand-in on this machine, jobs in SQLite, processor time of all threads "
        f"of the sender; {waited:.1f} s with the waits for disk and service",
    )


def _processor_s() -> float:
    """Give the processor time of all threads, and of the process that reads others' documents: it is known when that has ended."""
    foreign_reader().close()
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


@contextlib.contextmanager
def _installed(sort: _Sort, *, count: int) -> Iterator[tuple[list[ReminderDecided], Engine, Path]]:
    """Give reminders, a database that knows them, and a folder."""
    with tempfile.TemporaryDirectory() as name, _logged_to(Path(name) / "log") as folder:
        engine = open_engine(f"sqlite:///{folder / 'letters.db'}")
        upgrade(engine)
        made = [sort.make(number) for number in range(count)]
        _know(engine, made)
        yield made, engine, folder
        engine.dispose()


@contextlib.contextmanager
def _logged_to(file: Path) -> Iterator[Path]:
    """Write the log as ``cobranza notifier`` does, into a file; give its folder."""
    before = structlog.get_config()
    configure_logs(verbose=False)
    try:
        with file.open("w") as log, contextlib.redirect_stderr(log):
            yield file.parent
    finally:
        structlog.configure(**before)


def _clock() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _renderer(sort: _Sort) -> Renderer:
    return Renderer(links=sort.links, enclose=_enclosed)


def _dispatcher(engine: Engine, channel: Channel, sort: _Sort) -> Dispatcher:
    return Dispatcher(
        ledger=SendLedger(engine, channel="letter", owner="bench", reader_age_s_max=60.0),
        channel=channel,
        render=_renderer(sort).message,
        manner=_MANNER,
        clock=_clock,
        jitter=lambda: 0.0,
        is_gone=lambda _: True,
    )


def _carry(dispatcher: Dispatcher, made: Sequence[ReminderDecided]) -> None:
    dispatcher.record(
        ReadReminder(partition=0, reminder=each, text=json.encode(each).decode()) for each in made
    )
    while dispatcher.run(partitions=[0]):
        pass


def _know(engine: Engine, made: Sequence[ReminderDecided]) -> None:
    """Bring the read model to where these reminders were decided (R32)."""
    rows = [
        {
            "account": each.account,
            "company": each.company,
            "customer": each.customer,
            "partition": 0,
            "version": each.decision_version,
            "sequence": 0,
            "mode": "automatic",
            "open_reminder": "",
            "quarantined": "",
        }
        for each in made
    ]
    at = max(delivery.not_before for each in made for delivery in each.deliveries)
    with writing(engine) as connection:
        connection.execute(insert(accounts), rows)
        connection.execute(insert(clocks), {"partition": 0, "at": at, "mode": "played", "journal_offset": 0})


def _plain(number: int) -> ReminderDecided:
    """Make a reminder like no other: what typst remembers from letter to letter helps no more than in production."""
    made = sample_reminder(kind="second", language="en")
    contact = Contact(name=f"Desk {number}", address=(f"Calle {number}", f"{number:05d} Madrid", "Spain"))
    items = tuple(
        replace(each, item=f"F-{number}-{place}", open_minor=each.open_minor + number)
        for place, each in enumerate(made.items)
    )
    return replace(
        made,
        id=hashlib.sha256(b"%d" % number).hexdigest()[:32],
        account=f"{made.company}:C{number:06d}",
        customer=f"C{number:06d}",
        items=items,
        others=(),
        other_totals=(),
        charges=(),
        charge_totals=(),
        credits=(),
        credit_totals=(),
        deliveries=tuple(replace(each, contact=contact) for each in made.deliveries),
    )


def _with_codes(number: int) -> ReminderDecided:
    """Make one that is paid and answered by telephone."""
    return replace(_plain(number), payment_link="https://pay.example.com/{customer}?reminder={reminder}")


def _with_enclosure(number: int) -> ReminderDecided:
    """Make one that takes a document along."""
    return replace(_with_codes(number), letter_documents=True)


def _enclosed(reminder: ReminderDecided, *, words: Words) -> tuple[Attachment, ...]:  # noqa: ARG001 - as a renderer asks
    number = int(reminder.customer[1:]) % _DOCUMENTS
    return (
        Attachment(
            name=f"{reminder.items[0].item}.pdf", media_type="application/pdf", content=_document(number)
        ),
    )


@cache
def _document(number: int) -> bytes:
    """Make somebody else's PDF of one page."""
    return Renderer().message(_plain(1_000_000 + number), "letter").pdf


if __name__ == "__main__":
    main()

"""Letters on one core: set as PDF alone, and through a print run, from jobs in SQL to files and manifest on disk.

Processor time of all threads counts: what waits for the disk leaves the core to others. Kafka is not among it
(``mails.py`` has the loop around it).
"""

import argparse
import contextlib
import datetime
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import structlog
from msgspec import json
from msgspec.structs import replace
from sqlalchemy import Engine, insert

from benchmarks.figures import Figure, save
from console.cli.logs import configure_logs
from infra.database.engine import open_engine, writing
from infra.database.migrate import upgrade
from infra.database.send_ledger import SendLedger
from infra.database.tables import accounts, clocks
from notifiers.dispatch import Dispatcher, Manner, ReadReminder
from notifiers.paper.opening import open_closer, open_print_run
from notifiers.paper.settings import PrintRunSettings
from notifiers.writing.render import Renderer
from notifiers.writing.samples import sample_reminder
from schemas.events import Contact
from schemas.facts import ReminderDecided

__all__ = ["letters", "letters_printed", "main"]

_LETTERS: Final = 200
_PRINTED: Final = 500  # a full run
_WARM_UP: Final = 10
_BUDGET: Final = 100
_CHOSEN: Final = PrintRunSettings(letters_max=_PRINTED)  # what warms up is in the run, too
_MANNER: Final = Manner(doubt="hold", attempts_max=3, retry_s_first=1.0, retry_s_max=1.0)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print letters/s, alone and through a print run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args(arguments)
    save([letters(), letters_printed()], file=chosen.json)


def letters() -> Figure:
    """Measure the writing alone."""
    renderer = Renderer()
    for number in range(_WARM_UP):
        renderer.message(_letter(number), "letter")
    made = [_letter(_WARM_UP + number) for number in range(_LETTERS)]
    started = time.process_time()
    for each in made:
        assert renderer.message(each, "letter").pdf
    seconds = time.process_time() - started
    return Figure(
        name="letters (PDF/A, PDF/UA) of one core",
        unit="letters/s",
        values=[_LETTERS / seconds],
        budget=_BUDGET,
        note=f"{_LETTERS} letters of one page, no two alike, processor time of all threads",
    )


def letters_printed() -> Figure:
    """Measure a run of 500: written, claimed, put into the spool and the run, written out with its manifest."""
    with tempfile.TemporaryDirectory() as name, _logged_to(Path(name) / "log") as folder:
        engine = open_engine(f"sqlite:///{folder / 'letters.db'}")
        upgrade(engine)
        made = [_letter(number) for number in range(_PRINTED)]
        _know(engine, made)
        dispatcher = _dispatcher(engine, folder)
        _print(dispatcher, made[:_WARM_UP])
        begun, started = time.monotonic(), time.process_time()
        _print(dispatcher, made[_WARM_UP:])
        (run,) = open_closer(_CHOSEN, data_dir=folder, engine=engine, clock=_clock).close()
        seconds, waited = time.process_time() - started, time.monotonic() - begun
        assert (run.state, run.letters) == ("closed", _PRINTED), run
        engine.dispose()
    return Figure(
        name="letters through a print run, files and manifest on disk",
        unit="letters/s",
        values=[(_PRINTED - _WARM_UP) / seconds],
        budget=_BUDGET,
        note=f"a run of {_PRINTED} letters of one page, no two alike, jobs and run in SQLite, processor time of all "
        f"threads; {waited:.1f} s with the waits for the disk",
    )


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


def _dispatcher(engine: Engine, folder: Path) -> Dispatcher:
    return Dispatcher(
        ledger=SendLedger(engine, channel="letter", owner="bench", reader_age_s_max=60.0),
        channel=open_print_run(_CHOSEN, data_dir=folder, engine=engine, clock=_clock),
        render=Renderer().message,
        manner=_MANNER,
        clock=_clock,
        jitter=lambda: 0.0,
        is_gone=lambda _: True,
    )


def _print(dispatcher: Dispatcher, made: Sequence[ReminderDecided]) -> None:
    dispatcher.record(ReadReminder(partition=0, value=json.encode(each)) for each in made)
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


def _letter(number: int) -> ReminderDecided:
    """Make a reminder like no other: what typst remembers from letter to letter helps no more than in production."""
    made = sample_reminder(kind="second", language="en")
    contact = Contact(name=f"Desk {number}", address=(f"Calle {number}", f"{number:05d} Madrid", "Spain"))
    items = tuple(
        replace(each, item=f"F-{number}-{place}", open_minor=each.open_minor + number)
        for place, each in enumerate(made.items)
    )
    return replace(
        made,
        id=f"bench-{number:06d}",
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


if __name__ == "__main__":
    main()

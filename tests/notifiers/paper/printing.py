"""What tests of print runs start from: letters of one page, a channel as a worker opens it, a closer as a person does."""

import datetime
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine

from infra.database.print_runs import PrintRuns
from notifiers.channel import Message
from notifiers.paper.print_run import PrintRun, RunCloser
from notifiers.paper.stores import FolderStore
from schemas.events import Contact
from tests.notifiers.sending import CONTACT, RENDERER, SettableClock, reminder

__all__ = ["TICK", "closer", "letter", "printing"]

TICK = datetime.datetime(2026, 3, 16, 9, tzinfo=datetime.UTC)


def letter(name: str = "r1", *, account: str = "acme:C1", contact: Contact = CONTACT) -> Message:
    """Write a letter of one page."""
    return RENDERER.message(reminder(name, account=account, channels=("letter",), contact=contact), "letter")


def printing(
    engine: Engine,
    folder: Path,
    *,
    letters_max: int = 100,
    cut_off: Callable[[datetime.datetime], datetime.datetime] | None = None,
    clock: SettableClock | None = None,
    duplex: bool = False,
    merge: bool = False,
) -> PrintRun:
    """Make the channel, as a worker that has just started would."""
    runs, store, clock = PrintRuns(engine), FolderStore(folder), clock or SettableClock(TICK)
    return PrintRun(
        runs=runs,
        store=store,
        closer=RunCloser(runs=runs, store=store, clock=clock, cut_off=cut_off, duplex=duplex, merge=merge),
        clock=clock,
        letters_max=letters_max,
        duplex=duplex,
    )


def closer(engine: Engine, folder: Path, *, duplex: bool = False, merge: bool = False) -> RunCloser:
    """Make what `cobranza letters close` uses."""
    return RunCloser(
        runs=PrintRuns(engine),
        store=FolderStore(folder),
        clock=SettableClock(TICK),
        duplex=duplex,
        merge=merge,
    )

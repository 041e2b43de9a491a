"""What the console's pages are given: the database, the people who use it, the clock, and the way to Kafka."""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from console.web.inside.settings import ConsoleSettings
from console.web.inside.simulations import Launch, launch
from infra.database.people import PeopleBook
from infra.settings import Settings
from processors.retelling import DayTold
from schemas.journal import SourceEvent

__all__ = ["InsideParts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InsideParts:
    """Shared by all requests; each of these may be used from several threads.

    Attributes:
        settings, console: of the installation, and of this process.
        engine: of its database, which is current.
        people: users, sessions and audit in it.
        clock: the wall clock, UTC.
        publish: as in ``console.web.parts``.
        launch: starts the process of a what-if.
        retell: tells an account's day from the journal (account, day, progress); None: as the settings say.
    """

    settings: Settings
    console: ConsoleSettings
    engine: Engine
    people: PeopleBook
    clock: Callable[[], datetime.datetime]
    publish: Callable[[Sequence[SourceEvent]], None]
    launch: Launch = launch
    retell: Callable[[str, datetime.date | None, Callable[[int, int], None]], DayTold] | None = None

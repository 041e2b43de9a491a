"""What a scenario says, as values: events with dates, ticks, a notifier's manners, and what is expected.

Runners take these; they know nothing of the text that they came from, but
its line numbers.
"""

import datetime
from dataclasses import dataclass, field

from schemas.journal import SourceEvent
from schemas.outcomes import DeliveryStatus, ErrorType

__all__ = ["Answer", "Clauses", "Expectation", "Happening", "Notifying", "Script", "Step", "Ticks"]

Clauses = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """A fact that must be said: it has all these clauses (``tests.scenarios.saying``)."""

    line: int
    text: str
    clauses: Clauses


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """An event of others: billing, people, or a late outcome."""

    line: int
    event: SourceEvent
    expects: list[Expectation] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticks:
    """One tick, or one a day; nothing but what is expected may be decided at them."""

    line: int
    ats: tuple[datetime.datetime, ...]
    lagging: tuple[str, ...] = ()
    expects: list[Expectation] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifying:
    """From here on a channel (``''``: each) answers so; ``None``: not until an outcome is told."""

    line: int
    channel: str
    status: DeliveryStatus | None
    error_type: ErrorType = ""
    expects: list[Expectation] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The outcome of one channel of the account's latest reminder, told by hand.

    ``of``: ``message`` for its latest message, ``message-1`` for the first, or the number of an earlier reminder (1 is the first).
    """

    line: int
    account: str
    channel: str
    status: DeliveryStatus
    occurred_at: str
    error_type: ErrorType = ""
    address: str = ""
    of: str = ""
    expects: list[Expectation] = field(default_factory=list)


Step = Happening | Ticks | Notifying | Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A scenario: its first comment is its promise."""

    name: str
    promise: str
    steps: tuple[Step, ...]

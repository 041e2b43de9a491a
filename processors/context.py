"""What a handler may know beside the account and the event: the company, the cause, the day."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from processors.company import Company
    from schemas.journal import TickPassed

__all__ = ["FoldContext"]


class FoldContext(Struct, gc=False):  # made for each event: a dataclass takes three times as long
    """What comes with an event that is folded.

    Attributes:
        company: the creditor's profile, plans and time zone, as of this place in the log.
        cause: the id of the event (said by each movement).
        day: the business day of the event's ``occurred_at`` in the company's zone.
        now: the ledger's, which is its newest tick; None before the first.
        tick: the one at which an alarm rings.
        heard_ms: when the record was appended, in epoch milliseconds; None in a journal that is played, whose times are not the business's.
    """

    company: Company
    cause: str
    day: datetime.date
    now: datetime.datetime | None = None
    tick: TickPassed | None = None
    heard_ms: int | None = None

    def today(self) -> datetime.date:
        """Give the ledger's day; before its first tick, the event's."""
        return self.day if self.now is None else self.company.day_of(self.now)

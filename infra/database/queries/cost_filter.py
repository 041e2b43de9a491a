"""What can be asked of costs; apart from the queries, so that ``--help`` needs no database library."""

import datetime
from typing import Literal

from msgspec import Struct

__all__ = ["CostFilter", "CostsBy"]

CostsBy = Literal["day", "channel", "company", "level", "provider"]


class CostFilter(Struct, frozen=True, kw_only=True):
    """What is asked for; empty or None: all. Days are company days of the sending."""

    first_on: datetime.date | None = None
    last_on: datetime.date | None = None
    company: str = ""
    channel: str = ""
    level: str = ""

    def is_within(self, day: datetime.date) -> bool:
        """Say whether a day is asked for."""
        first, last = self.first_on or datetime.date.min, self.last_on or datetime.date.max
        return first <= day <= last

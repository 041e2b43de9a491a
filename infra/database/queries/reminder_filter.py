"""What can be asked of reminders; apart from the queries, so that ``--help`` needs no database library."""

import datetime
from typing import Final, Literal

from msgspec import Struct

__all__ = ["STATUSES", "By", "Filter"]

By = Literal["day", "level", "channel", "reason"]
# A reminder's fate (R19), `open` before it has one; a step that went out in none is `withheld`.
STATUSES: Final = ("open", "sent", "failed", "superseded", "cancelled", "withheld")


class Filter(Struct, frozen=True, kw_only=True):
    """What is asked for; empty or None: all. Days are company days."""

    first_on: datetime.date | None = None
    last_on: datetime.date | None = None
    company: str = ""
    account: str = ""
    level: str = ""
    channel: str = ""
    status: str = ""
    reason: str = ""

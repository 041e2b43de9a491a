"""What an item that is, or was, with another customer of the company knows of it (SEMANTICS 2.6). Amounts are integer minor units."""

import datetime

from msgspec import Struct

__all__ = ["Elsewhere", "SettledOn"]


class SettledOn(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """So much of an item was settled as of a day; ``is_note``: by a credit note."""

    on: datetime.date
    amount_minor: int
    is_note: bool = False


class Elsewhere(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What is known of the same item at other customers.

    ``item`` is its name at the one that it came from, ``before`` what had settled it there. ``after`` is what
    was said by the one that it went to: money of days before it went. ``told`` is what was last said so to the
    one that it came from, ``sent`` the highest revision that was sent to the one that it went to, and ``sent_on`` the day of the last reminder. ``is_back``: what is open
    of it came back from there, and stays.
    """

    item: str = ""
    before: tuple[SettledOn, ...] = ()
    after: tuple[SettledOn, ...] = ()
    told: tuple[SettledOn, ...] = ()
    sent: int = 0
    is_back: bool = False
    sent_on: datetime.date | None = None

"""Which of a provider's messages is whose, where several deliveries said the same to one number and none has an answer.

::

    deliveries   r1 [10:00 … 10:01]   r2 [12:00 … 12:01]        each could have been taken then
    messages          SM1 10:00:02                              so r1 was taken, r2 was not
    messages          SM1 10:00:02         SM2 12:00:01         so both were
    deliveries   r1 [10:00 … 10:01]   r2 [10:00 … 10:01]
    messages          SM1 10:00:02                              one of them was: nobody can say which

It gives a message to one delivery only, whichever of them asks, and whatever has been settled of the others before.
It refuses to guess: what could be otherwise is said with the names of all that it may be.
"""

import datetime
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from infra.database.queries.tracing import Flight
from notifiers.channel import TemporaryError

__all__ = ["Listed", "whose"]

_SKEW: Final = datetime.timedelta(minutes=15)  # between the provider's clock and ours
_NAMED_MAX: Final = 5


class Listed(Struct, frozen=True, kw_only=True):
    """A message of the provider's list that nobody is known to have."""

    sid: str
    made_at: datetime.datetime


def whose(reminder: str, *, flights: Sequence[Flight], listed: Sequence[Listed]) -> Listed | None:
    """Say which of these messages is that of a delivery; None: none of them is.

    Args:
        reminder: the delivery, one of the flights.
        flights: all deliveries that may have brought them.
        listed: messages of the same number and text.

    Raises:
        TemporaryError: nobody can say, with the names of all that are concerned; or not yet.
    """
    ours = [each for each in flights if each.reminder == reminder]
    possible = [each for each in listed if any(_may_be(one, each) for one in flights)]
    if not any(_may_be(one, each) for one in ours for each in possible):
        return None
    under_way = [each for each in flights if each.reminder != reminder and not each.is_over]
    if under_way:
        raise TemporaryError(f"another delivery says the same to this number just now: {_named(under_way)}")
    assigned = _assigned(flights, possible)
    others = [each for each in flights if each.reminder != reminder]
    if len(assigned) < len(possible) or len(_assigned(others, possible)) == len(possible):
        messages = ", ".join(
            f"{each.sid} of {each.made_at:%Y-%m-%d %H:%M:%S} UTC" for each in possible[:_NAMED_MAX]
        )
        raise TemporaryError(
            f"{len(possible)} messages ({messages}), {len(flights)} deliveries of the same text to this number"
            f" ({_named(flights)}): more than one way to tell which is whose"
        )
    return assigned[reminder]


def _assigned(flights: Sequence[Flight], listed: Sequence[Listed]) -> Mapping[str, Listed]:
    """Give each message, the oldest first, to the first delivery that it can be of and that has none.

    In this order it stays the same for those that are left when one of them is settled.
    """
    given: dict[str, Listed] = {}
    waiting = sorted(flights, key=lambda one: (one.until or _NEVER, one.since, one.reminder))
    for each in sorted(listed, key=lambda one: (one.made_at, one.sid)):
        for one in waiting:
            if one.reminder not in given and _may_be(one, each):
                given[one.reminder] = each
                break
    return given


_NEVER: Final = datetime.datetime.max.replace(tzinfo=datetime.UTC)


def _may_be(flight: Flight, listed: Listed) -> bool:
    since, until = flight.since - _SKEW, flight.until
    return since <= listed.made_at and (until is None or listed.made_at <= until + _SKEW)


def _named(flights: Sequence[Flight]) -> str:
    more = ", …" if len(flights) > _NAMED_MAX else ""
    return ", ".join(sorted(each.reminder for each in flights)[:_NAMED_MAX]) + more

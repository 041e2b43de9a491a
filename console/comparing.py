"""Two sets of rules over one log, compared: who, when, which level and channel; cost, contacts a week, needless reminders.

Pure over values; where the contacts come from is ``processors.alternative``.
"""

import datetime
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct

from processors.alternative import Contact

__all__ = ["WINDOW_DAYS", "Side", "Sum", "differing", "side_of", "sums"]

WINDOW_DAYS = 7  # of most laws on contacts
Paid = Mapping[tuple[str, str], Sequence[tuple[datetime.date, int]]]


class Side(Struct, frozen=True, kw_only=True):
    """What one set of rules comes to.

    ``cost`` is of letters and SMS by their prices. ``worst_week`` is the most
    contacts of one account within seven days, ``weeks`` how many accounts have
    which worst week. ``needless`` reminders named only items that, as is known
    by now, were paid by their day (R30).
    """

    reminders: int
    accounts: int
    contacts: int
    failed: int
    cost: Decimal
    worst_week: int
    weeks: dict[int, int]
    needless: int


class Sum(Struct, frozen=True, kw_only=True):
    """Contacts of a level over a channel, under both sets of rules."""

    step: str
    channel: str
    now: int
    other: int


def side_of(contacts: Sequence[Contact], *, paid: Paid, prices: Mapping[str, Decimal]) -> Side:
    """Sum up the contacts of one set of rules; tasks are no contacts by themselves."""
    sent = [each for each in contacts if each.fate == "accepted"]
    weeks = _weeks(sent)
    named = {each.reminder: each for each in sent}
    return Side(
        reminders=len(named),
        accounts=len({each.account for each in sent}),
        contacts=len(sent),
        failed=len(contacts) - len(sent),
        cost=sum((prices.get(each.channel, Decimal(0)) for each in sent), Decimal(0)),
        worst_week=max(weeks.values(), default=0),
        weeks=dict(sorted(Counter(weeks.values()).items())),
        needless=sum(_is_needless(each, paid=paid) for each in named.values()),
    )


def sums(now: Iterable[Contact], other: Iterable[Contact]) -> list[Sum]:
    """Count the contacts of each level and channel under both sets of rules."""
    counts = [Counter((each.step, each.channel) for each in side) for side in (now, other)]
    return [
        Sum(step=step, channel=channel, now=counts[0][step, channel], other=counts[1][step, channel])
        for step, channel in sorted(counts[0].keys() | counts[1].keys())
    ]


def differing(now: Sequence[Contact], other: Sequence[Contact]) -> list[tuple[str, Contact]]:
    """List what only one set of rules sends (``-``: the log's, ``+``: the other), by day and account.

    A contact is the same when account, day, level, channel and items are.
    """
    keys = [Counter(map(_key, side)) for side in (now, other)]
    found = [
        (mark, each)
        for mark, side, others in (("-", now, keys[1]), ("+", other, keys[0]))
        for each in _only(side, others)
    ]
    return sorted(
        found, key=lambda each: (each[1].on, each[1].account, each[0], each[1].step, each[1].channel)
    )


def _only(side: Iterable[Contact], others: Counter[tuple[object, ...]]) -> Iterable[Contact]:
    left = Counter(others)
    for each in side:
        key = _key(each)
        if left[key]:
            left[key] -= 1
        else:
            yield each


def _key(each: Contact) -> tuple[object, ...]:
    return each.account, each.on, each.step, each.channel, each.items


def _weeks(sent: Iterable[Contact]) -> dict[str, int]:
    """Give each account's most contacts within seven days, tasks left out."""
    days: dict[str, list[datetime.date]] = {}
    for each in sent:
        if each.channel != "task":
            days.setdefault(each.account, []).append(each.on)
    worst = {}
    window = datetime.timedelta(days=WINDOW_DAYS)
    for account, found in days.items():
        found.sort()
        worst[account] = max(bisect_left(found, day + window) - place for place, day in enumerate(found))
    return worst


def _is_needless(each: Contact, *, paid: Paid) -> bool:
    return bool(each.items) and all(
        _open_on(paid.get((each.account, item), ()), each.on) <= 0 for item in each.items
    )


def _open_on(movements: Iterable[tuple[datetime.date, int]], day: datetime.date) -> int:
    return sum(amount_minor for on, amount_minor in movements if on <= day)

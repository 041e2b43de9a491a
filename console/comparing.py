"""Two sets of rules over one log, compared: who, when, which level and channel; cost, contacts a week and in the law's windows, needless reminders.

Pure over values; where the contacts come from is ``processors.alternative``.
"""

import datetime
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct

from console.law_windows import LawWindow
from processors.alternative import Contact

__all__ = ["WINDOW_DAYS", "ChannelPrice", "Side", "Sum", "differing", "side_of", "sums"]

WINDOW_DAYS = 7  # of most laws on contacts
Paid = Mapping[tuple[str, str], Sequence[tuple[datetime.date, int]]]


class ChannelPrice(Struct, frozen=True, kw_only=True):
    """What a delivery over a channel costs, in major units; ``currency`` '' where nobody said which."""

    amount: Decimal
    currency: str = ""


class Side(Struct, frozen=True, kw_only=True):
    """What one set of rules comes to.

    ``accounts`` are written to by themselves, at least once; ``asked_accounts`` only where a person lets each of their reminders go, and
    ``asked_reminders`` are all that a person has to let go (R20). ``cost`` is that of its deliveries by their prices, by currency ('' where nobody said which).
    ``worst_week`` is the most
    contacts of one account within seven days, over all channels, ``weeks`` how many accounts have
    which worst week; ``windows`` is what the law counts: its own days and groups of channels. ``needless`` reminders named only items that, as is known
    by now, were paid by their day (R30).
    """

    reminders: int
    accounts: int
    contacts: int
    failed: int
    cost: dict[str, Decimal]
    worst_week: int
    weeks: dict[int, int]
    needless: int
    windows: list[LawWindow] = []
    asked_reminders: int = 0
    asked_accounts: int = 0


class Sum(Struct, frozen=True, kw_only=True):
    """Contacts of a level over a channel, under both sets of rules."""

    step: str
    channel: str
    now: int
    other: int


def side_of(
    contacts: Sequence[Contact],
    *,
    paid: Paid,
    prices: Mapping[str, ChannelPrice],
    windows: Sequence[LawWindow] = (),
) -> Side:
    """Sum up the contacts of one set of rules; tasks are no contacts by themselves."""
    sent = [each for each in contacts if each.fate == "accepted"]
    weeks = _weeks(sent)
    named = {each.reminder: each for each in sent}
    by_itself = {each.account for each in sent if not each.by_person}
    return Side(
        reminders=len(named),
        accounts=len(by_itself),
        asked_reminders=sum(each.by_person for each in named.values()),
        asked_accounts=len({each.account for each in sent} - by_itself),
        contacts=len(sent),
        failed=len(contacts) - len(sent),
        cost=_cost(sent, prices=prices),
        worst_week=max(weeks.values(), default=0),
        weeks=dict(sorted(Counter(weeks.values()).items())),
        needless=sum(_is_needless(each, paid=paid) for each in named.values()),
        windows=list(windows),
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


def _cost(sent: Iterable[Contact], *, prices: Mapping[str, ChannelPrice]) -> dict[str, Decimal]:
    """Sum up prices; currencies are never added."""
    sums: dict[str, Decimal] = {}
    for each in sent:
        price = prices.get(each.channel)
        if price is not None:
            sums[price.currency] = sums.get(price.currency, Decimal(0)) + price.amount
    return dict(sorted(sums.items()))


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

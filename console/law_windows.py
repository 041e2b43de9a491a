"""How much of what the law allows two sets of rules use: contacts in its own windows, by its own groups of channels (section 5).

Pure over values. It measures each person by each law that one of his accounts is under on either side, so that what is sent now is
seen by the other law's windows, too. Who a person is, is the register's (``infra.database.queries.contacts``): all accounts of one
tax id, of any company, with the parent's where one is dunned there, and all that are dunned at these; those that are linked so
through others, too (``console.persons``).
"""

import datetime
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from processors.alternative import Contact
from schemas.fields import split_account_id
from schemas.law import Contacting, Way

__all__ = ["LawWindow", "law_windows"]


class LawWindow(Struct, frozen=True, kw_only=True):
    """One limit of a law, and what a set of rules comes to in it.

    ``ways`` are counted together, in any ``within_days`` days of the debtor's; ``of_channels``: it is how many different
    channels that are. ``worst`` is the most of one person, ``persons`` how many have which, ``above`` how many are above ``at_most``.
    """

    law: str
    ways: tuple[Way, ...]
    within_days: int
    at_most: int
    of_channels: bool = False
    worst: int = 0
    persons: dict[int, int] = {}
    above: int = 0


class _Made(NamedTuple):
    on: datetime.date
    channel: str


def law_windows(
    now: Sequence[Contact],
    other: Sequence[Contact],
    *,
    laws: Mapping[str, Contacting],
    called: Iterable[tuple[str, datetime.date]] = (),
    persons: Mapping[str, frozenset[str]] | None = None,
    company: str = "",
) -> tuple[list[LawWindow], list[LawWindow]]:
    """Count both sides' contacts in each limit of the laws that their debtors are under, in one order.

    Args:
        now: the log's contacts, of all companies; ``other``, those of the other rules.
        laws: profile -> what it says of contacts.
        called: (account, day) of the calls and conversations that people noted: the same on both sides.
        persons: account -> the accounts of the same person (``console.persons``); who is in none is one by itself.
        company: only persons who are a customer of it; "": all.
    """
    known = {} if persons is None else persons
    governed: dict[str, set[frozenset[str]]] = {}
    for each in (*now, *other):
        if each.law in laws and company in ("", split_account_id(each.account)[0]):
            person = known.get(each.account) or frozenset((each.account,))
            governed.setdefault(each.law, set()).add(person)
    calls = [(account, _Made(on, "call")) for account, on in called]
    made = [_by_account([*_sent(side), *calls]) for side in (now, other)]
    limits = [limit for law in sorted(governed) for limit in _limits(law, contacting=laws[law])]
    first, second = (
        [_measured(limit, persons=governed[limit.law], made=each) for limit in limits] for each in made
    )
    return first, second


def _limits(law: str, *, contacting: Contacting) -> Iterator[LawWindow]:
    for limit in contacting.limits:
        yield LawWindow(law=law, ways=limit.ways, within_days=limit.within_days, at_most=limit.at_most)
    if contacting.one_channel_days > 1:
        days = contacting.one_channel_days
        yield LawWindow(law=law, ways=("call", "message"), within_days=days, at_most=1, of_channels=True)


def _sent(contacts: Iterable[Contact]) -> Iterator[tuple[str, _Made]]:
    for each in contacts:
        if each.fate == "accepted" and each.counts_as:
            yield each.account, _Made(each.law_on or each.on, each.counts_as)


def _by_account(made: Iterable[tuple[str, _Made]]) -> dict[str, list[_Made]]:
    found: dict[str, list[_Made]] = {}
    for account, each in made:
        found.setdefault(account, []).append(each)
    return found


def _measured(
    limit: LawWindow, *, persons: Collection[frozenset[str]], made: Mapping[str, Sequence[_Made]]
) -> LawWindow:
    most = [
        _most(limit, (each for account in person for each in made.get(account, ()))) for person in persons
    ]
    return LawWindow(
        law=limit.law,
        ways=limit.ways,
        within_days=limit.within_days,
        at_most=limit.at_most,
        of_channels=limit.of_channels,
        worst=max(most, default=0),
        persons=dict(sorted(Counter(most).items())),
        above=sum(each > limit.at_most for each in most),
    )


def _most(limit: LawWindow, made: Iterable[_Made]) -> int:
    """Give the most contacts, or different channels, of a person in any window of a limit."""
    wanted = sorted(each for each in made if ("call" if each.channel == "call" else "message") in limit.ways)
    days = [each.on for each in wanted]
    window = datetime.timedelta(days=limit.within_days)
    runs = (wanted[place : bisect_left(days, day + window)] for place, day in enumerate(days))
    if limit.of_channels:
        return max((len({each.channel for each in run}) for run in runs), default=0)
    return max((len(run) for run in runs), default=0)

"""Which accounts a report is about, and how it walks through them: in the order of their ids, some at a time.

A report over all customers holds a few of them in memory, never all: each block is read by its ids.
"""

import datetime
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Select, exists, or_, select

from infra.database.tables import accounts, balances, companies, customers, holds, requests

__all__ = ["AccountChoice", "Choices", "blocks", "choices"]


class AccountChoice(Struct, frozen=True, kw_only=True):
    """What is asked for; '' or None: all. ``companies`` are those that may be seen, None: all of them.

    ``untouched_on``: whom nobody has looked at since the episode opened, as of that day (S1-08).
    ``asked_between``: of whom somebody asked or wrote down anything from the first to the last of these days (S1-14).
    """

    companies: tuple[str, ...] | None = None
    account: str = ""
    responsible: str = ""
    trust: str = ""
    untouched_on: datetime.date | None = None
    asked_between: tuple[datetime.date, datetime.date] | None = None

    def ids(self) -> Select[Any]:
        """Select the ids."""
        query = select(accounts.c["account"])
        if self.responsible:
            query = query.join(customers, customers.c["account"] == accounts.c["account"]).where(
                customers.c["responsible"] == self.responsible
            )
        if self.companies is not None:
            query = query.where(accounts.c["company"].in_(self.companies))
        for name in ("account", "trust"):
            value = getattr(self, name)
            query = query.where(accounts.c[name] == value) if value else query
        if self.asked_between is not None:
            query = query.where(_asked(*self.asked_between))
        return query if self.untouched_on is None else query.where(*_untouched(self.untouched_on))


class Choices(Struct, frozen=True, kw_only=True):
    """What filters offer: companies as (id, name), who is responsible, and currencies."""

    companies: tuple[tuple[str, str], ...]
    responsibles: tuple[str, ...]
    currencies: tuple[str, ...]


def blocks(
    connection: Connection, choice: AccountChoice, *, after: str = "", size: int
) -> Iterator[Sequence[str]]:
    """Give the ids behind one, ``size`` at a time."""
    last = after
    while True:
        query = choice.ids().where(accounts.c["account"] > last)
        found = connection.execute(query.order_by(accounts.c["account"]).limit(size)).scalars().all()
        if found:
            yield found
        if len(found) < size:
            return
        last = found[-1]


def choices(connection: Connection, *, seen: Sequence[str] | None) -> Choices:
    """Give what filters offer to somebody who may see these companies; None: all."""
    named = select(companies.c["company"], companies.c["name"]).order_by(companies.c["company"])
    people = select(customers.c["responsible"]).where(customers.c["responsible"] != "").distinct()
    used = select(balances.c["currency"]).distinct()
    if seen is not None:
        used = used.join(accounts, accounts.c["account"] == balances.c["account"]).where(
            accounts.c["company"].in_(seen)
        )
        named = named.where(companies.c["company"].in_(seen))
        people = people.where(customers.c["company"].in_(seen))
    return Choices(
        companies=tuple((row.company, row.name) for row in connection.execute(named)),
        responsibles=tuple(sorted(connection.execute(people).scalars())),
        currencies=tuple(sorted(connection.execute(used).scalars())),
    )


def _untouched(on: datetime.date) -> list[Any]:
    opened = accounts.c["episode_opened_on"]
    return [
        opened <= on,
        *(
            or_(accounts.c[name].is_(None), accounts.c[name] < opened)
            for name in ("last_contact_on", "last_note_on")
        ),
        ~exists().where(holds.c["account"] == accounts.c["account"], holds.c["by_hand"]),
    ]


def _asked(first_on: datetime.date, last_on: datetime.date) -> Any:
    at = requests.c["occurred_at"]
    return exists().where(
        requests.c["account"] == accounts.c["account"],
        at >= first_on.isoformat(),
        at < (last_on + datetime.timedelta(days=1)).isoformat(),
    )

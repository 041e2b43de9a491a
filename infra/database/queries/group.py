"""The statement of a group: a parent's and those of the customers that belong to it, side by side (B-13).

It adds up balances of one currency over the accounts; items and lines stay where they are owed.
"""

import datetime
from collections import defaultdict
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, select

from infra.database.queries.statement import Part, Statement, balances_of, statement
from infra.database.tables import live_rows

__all__ = ["GroupStatement", "children_of", "group_statement"]

_AT_ONCE: Final = 500  # accounts named in one query


class GroupStatement(Struct, frozen=True, kw_only=True):
    """Statements of the parent first, then of its children by id; ``totals_minor`` by currency.

    ``count`` and the totals are of all members, where ``members`` are a part of them.
    """

    account: str
    as_of: datetime.date
    members: tuple[Statement, ...]
    count: int
    totals_minor: dict[str, int]


def group_statement(
    connection: Connection,
    *,
    account: str,
    as_of: datetime.date,
    first_on: datetime.date | None = None,
    with_children: bool = True,
    members: Part | None = None,
    part: Part | None = None,
) -> GroupStatement | None:
    """Make the statements of an account and of its children at the end of ``as_of``; None: the account is unknown.

    Args:
        connection: one that sees one moment.
        account: the parent's id; an account without children is a group of one.
        as_of: a company day.
        first_on: as in ``statement``.
        with_children: else it is the account's alone.
        members: of the group; None: all of them.
        part: of each one's lines and items, as in ``statement``.
    """
    own = statement(connection, account=account, as_of=as_of, first_on=first_on, part=part)
    if own is None:
        return None
    names = [account, *(children_of(connection, account) if with_children else ())]
    shown = names if members is None else names[members.skip : members.skip + members.most]
    found = (
        own
        if each == account
        else statement(connection, account=each, as_of=as_of, first_on=first_on, part=part)
        for each in shown
    )
    totals_minor: defaultdict[str, int] = defaultdict(int)
    for start in range(0, len(names), _AT_ONCE):
        among = names[start : start + _AT_ONCE]
        for currency, minor in balances_of(connection, among, as_of=as_of).items():
            totals_minor[currency] += minor
    return GroupStatement(
        account=account,
        as_of=as_of,
        members=tuple(each for each in found if each is not None),
        count=len(names),
        totals_minor=dict(sorted(totals_minor.items())),
    )


def children_of(connection: Connection, account: str) -> list[str]:
    """List the accounts that belong to an account, by id."""
    company = account.partition(":")[0]
    names = connection.execute(
        select(live_rows.c["name"]).where(live_rows.c["owner"] == account, live_rows.c["kind"] == "child")
    ).scalars()
    return sorted(f"{company}:{name}" for name in names)

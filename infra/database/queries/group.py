"""The statement of a group: a parent's and those of the customers that belong to it, side by side (B-13).

It adds up balances of one currency over the accounts; items and lines stay where they are owed.
"""

import datetime
from collections import defaultdict

from msgspec import Struct
from sqlalchemy import Connection, select

from infra.database.queries.statement import Statement, statement
from infra.database.tables import live_rows

__all__ = ["GroupStatement", "children_of", "group_statement"]


class GroupStatement(Struct, frozen=True, kw_only=True):
    """Statements of the parent first, then of its children by name; ``totals_minor`` by currency."""

    account: str
    as_of: datetime.date
    members: tuple[Statement, ...]
    totals_minor: dict[str, int]


def group_statement(
    connection: Connection,
    *,
    account: str,
    as_of: datetime.date,
    first_on: datetime.date | None = None,
    with_children: bool = True,
) -> GroupStatement | None:
    """Make the statements of an account and of its children at the end of ``as_of``; None: the account is unknown.

    Args:
        connection: one that sees one moment.
        account: the parent's id; an account without children is a group of one.
        as_of: a company day.
        first_on: as in ``statement``.
        with_children: else it is the account's alone.
    """
    own = statement(connection, account=account, as_of=as_of, first_on=first_on)
    if own is None:
        return None
    found = (
        statement(connection, account=each, as_of=as_of, first_on=first_on)
        for each in (children_of(connection, account) if with_children else ())
    )
    members = (own, *(each for each in found if each is not None))
    totals_minor: defaultdict[str, int] = defaultdict(int)
    for each in members:
        for of in each.currencies:
            totals_minor[of.currency] += of.closing_minor
    return GroupStatement(
        account=account, as_of=as_of, members=members, totals_minor=dict(sorted(totals_minor.items()))
    )


def children_of(connection: Connection, account: str) -> list[str]:
    """List the accounts that belong to an account, by id."""
    company = account.partition(":")[0]
    names = connection.execute(
        select(live_rows.c["name"]).where(live_rows.c["owner"] == account, live_rows.c["kind"] == "child")
    ).scalars()
    return sorted(f"{company}:{name}" for name in names)

"""Reminders that wait for a person (R19): of each account the newest revision of what would go out."""

from collections.abc import Iterator, Sequence

from msgspec import json
from sqlalchemy import ColumnElement, Connection, and_, func, select

from infra.database.tables import accounts, decisions, live_rows
from schemas.facts import ReminderProposed
from schemas.reminder_rows import Proposal, ReminderRow
from schemas.rows import decode_row

__all__ = ["said_of", "waiting", "waiting_count", "waiting_page"]

_decoder = json.Decoder(ReminderProposed)


def waiting(
    connection: Connection,
    *,
    company: str = "",
    account: str = "",
    reminder: str = "",
    among: Sequence[str] | None = None,
) -> Iterator[ReminderProposed]:
    """Walk what waits for a person, by account; ``among`` these accounts only, where it is given."""
    named = {accounts.c["company"]: company, accounts.c["account"]: account, accounts.c["proposal"]: reminder}
    conditions = [column == value for column, value in named.items() if value]
    if among is not None:
        conditions.append(accounts.c["account"].in_(among))
    yield from _newest(connection, conditions)


def waiting_page(
    connection: Connection, *, company: str, companies: Sequence[str], after: str, lines_max: int
) -> list[ReminderProposed]:
    """List what waits of the first accounts after one, by account; of ``companies`` only, where some are named."""
    conditions = [accounts.c["account"] > after, *_of(company, companies)]
    page = (
        select(accounts.c["account"])
        .where(accounts.c["proposal"] != "", *conditions)
        .order_by(accounts.c["account"])
        .limit(lines_max)
    )
    found = connection.execute(page).scalars().all()
    return list(_newest(connection, [accounts.c["account"].in_(found)])) if found else []


def waiting_count(connection: Connection, *, company: str, companies: Sequence[str]) -> int:
    """Count what waits."""
    query = select(func.count()).select_from(accounts)
    return connection.execute(
        query.where(accounts.c["proposal"] != "", *_of(company, companies))
    ).scalar_one()


def said_of(connection: Connection, *, reminders: Sequence[tuple[str, str]]) -> dict[str, Proposal]:
    """Give what people have said of proposals so far, also what is not proposed anew yet; (account, reminder) pairs."""
    found = {}
    kept = live_rows.c
    query = select(kept["row_json"]).where(
        kept["kind"] == "reminder",
        kept["owner"].in_([account for account, _ in reminders]),
        kept["name"].in_([reminder for _, reminder in reminders]),
    )
    for text in connection.execute(query).scalars():
        row = decode_row(text.encode())
        if isinstance(row, ReminderRow) and row.proposal is not None:
            found[row.reminder] = row.proposal
    return found


def _of(company: str, companies: Sequence[str]) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [accounts.c["company"] == company] if company else []
    return [*found, accounts.c["company"].in_(companies)] if companies else found


def _newest(connection: Connection, conditions: list[ColumnElement[bool]]) -> Iterator[ReminderProposed]:
    said = and_(
        decisions.c["account"] == accounts.c["account"],
        decisions.c["kind"] == "proposed",
        decisions.c["reminder"] == accounts.c["proposal"],
    )
    query = (
        select(accounts.c["account"], decisions.c["detail_json"])
        .select_from(accounts.join(decisions, said))
        .where(accounts.c["proposal"] != "", *conditions)
        .order_by(accounts.c["account"])
    )
    newest: ReminderProposed | None = None
    for _, detail in connection.execute(query):
        fact = _decoder.decode(detail)
        if newest is not None and newest.account != fact.account:
            yield newest
            newest = None
        if newest is None or fact.revision > newest.revision:
            newest = fact
    if newest is not None:
        yield newest

"""Reminders that wait for a person (R19): of each account the newest revision of what would go out."""

from collections.abc import Iterator

from msgspec import json
from sqlalchemy import Connection, and_, select

from infra.database.tables import accounts, decisions
from schemas.facts import ReminderProposed

__all__ = ["waiting"]

_decoder = json.Decoder(ReminderProposed)


def waiting(
    connection: Connection, *, company: str = "", account: str = "", reminder: str = ""
) -> Iterator[ReminderProposed]:
    """Walk what waits for a person, by account."""
    named = {accounts.c["company"]: company, accounts.c["account"]: account, accounts.c["proposal"]: reminder}
    said = and_(
        decisions.c["account"] == accounts.c["account"],
        decisions.c["kind"] == "proposed",
        decisions.c["reminder"] == accounts.c["proposal"],
    )
    query = (
        select(accounts.c["account"], decisions.c["detail_json"])
        .select_from(accounts.join(decisions, said))
        .where(accounts.c["proposal"] != "", *(column == value for column, value in named.items() if value))
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

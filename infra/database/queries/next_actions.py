"""When somebody acts next on a customer, by the day (R20, S1-16): set by hand, else by the rule; so many at a time.

The days are made in SQL, in their order, so that a page of a hundred need not read all customers.
"""

import datetime
from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct, json
from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    String,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    type_coerce,
)

from infra.database.queries.account_choice import AccountChoice
from infra.database.tables import accounts, companies, holds

__all__ = ["NextAction", "next_actions", "next_days_of"]

_ACTION_DAYS: Final = 15  # R20: where a company says nothing else
_A: Final = accounts.c


class NextAction(Struct, frozen=True, kw_only=True, order=True):
    """When somebody acts next on an account."""

    next_on: datetime.date
    account: str


def next_actions(
    connection: Connection, choice: AccountChoice, *, after: NextAction | None, actions_max: int
) -> list[NextAction]:
    """Give the accounts on which somebody has to act behind a place, by the day, as the worklist counts it."""
    by_hand = (
        select(holds.c["account"], func.max(holds.c["until_on"]).label("until_on"))
        .where(holds.c["by_hand"])
        .group_by(holds.c["account"])
        .subquery("by_hand")
    )
    next_on = func.coalesce(by_hand.c.until_on, _by_rule(connection), type_=Date())
    found = (
        select(_A["account"], next_on.label("next_on"))
        .select_from(accounts.outerjoin(by_hand, by_hand.c.account == _A["account"]))
        .where(_A["account"].in_(choice.ids()))
        .subquery("found")
    )
    query = select(found).where(found.c.next_on.is_not(None)).order_by(found.c.next_on, found.c.account)
    if after is not None:
        is_same_day = and_(found.c.next_on == after.next_on, found.c.account > after.account)
        query = query.where(or_(found.c.next_on > after.next_on, is_same_day))
    rows = connection.execute(query.limit(actions_max))
    return [NextAction(next_on=row.next_on, account=row.account) for row in rows]


def next_days_of(
    connection: Connection, *, accounts_named: Sequence[str]
) -> dict[str, tuple[datetime.date, bool]]:
    """Give of accounts the day on which somebody acts next, and whether a person has set it; who has none is left out."""
    by_hand = select(holds.c["account"], func.max(holds.c["until_on"])).where(
        holds.c["by_hand"], holds.c["account"].in_(accounts_named)
    )
    rule = select(_A["account"], type_coerce(_by_rule(connection), Date())).where(
        _A["account"].in_(accounts_named)
    )
    found = {account: (day, False) for account, day in connection.execute(rule) if day is not None}
    for account, day in connection.execute(by_hand.group_by(holds.c["account"])):
        if day is not None:
            found[account] = (day, True)
    return found


def _by_rule(connection: Connection) -> ColumnElement[Any]:
    """Say when it is somebody's turn: so long after the last contact or note, else since the episode opened."""
    opened, contact, note = (_A[name] for name in ("episode_opened_on", "last_contact_on", "last_note_on"))
    touched = case(
        (contact.is_(None), note), (note.is_(None), contact), (contact > note, contact), else_=note
    )
    days = {
        str(row.company): (json.decode(row.profile_json) or {}).get("next_action_days", _ACTION_DAYS)
        for row in connection.execute(select(companies.c["company"], companies.c["profile_json"]))
    }
    wait = case(days, value=_A["company"], else_=_ACTION_DAYS) if days else literal(_ACTION_DAYS)
    return case(
        (opened.is_(None), None), (touched >= opened, _later(connection, touched, wait)), else_=opened
    )


def _later(connection: Connection, day: Any, days: ColumnElement[int]) -> ColumnElement[Any]:
    """Add days to a day: databases have no common word for it."""
    if connection.dialect.name == "sqlite":
        return type_coerce(func.date(day, cast(days, String) + " days"), Date)
    return type_coerce(day + days, Date)

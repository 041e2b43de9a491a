"""What people have lately said of proposals and may want to take back (R19): approvals, drops and call backs, the newest first.

It tells what the audit has, with what the ledger says of the reminder by now; whether it can be taken back the ledger decides.
"""

import datetime
from collections.abc import Collection, Iterable, Sequence
from typing import Final, Literal

from msgspec import Struct, json
from sqlalchemy import Connection, or_, select

from infra.database.people_tables import audit
from infra.database.tables import customers, live_rows, requests
from schemas.codec import type_of
from schemas.reminder_commands import ApproveReminder, CancelReminder, DropReminder
from schemas.reminder_rows import ReminderRow
from schemas.rows import ItemRow, Row, decode_row

__all__ = ["SaidLately", "said_lately"]

_ACTS: Final = tuple(type_of(each) for each in (ApproveReminder, DropReminder, CancelReminder))
_LOOKED_THROUGH_MAX: Final = 200  # entries of the audit: one reminder may have several
_ITEMS_MAX: Final = 20  # of a reminder that is looked at: one that waits is enough
_What = Literal["approval", "drop"]


class _Named(Struct):
    reminder: str


class SaidLately(Struct, frozen=True, kw_only=True):
    """A reminder of which a person has said something that no provider's word has overtaken.

    ``what`` of it can be taken back, ``act`` is what was said last, by ``user`` at ``at``; ``edits`` as a command names them.
    """

    account: str
    name: str
    reminder: str
    step: str
    what: _What
    act: str
    user: str
    at: datetime.datetime
    edits: int


def said_lately(
    connection: Connection, *, companies: Sequence[str], since: datetime.datetime, lines_max: int
) -> list[SaidLately]:
    """List them, of ``companies`` only where some are named; what still waits as a proposal is not among them."""
    said = _said(connection, companies=companies, since=since)
    reminders = _rows(connection, kind="reminder", named=list(said))
    rows = {key: row for key, row in reminders.items() if isinstance(row, ReminderRow)}
    waiting = _waiting(connection, rows.values())
    names = _names(connection, [account for account, _ in rows])
    found = []
    for (account, reminder), (act, user, at) in said.items():
        row = rows.get((account, reminder))
        what = None if row is None else _what(row, waiting=waiting)
        if row is None or row.proposal is None or what is None:
            continue
        found.append(
            SaidLately(
                account=account,
                name=names.get(account, ""),
                reminder=reminder,
                step=row.step,
                what=what,
                act=act,
                user=user,
                at=at,
                edits=row.proposal.edits,
            )
        )
    return found[:lines_max]


def _what(row: ReminderRow, *, waiting: Collection[tuple[str, str]]) -> _What | None:
    """Say what of a reminder can be taken back; None: nothing."""
    if row.status in ("dropped", "cancelled"):
        return "drop" if (row.account, row.reminder) in waiting else None
    approved = row.proposal is not None and row.proposal.approved
    is_on_its_way = row.status == "open" and "accepted" not in row.deliveries.values() and not row.cancelled
    return "approval" if approved and is_on_its_way else None


def _waiting(connection: Connection, rows: Iterable[ReminderRow]) -> set[tuple[str, str]]:
    """Give those (account, reminder) that were dropped and of which a step still waits for that."""
    ended = [row for row in rows if row.status in ("dropped", "cancelled")]
    named = {(row.account, each.item) for row in ended for each in row.items[:_ITEMS_MAX]}
    items = _rows(connection, kind="item", named=list(named))
    return {
        (row.account, row.reminder)
        for row in ended
        for each in row.items[:_ITEMS_MAX]
        if isinstance(item := items.get((row.account, each.item)), ItemRow)
        and item.dropped_on is not None
        and item.dropped_on == row.ended_on
    }


_Said = dict[tuple[str, str], tuple[str, str, datetime.datetime]]


def _said(connection: Connection, *, companies: Sequence[str], since: datetime.datetime) -> _Said:
    """Give what was said last of each (account, reminder), the newest first."""
    own = [audit.c["account"].startswith(f"{each}:", autoescape=True) for each in companies]
    newest = (
        select(audit.c["entry"], audit.c["account"], audit.c["act"], audit.c["user"], audit.c["at"])
        .where(audit.c["at"] >= since, audit.c["act"].in_(_ACTS), *([or_(*own)] if own else []))
        .order_by(audit.c["at"].desc(), audit.c["entry"])
        .limit(_LOOKED_THROUGH_MAX)
    )
    entries = connection.execute(newest).all()
    columns = (requests.c["account"], requests.c["request"], requests.c["request_json"])
    asked = select(*columns).where(
        requests.c["account"].in_([each.account for each in entries]),
        requests.c["request"].in_([each.entry for each in entries]),
    )
    texts = {(row[0], row[1]): row[2] for row in connection.execute(asked)} if entries else {}
    found: _Said = {}
    for entry, account, act, user, at in entries:
        text = texts.get((account, entry))
        if text is not None:
            named = json.decode(text, type=_Named)
            found.setdefault((account, named.reminder), (act, user, at))
    return found


def _rows(
    connection: Connection, *, kind: str, named: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], Row]:
    """Give rows of a kind by (account, name)."""
    if not named:
        return {}
    kept = live_rows.c
    query = select(kept["owner"], kept["name"], kept["row_json"]).where(
        kept["kind"] == kind,
        kept["owner"].in_(sorted({account for account, _ in named})),
        kept["name"].in_(sorted({name for _, name in named})),
    )
    wanted = frozenset(named)
    return {
        (account, name): decode_row(text.encode())
        for account, name, text in connection.execute(query)
        if (account, name) in wanted
    }


def _names(connection: Connection, accounts: Sequence[str]) -> dict[str, str]:
    query = select(customers.c["account"], customers.c["name"]).where(customers.c["account"].in_(accounts))
    return {row[0]: row[1] for row in connection.execute(query)}

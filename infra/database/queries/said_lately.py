"""What people have lately said of proposals and may want to take back (R19): approvals, drops, call backs, what they sent at once;
the newest first.

It tells what the ledger has folded, whoever said it and by whatever way, with what stands of the reminder by now; whether it
can be taken back the ledger decides.
"""

import datetime
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from msgspec import Struct, json
from sqlalchemy import Connection, Row, select

from infra.database.tables import customers, exceptions, live_rows, reminder_ends, reminders, requests
from schemas.codec import type_of
from schemas.reminder_commands import ApproveReminder, CancelReminder, DropReminder, SendNow
from schemas.reminder_rows import ReminderRow
from schemas.rows import ItemRow, decode_row
from schemas.rows import Row as StateRow

__all__ = ["SaidLately", "said_lately"]

_APPROVE, _DROP, _CANCEL = (type_of(each) for each in (ApproveReminder, DropReminder, CancelReminder))
_ACTS: Final = (_APPROVE, _DROP, _CANCEL)
_SENT_NOW: Final = type_of(SendNow)  # it names no reminder: what waited for a person went
_LOOKED_THROUGH_MAX: Final = 200  # commands of each kind: one reminder may have several
_REFUSED: Final = ("request_refused", "not_confirmed")
_ITEMS_MAX: Final = 20  # of a reminder that is looked at: one that waits is enough
_A_DAY: Final = 10  # characters of a date without a time
_What = Literal["approval", "drop"]


class _Named(Struct):
    reminder: str


class SaidLately(Struct, frozen=True, kw_only=True):
    """A reminder of which a person has said something that no provider's word has overtaken.

    ``what`` of it can be taken back, ``act`` is what was said, by which it stands so, by ``user`` ('': nobody is named) on the day ``on``, at the
    instant ``at`` where that is known; ``edits`` as a command names them.
    """

    account: str
    name: str
    reminder: str
    step: str
    what: _What
    act: str
    user: str
    on: datetime.date
    at: datetime.datetime | None
    edits: int


class _Word(Struct, frozen=True, kw_only=True):
    """What somebody said of a reminder; of what has no time of day the day's end is taken."""

    act: str
    user: str
    at: datetime.datetime
    is_instant: bool


def said_lately(
    connection: Connection, *, companies: Sequence[str], since: datetime.datetime, lines_max: int
) -> list[SaidLately]:
    """List them, of ``companies`` only where some are named; what still waits as a proposal is not among them."""
    said = _said(connection, companies=companies, since=since)
    found_rows = _rows(connection, kind="reminder", named=list(said))
    rows = {key: row for key, row in found_rows.items() if isinstance(row, ReminderRow)}
    waiting = _waiting(connection, rows.values())
    names = _names(connection, [account for account, _ in rows])
    found = []
    for (account, reminder), own in said.items():
        row = rows.get((account, reminder))
        if row is None or row.proposal is None:
            continue
        what = _what(row, waiting=waiting)
        each = None if what is None else next((word for word in own if _decided(word, row, what=what)), None)
        if what is None or each is None:
            continue
        found.append(
            SaidLately(
                account=account,
                name=names.get(account, ""),
                reminder=reminder,
                step=row.step,
                what=what,
                act=each.act,
                user=each.user,
                on=each.at.date(),
                at=each.at if each.is_instant else None,
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


def _decided(word: _Word, row: ReminderRow, *, what: _What) -> bool:
    """Say whether a word is the one by which a reminder stands as it does.

    It is of that kind and of that person: by when they were said words do not follow each other as the ledger took them (one may have
    a day and no time). One to send now is about what it has let go, and nothing waits any more once that is decided.
    """
    if what == "approval":
        by = "" if row.proposal is None else row.proposal.approved_by
        is_late = word.act == _SENT_NOW and row.status == "open" and word.at > row.tick
        return word.act in (_APPROVE, _SENT_NOW) and word.user == by and not is_late
    return word.act == (_CANCEL if row.status == "cancelled" else _DROP) and word.user == row.ended_by


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


_Said = dict[tuple[str, str], list[_Word]]


def _said(connection: Connection, *, companies: Sequence[str], since: datetime.datetime) -> _Said:
    """Give what was said of each (account, reminder), the newest first; what the ledger refused was not said."""
    own = [requests.c["company"].in_(companies)] if companies else []
    # Texts of business times sort by their days; who is in another zone is a day off at most.
    first = (since - datetime.timedelta(days=1)).date().isoformat()
    rows = [
        row
        for act in (*_ACTS, _SENT_NOW)
        for row in connection.execute(
            select(requests)
            .where(requests.c["request_type"] == act, requests.c["occurred_at"] >= first, *own)
            .order_by(requests.c["occurred_at"].desc())
            .limit(_LOOKED_THROUGH_MAX)
        )
    ]
    refused = _refused(connection, [row.request for row in rows])
    said = [row for row in rows if row.request not in refused]
    going = _going(connection, {row.account for row in said if row.request_type == _SENT_NOW}, since=since)
    words = [((row.account, name), _word(row)) for row in said for name in _named(row, going=going)]
    found: _Said = {}
    for key, word in sorted(words, key=lambda each: each[1].at, reverse=True):
        if word.at >= since:
            found.setdefault(key, []).append(word)
    return found


def _named(row: Row[Any], *, going: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """Name the reminders that a request is about."""
    if row.request_type == _SENT_NOW:
        return going.get(row.account, ())
    return (json.decode(row.request_json, type=_Named).reminder,)


def _going(
    connection: Connection, accounts: Collection[str], *, since: datetime.datetime
) -> dict[str, list[str]]:
    """Name the reminders of accounts that were decided since, and have not ended."""
    if not accounts:
        return {}
    query = (
        select(reminders.c["account"], reminders.c["reminder"])
        .outerjoin(reminder_ends, reminder_ends.c["reminder"] == reminders.c["reminder"])
        .where(
            reminders.c["account"].in_(sorted(accounts)),
            reminders.c["tick"] >= since,
            reminder_ends.c["reminder"].is_(None),
        )
    )
    found: dict[str, list[str]] = {}
    for account, reminder in connection.execute(query):
        found.setdefault(account, []).append(reminder)
    return found


def _word(row: Row[Any]) -> _Word:
    said = row.occurred_at
    is_instant = len(said) > _A_DAY
    at = datetime.datetime.fromisoformat(said if is_instant else f"{said}T23:59:59")
    at = at.astimezone(datetime.UTC) if at.tzinfo is not None else at.replace(tzinfo=datetime.UTC)
    return _Word(act=row.request_type, user=row.author, at=at, is_instant=is_instant)


def _refused(connection: Connection, commands: Sequence[str]) -> set[str]:
    if not commands:
        return set()
    keys = [f"command/{each}" for each in commands]
    query = select(exceptions.c["key"]).where(
        exceptions.c["key"].in_(keys), exceptions.c["reason"].in_(_REFUSED)
    )
    return {key.removeprefix("command/") for key in connection.execute(query).scalars()}


def _rows(
    connection: Connection, *, kind: str, named: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], StateRow]:
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

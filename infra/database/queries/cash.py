"""What may come in, and when: the core's own word on each open item, from the rows as the ledger keeps them (U-9).

Only accounts that owe something are read, and of them only what is open and what bears on it, some at a time:
an installation of a million documents passes through, and is never held.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, and_, func, or_, select

from infra.database.queries.account_choice import AccountChoice, blocks
from infra.database.queries.live import live_rows_of
from infra.database.tables import clocks, items, live_rows, owed
from processors.account import Account
from processors.cash import CashPart, expected_cash
from processors.company import Company
from schemas.fields import split_account_id
from schemas.rows import CreditRow, DisputeRow, ItemRow, Row, decode_row

__all__ = ["CashExpected", "cash_expected"]

_BLOCK: Final = 200
# Settled items, what settled them, and what was written about them say nothing of what is to come.
_KINDS: Final = (
    *("account", "customer", "item", "hold"),
    *("promise", "dispute", "instrument", "payment_plan", "credit"),
)
_WITH_APPLICATIONS: Final = (*_KINDS, "application")


class CashExpected(Struct, frozen=True, kw_only=True):
    """A part of what an account owes."""

    account: str
    company: str
    part: CashPart


def cash_expected(connection: Connection, *, choice: AccountChoice) -> Iterator[CashExpected]:
    """Walk the parts of all that the chosen accounts owe, as of the newest tick that all partitions have.

    Nothing before the first tick: there is no now to look ahead from.
    """
    at = connection.execute(select(func.min(clocks.c["at"]))).scalar()
    if at is None:
        return
    companies: dict[str, Company] = {}
    for accounts in blocks(connection, choice, size=_BLOCK):
        debtors = connection.execute(
            select(owed.c["account"])
            .where(owed.c["account"].in_(accounts), owed.c["open_count"] > 0)
            .order_by(owed.c["account"])
            .distinct()
        )
        for name, rows in _rows_of(connection, list(debtors.scalars())):
            company = split_account_id(name)[0]
            if company not in companies:
                companies[company] = _company(connection, company)
            own = companies[company]
            live = Account.restore(name, rows=rows)
            for part in expected_cash(live, company=own, day=own.day_of(at)):
                yield CashExpected(account=name, company=company, part=part)


def _company(connection: Connection, company: str) -> Company:
    kept = live_rows_of(connection, owners=[company]).get(company, {})
    return Company.restore(company, rows=[decode_row(value) for value in kept.values()])


def _rows_of(connection: Connection, accounts: Sequence[str]) -> Iterator[tuple[str, list[Row]]]:
    """Give the rows of each account; what has settled what only where that matters."""
    found = _read(connection, accounts, kinds=_KINDS)
    asking = [name for name in accounts if _needs_applications([row for _, row in found.get(name, ())])]
    if asking:
        found |= _read(connection, asking, kinds=_WITH_APPLICATIONS)
    for name in accounts:
        yield name, [row for _, row in found.get(name, ())]


def _needs_applications(rows: Sequence[Row]) -> bool:
    """Say whether something is disputed (R29), or credit could be set against what is a mere residual by its discount or fee (R11)."""
    if any(isinstance(row, DisputeRow) for row in rows):
        return True
    has_credit = any(isinstance(row, CreditRow) and row.rest_minor for row in rows)
    return has_credit and any(isinstance(row, ItemRow) and row.open_minor < row.amount_minor for row in rows)


def _read(
    connection: Connection, accounts: Sequence[str], *, kinds: Sequence[str]
) -> dict[str, list[tuple[str, Row]]]:
    is_open = and_(
        items.c["account"] == live_rows.c["owner"],
        items.c["item"] == live_rows.c["name"],
        items.c["open_minor"] > 0,
    )
    query = (
        select(live_rows.c["owner"], live_rows.c["kind"], live_rows.c["row_json"])
        .select_from(live_rows.outerjoin(items, is_open))
        .where(live_rows.c["owner"].in_(accounts), live_rows.c["kind"].in_(kinds))
        .where(or_(live_rows.c["kind"] != "item", items.c["item"].is_not(None)))
        .order_by(live_rows.c["owner"])
    )
    found: defaultdict[str, list[tuple[str, Row]]] = defaultdict(list)
    for owner, kind, row_json in connection.execute(query):
        found[owner].append((kind, decode_row(row_json.encode())))
    return found

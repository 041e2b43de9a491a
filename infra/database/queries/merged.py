"""Who a customer is now: one that was merged into another has nothing open any more, and nobody looks there."""

from typing import Final

from sqlalchemy import Connection

from infra.database.queries.live import live_row
from schemas.fields import split_account_id
from schemas.rows import AccountRow

__all__ = ["living_account"]

_HOPS_MAX: Final = 20


def living_account(connection: Connection, account: str) -> str:
    """Give the account that has what an account had, over all mergers (SEMANTICS 2.6); most often itself.

    Two that were merged into each other keep what they have, and so their own words.
    """
    company = split_account_id(account)[0]
    seen = [account]
    for _ in range(_HOPS_MAX):
        row = live_row(connection, owner=seen[-1], kind="account")
        if not isinstance(row, AccountRow) or not row.merged_into:
            return seen[-1]
        into = f"{company}:{row.merged_into}"
        if into in seen:
            return account
        seen.append(into)
    return account

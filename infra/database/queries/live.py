"""Rows of owners as the ledger keeps them, for the core to restore: encoded rows by encoded key."""

from collections.abc import Sequence
from itertools import groupby

from sqlalchemy import Connection, select

from infra.database.tables import live_rows
from schemas.rows import Row, RowKey, decode_row, encode_key

__all__ = ["Rows", "live_row", "live_rows_of"]

Rows = dict[bytes, bytes]


def live_rows_of(connection: Connection, *, owners: Sequence[str]) -> dict[str, Rows]:
    """Give the kept rows of some accounts or companies, by owner; who has none is left out."""
    found = connection.execute(
        select(live_rows).where(live_rows.c["owner"].in_(owners)).order_by(live_rows.c["owner"])
    )
    return {
        owner: {encode_key(RowKey(row.kind, owner, row.name)): row.row_json.encode() for row in rows}
        for owner, rows in groupby(found, key=lambda row: str(row.owner))
    }


def live_row(connection: Connection, *, owner: str, kind: str, name: str = "") -> Row | None:
    """Give one kept row by its key; None: there is none."""
    found = connection.execute(
        select(live_rows.c["row_json"]).where(
            live_rows.c["owner"] == owner, live_rows.c["kind"] == kind, live_rows.c["name"] == name
        )
    ).scalar()
    return None if found is None else decode_row(found.encode())

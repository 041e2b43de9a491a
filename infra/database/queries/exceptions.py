"""Exceptions: what a person must look at, said by the ledger or found where all accounts meet."""

import datetime

from msgspec import Struct
from sqlalchemy import Connection, func, select

from infra.database.tables import exceptions

__all__ = ["ExceptionLine", "exception_lines"]


class ExceptionLine(Struct, frozen=True, kw_only=True):
    """One exception; ``first`` and ``second`` are JSON of what differs, ``null`` when nothing does."""

    id: str
    recorded_at: datetime.datetime
    account: str
    reason: str
    key: str
    detail: str
    first: str
    second: str


def exception_lines(
    connection: Connection, *, account: str = "", reason: str = "", lines_max: int
) -> tuple[list[ExceptionLine], int]:
    """List the newest exceptions in the order of time, and count all that match."""
    conditions = [
        column == value
        for column, value in ((exceptions.c.account, account), (exceptions.c.reason, reason))
        if value
    ]
    newest = (
        select(exceptions)
        .where(*conditions)
        .order_by(exceptions.c.recorded_at.desc(), exceptions.c.id.desc())
        .limit(lines_max)
    )
    lines = [
        ExceptionLine(
            id=row.id,
            recorded_at=row.recorded_at,
            account=row.account,
            reason=row.reason,
            key=row.key,
            detail=row.detail,
            first=row.first_json,
            second=row.second_json,
        )
        for row in connection.execute(newest)
    ]
    count = connection.execute(select(func.count()).select_from(exceptions).where(*conditions)).scalar_one()
    return lines[::-1], count

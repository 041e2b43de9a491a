"""Which customers of a company are followed up where only selected ones are (S4-01), page by page."""

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import Connection, and_, select

from infra.database.tables import customers, live_rows

__all__ = ["Enrolment", "enrolments", "known_accounts"]

_ENROLLED = '"enrolled":true'


class Enrolment(Struct, frozen=True, kw_only=True):
    """A customer, and whether a command has selected him."""

    account: str
    name: str
    is_enrolled: bool


def enrolments(
    connection: Connection, company: str, *, search: str = "", after: str = "", limit: int
) -> list[Enrolment]:
    """List customers by account from ``after`` on; with ``search`` those whose id, name or tax id has it."""
    kept = and_(
        live_rows.c["owner"] == customers.c["account"],
        live_rows.c["kind"] == "account",
        live_rows.c["name"] == "",
    )
    query = (
        select(customers.c["account"], customers.c["name"], live_rows.c["row_json"])
        .select_from(customers.outerjoin(live_rows, kept))
        # The customers of a company stand together: ``;`` is the character after ``:``.
        .where(customers.c["account"] > (after or f"{company}:"), customers.c["account"] < f"{company};")
        .order_by(customers.c["account"])
        .limit(limit)
    )
    if search:
        by_id, by_name, by_tax = (
            customers.c[name].icontains(search, autoescape=True) for name in ("customer", "name", "tax_id")
        )
        query = query.where(by_id | by_name | by_tax)
    return [
        Enrolment(account=row.account, name=row.name, is_enrolled=_ENROLLED in (row.row_json or ""))
        for row in connection.execute(query)
    ]


def known_accounts(connection: Connection, accounts: Sequence[str]) -> list[str]:
    """Give those of some accounts that have master data, in order."""
    query = select(customers.c["account"]).where(customers.c["account"].in_(accounts))
    return list(connection.execute(query.order_by(customers.c["account"])).scalars())

"""``cobranza trust``: how far each customer is trusted, and from which history (R34)."""

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from console.cli.formats import Cell, OutputFormat, format_option, print_rows
from console.read_model import open_read_model, say_age

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from infra.settings import Settings

__all__ = ["trust"]

_COLUMNS = (
    "account",
    "customer",
    "trust",
    "by_hand",
    "paid_items",
    "paid_late",
    "share_late",
    "mean_days_late",
    "broken_promises",
)


@click.command()
@click.option("--company", default="", help="Of this company only.")
@click.option("--account", default="", help="Of this account only: COMPANY:CUSTOMER.")
@click.option("--trust", "wanted", type=click.Choice(["good", "normal", "bad"]), help="Of this trust only.")
@format_option
@click.pass_obj
def trust(
    settings: "Settings", *, company: str, account: str, wanted: str | None, output_format: OutputFormat
) -> None:
    """Show customers with a history; set trust by hand with the event collections.trust.set.v1."""
    with open_read_model(settings) as connection:
        rows = list(_rows(connection, company=company, account=account, wanted=wanted or ""))
        if output_format == "table":
            say_age(connection)
    print_rows(rows, columns=_COLUMNS, output_format=output_format)


def _rows(connection: "Connection", *, company: str, account: str, wanted: str) -> Iterator[dict[str, Cell]]:
    from sqlalchemy import or_, select

    from infra.database.tables import accounts, customers

    named = {accounts.c["company"]: company, accounts.c["account"]: account, accounts.c["trust"]: wanted}
    has_history = or_(
        accounts.c["paid_items"] > 0, accounts.c["broken_promises"] > 0, accounts.c["trust_by_hand"]
    )
    query = (
        select(accounts, customers.c["name"])
        .select_from(accounts.outerjoin(customers, customers.c["account"] == accounts.c["account"]))
        .where(*(column == value for column, value in named.items() if value))
        .where(has_history)
        .order_by(accounts.c["account"])
    )
    for row in connection.execute(query):
        yield {
            "account": row.account,
            "customer": row.name or "",
            "trust": row.trust,
            "by_hand": "yes" if row.trust_by_hand else "no",
            "paid_items": row.paid_items,
            "paid_late": row.late_items,
            "share_late": _ratio(row.late_items, row.paid_items),
            "mean_days_late": _ratio(row.late_days, row.paid_items),
            "broken_promises": row.broken_promises,
        }


def _ratio(part: int, whole: int) -> Decimal | None:
    return (Decimal(part) / whole).quantize(Decimal("0.01")) if whole else None

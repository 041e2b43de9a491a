"""``cobranza aged``: what each customer owes at the end of a day, by how late it is."""

import datetime
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from console.cli.formats import Cell, OutputFormat, format_option, print_rows
from console.read_model import DAY, amount, open_read_model, say_age

if TYPE_CHECKING:
    from infra.database.queries.aged import Aged, AgedRow
    from infra.settings import Settings

__all__ = ["aged"]


@click.command()
@click.option("--as-of", type=DAY, required=True, help="The day, as of its end: YYYY-MM-DD.")
@click.option("--company", help="Of this company only.")
@click.option("--edges", default="30,60,90", show_default=True, help="Last days of the buckets.")
@click.option("--totals-only", is_flag=True, help="Leave the customers out.")
@format_option
@click.pass_obj
def aged(
    settings: "Settings",
    *,
    as_of: datetime.datetime,
    company: str | None,
    edges: str,
    totals_only: bool,
    output_format: OutputFormat,
) -> None:
    """Show the aged balance per customer and currency, and totals per currency.

    Due on the day itself is not due. Unapplied credit stands in its own
    column and is not subtracted.
    """
    from infra.database.queries import aged as query

    try:
        days = tuple(int(edge) for edge in edges.split(","))
        query.bucket_names(days)
    except ValueError as error:
        raise click.BadParameter(f"{edges!r}: {error}", param_hint="--edges") from error
    with open_read_model(settings) as connection:
        found = query.aged(connection, as_of=as_of.date(), company=company, edges=days)
        if output_format == "table":
            click.echo(f"Aged balance at the end of {as_of.date()}", err=True)
            say_age(connection)
    rows = [] if totals_only else [("customer", row) for row in found.rows]
    rows += [("total", row) for row in found.totals]
    if output_format == "table":
        written = [_for_people(found, kind, row) for kind, row in rows]
        columns = [
            "account",
            "customer",
            "currency",
            "open",
            "receivables",
            *found.bucket_names,
            "unapplied_credit",
        ]
    else:
        written = [_for_programs(found, kind, row) for kind, row in rows]
        columns = [
            "row",
            "account",
            "customer",
            "currency",
            "open",
            "receivables",
            *_flat_names(found),
            "unapplied_credit",
        ]
    print_rows(written, columns=columns, output_format=output_format)


def _for_people(found: "Aged", kind: str, row: "AgedRow") -> dict[str, Cell]:
    cells = _leading(row)
    if kind == "total":
        cells["account"] = "total"
    for name, bucket in zip(found.bucket_names, row.buckets, strict=True):
        money = amount(bucket.amount_minor, currency=row.currency)
        cells[name] = f"{bucket.count} / {money:,}" if bucket.count else "0"
    return cells


def _for_programs(found: "Aged", kind: str, row: "AgedRow") -> dict[str, Cell]:
    names: Iterator[str] = iter(_flat_names(found))
    cells: dict[str, Cell] = {"row": kind, **_leading(row)}
    for bucket in row.buckets:
        cells[next(names)] = bucket.count
        cells[next(names)] = amount(bucket.amount_minor, currency=row.currency)
    return cells


def _leading(row: "AgedRow") -> dict[str, Cell]:
    return {
        "account": row.account,
        "customer": row.name,
        "currency": row.currency,
        "open": row.open_count,
        "receivables": amount(row.receivables_minor, currency=row.currency),
        "unapplied_credit": amount(row.credit_minor, currency=row.currency),
    }


def _flat_names(found: "Aged") -> list[str]:
    names = [name.replace(" ", "_").replace("-", "_").replace("+", "_plus") for name in found.bucket_names]
    return [f"{name}_{what}" for name in names for what in ("count", "amount")]

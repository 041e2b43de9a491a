"""``cobranza statement``: one account's movements, open items and how late they are."""

import datetime
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from console.cli.formats import Cell, OutputFormat, format_option, print_rows, printable
from console.read_model import DAY, amount, day, open_read_model, say_age
from infra.errors import OperatorError

if TYPE_CHECKING:
    from infra.database.queries.group import GroupStatement
    from infra.database.queries.statement import CurrencyStatement, Statement
    from infra.settings import Settings

__all__ = ["StatementError", "statement"]

_LINE_COLUMNS = ("date", "kind", "document", "due_on", "amount", "balance")
_CONDITIONAL_COLUMNS = ("payment", "means", "state", "since", "amount")
_ITEM_COLUMNS = ("item", "reference", "issued_on", "due_on", "amount", "open", "days_overdue")


class StatementError(OperatorError):
    """There is no statement to show."""


@click.command()
@click.argument("account")
@click.option("--as-of", type=DAY, required=True, help="The day, as of its end: YYYY-MM-DD.")
@click.option("--from", "first_on", type=DAY, help="First day of the lines; before it: an opening balance.")
@click.option(
    "--group", "is_group", is_flag=True, help="With the customers that belong to it, and their total."
)
@format_option
@click.pass_obj
def statement(
    settings: "Settings",
    *,
    account: str,
    as_of: datetime.datetime,
    first_on: datetime.datetime | None,
    is_group: bool,
    output_format: OutputFormat,
) -> None:
    """Show the statement of ACCOUNT (COMPANY:CUSTOMER); items that are late are red.

    With --format csv it is the lines only.
    """
    from infra.database.queries.group import group_statement

    if first_on is not None and first_on > as_of:
        raise click.BadParameter("is after --as-of", param_hint="--from")
    with open_read_model(settings) as connection:
        group = group_statement(
            connection, account=account, as_of=as_of.date(), first_on=day(first_on), with_children=is_group
        )
        if output_format == "table":
            say_age(connection)
    if group is None:
        raise StatementError(f"nothing is known of account {account!r}; accounts are COMPANY:CUSTOMER")
    members = group.members
    if output_format == "table":
        for each in members:
            _print_for_people(each)
            click.echo("")
        if is_group:
            _print_totals(group)
    elif output_format == "csv":
        columns = ("account", "currency", *_LINE_COLUMNS) if is_group else ("currency", *_LINE_COLUMNS)
        print_rows(list(_all_lines(members)), columns=columns, output_format="csv")
    elif is_group:
        totals = {
            currency: amount(minor, currency=currency) for currency, minor in group.totals_minor.items()
        }
        _print_json({"group": [_written(each) for each in members], "totals": totals})
    else:
        _print_json(_written(members[0]))


def _all_lines(members: "Sequence[Statement]") -> Iterator[dict[str, Cell]]:
    for each in members:
        for of in each.currencies:
            yield from ({"account": each.account, "currency": of.currency, **line} for line in _lines(of))


def _print_totals(group: "GroupStatement") -> None:
    click.echo(f"The group of {printable(group.account)}: {len(group.members)} accounts")
    for currency, minor in group.totals_minor.items():
        click.echo(f"Balance: {amount(minor, currency=currency):,} {currency}")


def _print_for_people(found: "Statement") -> None:
    click.echo(printable(f"{found.account}  {found.name}".rstrip()))
    click.echo(f"Statement at the end of {found.as_of}")
    if not found.currencies:
        click.echo("Nothing has moved.")
    for of in found.currencies:
        click.echo(f"\n{of.currency}")
        if found.first_on:
            opening = amount(of.opening_minor, currency=of.currency)
            click.echo(f"Balance before {found.first_on}: {opening:,}")
        print_rows(_lines(of), columns=_LINE_COLUMNS, output_format="table")
        click.echo(f"Balance: {amount(of.closing_minor, currency=of.currency):,}")
        if of.open_items:
            click.echo("\nOpen items")
            print_rows(_open_items(of), columns=_ITEM_COLUMNS, output_format="table", row_style=_late_is_red)
        if of.conditional:
            click.echo("\nNot cleared yet: no part of the balance")
            print_rows(_conditional(of), columns=_CONDITIONAL_COLUMNS, output_format="table")
        print_rows(
            [_buckets(found, of, separator=" / ")], columns=_bucket_columns(found), output_format="table"
        )


def _late_is_red(row: Any) -> str:
    return "red" if row["days_overdue"] > 0 else ""


def _print_json(written: dict[str, Any]) -> None:
    import msgspec

    sys.stdout.write(msgspec.json.format(msgspec.json.encode(written), indent=2).decode() + "\n")


def _written(found: "Statement") -> dict[str, Any]:
    return {
        "account": found.account,
        "name": found.name,
        "from": found.first_on,
        "as_of": found.as_of,
        "currencies": [
            {
                "currency": of.currency,
                "opening": amount(of.opening_minor, currency=of.currency),
                "lines": list(_lines(of)),
                "closing": amount(of.closing_minor, currency=of.currency),
                "open_items": list(_open_items(of)),
                "conditional": list(_conditional(of)),
                "aged": _buckets(found, of, separator=None),
            }
            for of in found.currencies
        ],
    }


def _lines(of: "CurrencyStatement") -> Iterator[dict[str, Cell]]:
    for line in of.lines:
        yield {
            "date": line.date,
            "kind": line.kind,
            "document": line.document,
            "due_on": line.due_on,
            "amount": amount(line.amount_minor, currency=of.currency),
            "balance": amount(line.balance_minor, currency=of.currency),
        }


def _open_items(of: "CurrencyStatement") -> Iterator[dict[str, Cell]]:
    for item in of.open_items:
        yield {
            "item": item.item,
            "reference": item.reference,
            "issued_on": item.issued_on,
            "due_on": item.due_on,
            "amount": amount(item.amount_minor, currency=of.currency),
            "open": amount(item.open_minor, currency=of.currency),
            "days_overdue": item.days_overdue,
        }


def _conditional(of: "CurrencyStatement") -> Iterator[dict[str, Cell]]:
    for each in of.conditional:
        yield {
            "payment": each.payment,
            "means": each.means,
            "state": each.state,
            "since": each.since,
            "amount": amount(each.amount_minor, currency=of.currency),
        }


def _bucket_columns(found: "Statement") -> tuple[str, ...]:
    return ("receivables", *found.bucket_names, "unapplied_credit")


def _buckets(found: "Statement", of: "CurrencyStatement", *, separator: str | None) -> dict[str, Any]:
    """Write the buckets: a cell each for people (`separator` between count and amount), else objects."""
    row = of.aged
    buckets = row.buckets if row else ()
    cells: dict[str, Any] = {
        "receivables": amount(row.receivables_minor if row else 0, currency=of.currency),
        "unapplied_credit": amount(row.credit_minor if row else 0, currency=of.currency),
    }
    for name, bucket in zip(found.bucket_names, buckets, strict=False):
        money = amount(bucket.amount_minor, currency=of.currency)
        cells[name] = (
            f"{bucket.count}{separator}{money:,}" if separator else {"count": bucket.count, "amount": money}
        )
    return cells

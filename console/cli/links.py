"""``cobranza links``: which signed links are good no more, and the end of one before its day."""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import click

from console.cli.formats import OutputFormat, format_option, print_rows

if TYPE_CHECKING:
    from infra.database.links import LinkBook
    from infra.settings import Settings

__all__ = ["links"]

_COLUMNS = ("revoked_at", "kind", "name", "author", "reason")
_KIND = click.argument("kind", type=click.Choice(["reminder", "account"]))
_NAME = click.argument("name")


@click.group()
def links() -> None:
    """Signed links in messages: by what they are reached, they end with their day, or when revoked here."""


@links.command()
@_KIND
@_NAME
@click.option("--author", default="", help="Who says so.")
@click.option("--reason", default="", help="Why.")
@click.pass_obj
def revoke(
    settings: "Settings", *, kind: Literal["reminder", "account"], name: str, author: str, reason: str
) -> None:
    """End all links of a reminder, or those of an account (COMPANY:CUSTOMER) that are out by now.

    What an account is sent from now on has links that are good.
    """
    from infra.database.links import Revocation

    now = datetime.datetime.now(datetime.UTC)
    with _book(settings) as book:
        book.revoke(Revocation(kind=kind, name=name, revoked_at=now, author=author, reason=reason))
    click.echo(f"The links of {kind} {name} are revoked.")


@links.command()
@_KIND
@_NAME
@click.pass_obj
def restore(settings: "Settings", *, kind: Literal["reminder", "account"], name: str) -> None:
    """Let revoked links be good again, until their day."""
    with _book(settings) as book:
        known = book.restore(kind, name=name)
    click.echo(f"The links of {kind} {name} {'are good again' if known else 'were not revoked'}.")


@links.command("list")
@format_option
@click.pass_obj
def list_(settings: "Settings", *, output_format: OutputFormat) -> None:
    """Show what is revoked."""
    from msgspec import structs

    with _book(settings) as book:
        found = book.revocations()
    rows = [
        structs.asdict(each) | {"revoked_at": each.revoked_at.isoformat(timespec="seconds")} for each in found
    ]
    print_rows(rows, columns=_COLUMNS, output_format=output_format)


@contextmanager
def _book(settings: "Settings") -> "Iterator[LinkBook]":
    from infra.database.engine import open_engine
    from infra.database.links import LinkBook
    from infra.database.migrate import require_current

    engine = open_engine(settings.database)
    try:
        require_current(engine)
        yield LinkBook(engine)
    finally:
        engine.dispose()

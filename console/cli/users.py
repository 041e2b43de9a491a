"""``cobranza users``: who may use the console. There is no first user and no default password: this makes them."""

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from console.cli.formats import OutputFormat, format_option, print_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.database.people import PeopleBook, User
    from infra.settings import Settings

__all__ = ["users"]

_ROLES = ("viewer", "collector", "approver", "administrator")
_COLUMNS = ("user", "role", "language", "companies", "is_disabled")


@click.group()
def users() -> None:
    """Say who may use the console, and what each may do."""


@users.command()
@click.argument("name")
@click.option(
    "--role", type=click.Choice(_ROLES), required=True, help="Each may do what those before it may."
)
@click.option("--language", type=click.Choice(("en", "es", "pt")), default="en", show_default=True)
@click.option(
    "--company", "companies", multiple=True, help="Sees this company only; may be given several times."
)
@click.password_option(help="Asked for when left out; at least 12 characters.")
@click.pass_obj
def add(
    settings: "Settings", *, name: str, role: "Any", language: str, companies: tuple[str, ...], password: str
) -> None:
    """Add the user NAME."""
    from infra.database.people import User

    if not name.isprintable() or name != name.strip() or not 1 <= len(name) <= 128:
        raise click.BadParameter("1 to 128 printable characters, no spaces around them", param_hint="NAME")
    with _book(settings) as book:
        if book.user(name) is not None:
            raise click.ClickException(f"There is a user {name!r} already: cobranza users change")
        _put(
            book,
            User(
                user=name,
                role=role,
                password_hash=_hash(password),
                language=language,
                companies=companies,
            ),
        )
    click.echo(f"{name} may use the console as {role}: cobranza console")


@users.command()
@click.argument("name")
@click.option("--role", type=click.Choice(_ROLES))
@click.option("--language", type=click.Choice(("en", "es", "pt")))
@click.option("--company", "companies", multiple=True, help="Sees these companies only.")
@click.option("--all-companies", is_flag=True, help="Sees all companies.")
@click.option("--password", is_flag=True, help="Ask for a new password.")
@click.option("--disable/--enable", "is_disabled", default=None, help="May not log in, or may again.")
@click.pass_obj
def change(
    settings: "Settings",
    *,
    name: str,
    role: "Any",
    language: str | None,
    companies: tuple[str, ...],
    all_companies: bool,
    password: bool,
    is_disabled: bool | None,
) -> None:
    """Change the user NAME, who is logged out by it."""
    from msgspec.structs import replace

    given = {"role": role, "language": language, "is_disabled": is_disabled}
    changes: dict[str, Any] = {field: value for field, value in given.items() if value is not None}
    if companies or all_companies:
        changes["companies"] = () if all_companies else companies
    if password:
        changes["password_hash"] = _hash(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    if not changes:
        raise click.UsageError("Say what to change: --role, --language, --company, --password, --disable …")
    with _book(settings) as book:
        known = book.user(name)
        if known is None:
            raise click.ClickException(f"There is no user {name!r}: cobranza users list")
        _put(book, replace(known, **changes))
    click.echo(f"{name} is changed, and logged out.")


@users.command("list")
@format_option
@click.pass_obj
def list_(settings: "Settings", *, output_format: OutputFormat) -> None:
    """List the users."""
    with _book(settings) as book:
        rows = [
            {
                "user": each.user,
                "role": each.role,
                "language": each.language,
                "companies": ", ".join(each.companies) or "all",
                "is_disabled": "yes" if each.is_disabled else "",
            }
            for each in book.users()
        ]
    print_rows(rows, columns=_COLUMNS, output_format=output_format)


def _hash(password: str) -> str:
    from console.web.inside.access import hash_password

    try:
        return hash_password(password)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="password") from error


def _put(book: "PeopleBook", user: "User") -> None:
    from notifiers.assembly import utc_now

    book.put(user, at=utc_now())


@contextmanager
def _book(settings: "Settings") -> "Iterator[PeopleBook]":
    from infra.database.engine import open_engine
    from infra.database.migrate import require_current
    from infra.database.people import PeopleBook

    engine = open_engine(settings.database)
    try:
        require_current(engine)
        yield PeopleBook(engine)
    finally:
        engine.dispose()

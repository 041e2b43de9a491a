"""``cobranza db``: the database's tables, made and brought to this version."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from infra.settings import Settings

__all__ = ["db"]


@click.group()
def db() -> None:
    """Make and upgrade the database's tables."""


@db.command()
@click.pass_obj
def upgrade(settings: "Settings") -> None:
    """Make the tables, or bring them to this version; what is there already stays."""
    from infra.database import migrate
    from infra.database.engine import open_engine

    engine = open_engine(settings.database)
    before, after = migrate.upgrade(engine)
    where = engine.url.render_as_string(hide_password=True)
    engine.dispose()
    if before == after:
        click.echo(f"{where} is at migration {after} already.")
    else:
        click.echo(f"{where}: from migration {before or 'none'} to {after}.")


@db.command()
@click.pass_obj
def check(settings: "Settings") -> None:
    """Check that the tables are those of this version; exits with 1 when not."""
    from infra.database import migrate
    from infra.database.engine import open_engine

    engine = open_engine(settings.database)
    try:
        migrate.require_current(engine)
    finally:
        engine.dispose()
    click.echo(f"The tables are at migration {migrate.newest()}.")

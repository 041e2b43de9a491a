"""What report commands share: one moment of the read model, amounts as people write them, how old it is."""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from processors.money import to_text

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from infra.settings import Settings

__all__ = ["DAY", "amount", "day", "open_read_model", "say_age"]

DAY = click.DateTime(formats=["%Y-%m-%d"])


def day(given: datetime.datetime | None) -> datetime.date | None:
    """Make a day of what an option of type `DAY` gives."""
    return given.date() if given else None


def amount(amount_minor: int, *, currency: str) -> Decimal:
    """Write minor units as a decimal with all the decimals of its currency."""
    return Decimal(to_text(amount_minor, currency=currency))


@contextmanager
def open_read_model(settings: "Settings") -> Iterator["Connection"]:
    """Give a connection that sees one moment of the read model.

    Raises:
        DatabaseError: there is none, or it is of another version.
    """
    from infra.database.engine import open_engine, reading
    from infra.database.migrate import require_current

    engine = open_engine(settings.database)
    try:
        require_current(engine)
        with reading(engine) as connection:
            yield connection
    finally:
        engine.dispose()


def say_age(connection: "Connection") -> None:
    """Say, apart from the report, which tick the read model has seen in all its partitions."""
    from sqlalchemy import func, select

    from infra.database.tables import clocks

    oldest = connection.execute(select(func.min(clocks.c.at))).scalar_one()
    said = f"has seen every tick up to {oldest:%Y-%m-%d %H:%M} UTC" if oldest else "has seen no tick yet"
    click.echo(f"The read model {said}.", err=True)

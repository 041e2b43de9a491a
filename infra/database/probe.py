"""Whether a process that only answers can answer: it has no loop of its own, and is of no use without its database."""

from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from infra.database.engine import reading
from infra.database.tables import clocks

__all__ = ["DatabaseProbe"]


class DatabaseProbe:
    """A ``infra.metrics.pulse.Probe``: ready while the database can be asked."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def stalled(self) -> list[str]:
        """Say nothing: there is no loop that could stand still."""
        return []

    def unready(self) -> list[str]:
        """Say that the database cannot be read, if it is so now."""
        try:
            with reading(self._engine) as connection:
                connection.execute(select(clocks.c["partition"]).limit(1))
        except SQLAlchemyError as error:
            return [f"the database cannot be read: {type(error).__name__}"]
        return []

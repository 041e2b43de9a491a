"""Filters that people keep of a page, each his own: named, used, deleted; nobody sees another one's."""

from msgspec import Struct
from sqlalchemy import Engine, and_, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from infra.database.batch_tables import saved_filters
from infra.database.engine import reading, writing

__all__ = ["SAVED_MAX", "FilterBook", "SavedFilter"]

SAVED_MAX = 50  # of one user and page


class SavedFilter(Struct, frozen=True, kw_only=True):
    """A name and the query string that it stands for."""

    name: str
    query: str


class FilterBook:
    """Reads and writes them; several threads may use it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert

    def of(self, user: str, *, page: str) -> list[SavedFilter]:
        """List a user's filters of a page by name."""
        query = (
            select(saved_filters.c["name"], saved_filters.c["query"])
            .where(saved_filters.c["user"] == user, saved_filters.c["page"] == page)
            .order_by(saved_filters.c["name"])
        )
        with reading(self._engine) as connection:
            return [SavedFilter(**row) for row in connection.execute(query).mappings()]

    def keep(self, user: str, *, page: str, saved: SavedFilter) -> bool:
        """Keep a filter; one of the same name is replaced. False: there are too many already."""
        values = {"user": user, "page": page, "name": saved.name, "query": saved.query}
        statement = self._insert(saved_filters).values(**values)
        mine = and_(saved_filters.c["user"] == user, saved_filters.c["page"] == page)
        others = and_(mine, saved_filters.c["name"] != saved.name)
        with writing(self._engine) as connection:
            if connection.execute(select(func.count()).where(others)).scalar_one() >= SAVED_MAX:
                return False
            key = ["user", "page", "name"]
            connection.execute(
                statement.on_conflict_do_update(index_elements=key, set_={"query": saved.query})
            )
        return True

    def forget(self, user: str, *, page: str, name: str) -> None:
        """Delete a filter."""
        with writing(self._engine) as connection:
            connection.execute(
                delete(saved_filters).where(
                    saved_filters.c["user"] == user,
                    saved_filters.c["page"] == page,
                    saved_filters.c["name"] == name,
                )
            )

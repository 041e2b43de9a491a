"""Companies' own texts as files in SQL: saved in order, read by whoever has not brought them yet; and what each place says it sees.

Which files there may be, and where they are written out, is for ``notifiers.writing.shared_texts``.
"""

import datetime
from collections.abc import Mapping
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, Engine, delete, func, select, text
from sqlalchemy.dialects import postgresql, sqlite

from infra.database.engine import again_if_undone, reading, writing
from infra.database.own_text_tables import own_texts, text_places

__all__ = ["OwnTextBook", "SavedFile"]

_PAGE: Final = 100
_FORGOTTEN: Final = datetime.timedelta(days=1)


class SavedFile(Struct, frozen=True, kw_only=True):
    """A company's file (``first/es/subject.txt``); ``content`` None: it was given back."""

    company: str
    file: str
    change: int
    content: bytes | None


class OwnTextBook:
    """Reads and writes these tables; several threads and processes may use it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert

    def newest(self) -> int:
        """Give the number of the newest change, 0 before the first."""
        with reading(self._engine) as connection:
            return _newest(connection)

    def after(self, change: int) -> list[SavedFile]:
        """List the next hundred changes after one, in their order."""
        query = (
            select(own_texts)
            .where(own_texts.c["change"] > change)
            .order_by(own_texts.c["change"])
            .limit(_PAGE)
        )
        with reading(self._engine) as connection:
            return [SavedFile(**row) for row in connection.execute(query).mappings()]

    def saved(self, company: str, file: str) -> list[SavedFile]:
        """Give a file as it was saved or given back last; none when it never was."""
        query = select(own_texts).where(own_texts.c["company"] == company, own_texts.c["file"] == file)
        with reading(self._engine) as connection:
            return [SavedFile(**row) for row in connection.execute(query).mappings()]

    def files(self, company: str) -> set[str]:
        """Name the files of a company that were saved and not given back."""
        query = select(own_texts.c["file"]).where(
            own_texts.c["company"] == company, own_texts.c["content"].is_not(None)
        )
        with reading(self._engine) as connection:
            return set(connection.execute(query).scalars())

    def save(self, company: str, files: Mapping[str, bytes | None], *, seen: int | None) -> bool:
        """Save files of a company, all or none; False: something was saved after the change ``seen`` (None: whatever was).

        One at a time, so that who has brought a change can miss none with a lower number.
        """
        with writing(self._engine) as connection:
            self._alone(connection, "own_texts")
            newest = _newest(connection)
            if seen is not None and newest != seen:
                return False
            for change, (file, content) in enumerate(sorted(files.items()), start=newest + 1):
                values = {"change": change, "content": content}
                statement = self._insert(own_texts).values(company=company, file=file, **values)
                connection.execute(
                    statement.on_conflict_do_update(index_elements=["company", "file"], set_=values)
                )
        return True

    @again_if_undone
    def tell(self, place: str, digests: Mapping[str, str], *, at: datetime.datetime) -> None:
        """Write down what a place sees of each company that has texts there; places not heard of for a day are forgotten."""
        rows = [{"place": place, "company": "", "digest": "", "at": at}]
        rows += [
            {"place": place, "company": each, "digest": digest, "at": at} for each, digest in digests.items()
        ]
        with writing(self._engine) as connection:
            self._alone(connection, "text_places")  # two notifiers of one machine are one place
            connection.execute(
                delete(text_places).where(
                    (text_places.c["place"] == place) | (text_places.c["at"] < at - _FORGOTTEN)
                )
            )
            connection.execute(text_places.insert(), rows)

    def seen_at(self, company: str, *, since: datetime.datetime) -> dict[str, str]:
        """Give what each place that was heard of since then sees of a company; '' where it sees none of its own."""
        query = select(text_places.c["place"], text_places.c["company"], text_places.c["digest"]).where(
            text_places.c["company"].in_(("", company)), text_places.c["at"] >= since
        )
        with reading(self._engine) as connection:
            rows = sorted(tuple(row) for row in connection.execute(query))
        return {place: digest for place, _, digest in rows}  # '' sorts before the company

    def _alone(self, connection: Connection, table: str) -> None:
        """Let no other write the table until the transaction ends; on SQLite nobody does anyway."""
        if self._engine.dialect.name == "postgresql":
            connection.execute(text(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE"))


def _newest(connection: Connection) -> int:
    newest: int = connection.execute(select(func.coalesce(func.max(own_texts.c["change"]), 0))).scalar_one()
    return newest

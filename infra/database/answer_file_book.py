"""Files that readers sent with their answers, in SQL: what one machine takes, another one mails to the company's desk.

Which kinds are taken is for ``notifiers.answer_files``.
"""

import datetime
from collections.abc import Mapping

from sqlalchemy import Connection, Engine, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from infra.database.answer_file_tables import answer_files
from infra.database.engine import reading, writing

__all__ = ["AnswerFileBook"]


class AnswerFileBook:
    """Reads and writes the table; several threads and processes may use it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert

    def keep(self, connection: Connection, contents: Mapping[str, bytes], *, at: datetime.datetime) -> None:
        """Keep files by the hash of their content in the transaction of a connection.

        One that is there already is kept from now on.
        """
        for sha256, content in sorted(
            contents.items()
        ):  # in one order: two transactions never wait for each other
            statement = self._insert(answer_files).values(sha256=sha256, content=content, sent_at=at)
            connection.execute(
                statement.on_conflict_do_update(index_elements=["sha256"], set_={"sent_at": at})
            )

    def content(self, sha256: str) -> bytes | None:
        """Give a file; None: there is none."""
        query = select(answer_files.c["content"]).where(answer_files.c["sha256"] == sha256)
        with reading(self._engine) as connection:
            found: bytes | None = connection.execute(query).scalar()
        return found

    def sweep(self, *, before: datetime.datetime) -> int:
        """Remove the files that were sent last before an instant; return how many."""
        with writing(self._engine) as connection:
            return connection.execute(delete(answer_files).where(answer_files.c["sent_at"] < before)).rowcount

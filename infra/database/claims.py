"""Who may change something that is changed elsewhere: of two that were made from the same state the first one, by one statement.

What is changed (a company's profile) is a command to the ledger, which takes the later one: here the second is found out
before it is published. A claim that came to nothing ends by itself.
"""

import datetime
from typing import Final

from msgspec import Struct
from sqlalchemy import Engine, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from infra.database.engine import reading, writing
from infra.database.people_tables import claims

__all__ = ["CLAIM_HOLDS", "Claim", "claim", "claim_of"]

# So long another's claim counts: then its change is in the read model, or never came to anything.
CLAIM_HOLDS: Final = datetime.timedelta(seconds=30)


class Claim(Struct, frozen=True, kw_only=True):
    """Who changes what (``name``), from which state of it (``revision``), since when; ``entry`` names the attempt."""

    name: str
    revision: str
    user: str
    entry: str
    at: datetime.datetime


def claim(engine: Engine, wanted: Claim) -> bool:
    """Take the right to change something; False: another one has it, from the same state and just now.

    The same attempt, and the same user once more, may go on; so may whoever starts from another state.
    """
    insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
    values = {name: getattr(wanted, name) for name in wanted.__struct_fields__}
    statement = insert(claims).values(**values)
    statement = statement.on_conflict_do_update(
        index_elements=["name"],
        set_={name: value for name, value in values.items() if name != "name"},
        where=or_(
            claims.c["revision"] != wanted.revision,
            claims.c["user"] == wanted.user,
            claims.c["at"] < wanted.at - CLAIM_HOLDS,
        ),
    )
    with writing(engine) as connection:
        return connection.execute(statement.returning(claims.c["name"])).first() is not None


def claim_of(engine: Engine, name: str) -> Claim | None:
    """Give who has the right to change something."""
    with reading(engine) as connection:
        row = connection.execute(select(claims).where(claims.c["name"] == name)).mappings().first()
    return None if row is None else Claim(**row)

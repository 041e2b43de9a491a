"""Batches that people asked for on a page: kept whole before anything is published, with the fate of each line.

A line's fate is not kept but looked up: the read model knows whether the ledger has folded a command, and
whether it refused it. So a page that is reloaded says what is so now.
"""

import datetime
from collections.abc import Sequence
from typing import Final, Literal, get_args

from msgspec import Struct
from sqlalchemy import (
    ColumnElement,
    Engine,
    Select,
    and_,
    case,
    delete,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from infra.database.batch_tables import batch_lines, batches
from infra.database.engine import reading, writing
from infra.database.tables import exceptions, requests

__all__ = ["FATES", "Batch", "BatchBook", "BatchLine", "Fate", "LineFate", "Waiting"]

# `waiting`: not published yet; `asked`: published; `written`: the ledger has it, and the read model shows it.
Fate = Literal["refused", "skipped", "waiting", "asked", "written"]
FATES: Final = get_args(Fate)
_KEPT: Final = datetime.timedelta(days=90)


class BatchLine(Struct, frozen=True, kw_only=True):
    """One account of a batch: the ids and the content of its commands, or why there are none."""

    account: str
    name: str = ""
    skipped: str = ""
    commands: tuple[str, ...] = ()
    commands_json: str = "[]"


class Batch(Struct, frozen=True, kw_only=True):
    """What was asked, by whom and when; ``fault`` says why carrying it out stopped."""

    batch: str
    user: str
    made_at: datetime.datetime
    asked_json: str
    fault: str = ""


class LineFate(Struct, frozen=True, kw_only=True):
    """What has become of a line; ``why`` it was refused or skipped."""

    account: str
    name: str
    fate: Fate
    why: str


class Waiting(Struct, frozen=True, kw_only=True):
    """A line that is to be published."""

    position: int
    account: str
    commands_json: str


class BatchBook:
    """Reads and writes batches; several threads may use it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert

    def keep(self, batch: Batch, lines: Sequence[BatchLine]) -> bool:
        """Keep a new batch and forget those that are older than 90 days; False: it is there already."""
        values = {name: getattr(batch, name) for name in batch.__struct_fields__}
        rows = [
            {
                "batch": batch.batch,
                "position": position,
                "account": line.account,
                "name": line.name,
                "skipped": line.skipped,
                "first_command": line.commands[0] if line.commands else "",
                "last_command": line.commands[-1] if line.commands else "",
                "commands_json": line.commands_json,
                "is_asked": not line.commands,
            }
            for position, line in enumerate(lines)
        ]
        old = select(batches.c["batch"]).where(batches.c["made_at"] < batch.made_at - _KEPT)
        with writing(self._engine) as connection:
            # The row itself says whether it is new: not every driver counts rows of such an insert.
            statement = self._insert(batches).values(**values).on_conflict_do_nothing()
            if connection.execute(statement.returning(batches.c["batch"])).first() is None:
                return False
            if rows:
                connection.execute(batch_lines.insert(), rows)
            connection.execute(delete(batch_lines).where(batch_lines.c["batch"].in_(old)))
            connection.execute(delete(batches).where(batches.c["made_at"] < batch.made_at - _KEPT))
        return True

    def batch(self, name: str) -> Batch | None:
        """Give a batch."""
        with reading(self._engine) as connection:
            row = (
                connection.execute(select(batches).where(batches.c["batch"] == name)).mappings().one_or_none()
            )
        return None if row is None else Batch(**row)

    def newest(self, user: str, *, limit: int) -> list[Batch]:
        """List what a user asked for last, the newest first."""
        query = (
            select(batches)
            .where(batches.c["user"] == user)
            .order_by(batches.c["made_at"].desc())
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return [Batch(**row) for row in connection.execute(query).mappings()]

    def waiting(self, name: str, *, limit: int) -> list[Waiting]:
        """List the first lines that are not published yet, in their order."""
        query = (
            select(batch_lines.c["position"], batch_lines.c["account"], batch_lines.c["commands_json"])
            .where(batch_lines.c["batch"] == name, ~batch_lines.c["is_asked"])
            .order_by(batch_lines.c["position"])
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return [Waiting(**row) for row in connection.execute(query).mappings()]

    def asked(self, name: str, *, positions: Sequence[int]) -> None:
        """Note that these lines are published; that there was a fault is over."""
        those = and_(batch_lines.c["batch"] == name, batch_lines.c["position"].in_(positions))
        with writing(self._engine) as connection:
            connection.execute(update(batch_lines).where(those).values(is_asked=True))
            connection.execute(update(batches).where(batches.c["batch"] == name).values(fault=""))

    def skipped(self, name: str, *, positions: Sequence[int], why: str) -> None:
        """Note that nothing is asked for these lines, and why; none: nothing is noted."""
        those = and_(batch_lines.c["batch"] == name, batch_lines.c["position"].in_(positions))
        if positions:
            with writing(self._engine) as connection:
                connection.execute(update(batch_lines).where(those).values(is_asked=True, skipped=why))

    def stopped(self, name: str, *, fault: str) -> None:
        """Note why carrying it out stopped."""
        with writing(self._engine) as connection:
            connection.execute(update(batches).where(batches.c["batch"] == name).values(fault=fault))

    def counts(self, name: str) -> dict[Fate, int]:
        """Count the lines of a batch by their fate."""
        lines = _fates(name).subquery("lines")
        query = select(lines.c.fate, func.count().label("lines")).group_by(lines.c.fate)
        with reading(self._engine) as connection:
            found = {row.fate: int(row.lines) for row in connection.execute(query)}
        return {fate: found.get(fate, 0) for fate in FATES}

    def lines(self, name: str, *, fate: str = "", skip: int, lines_max: int) -> list[LineFate]:
        """List the lines of a batch with their fates, in their order; of one fate only where it is named."""
        lines = _fates(name).subquery("lines")
        query = select(lines.c.account, lines.c.name, lines.c.fate, lines.c.why)
        if fate:
            query = query.where(lines.c.fate == fate)
        query = query.order_by(lines.c.position).offset(skip).limit(lines_max)
        with reading(self._engine) as connection:
            return [LineFate(**row) for row in connection.execute(query).mappings()]


def _fates(name: str) -> Select[tuple[int, str, str, str, str]]:
    line, refusals = (
        batch_lines.c,
        [_refusal(batch_lines.c["first_command"]), _refusal(batch_lines.c["last_command"])],
    )
    is_written = (
        select(literal(1))
        .where(requests.c["account"] == line["account"], requests.c["request"] == line["last_command"])
        .exists()
    )
    why = func.coalesce(*refusals, "")
    fate = case(
        (line["skipped"] != "", "skipped"),
        (~line["is_asked"], "waiting"),
        (why != "", "refused"),
        (is_written, "written"),
        else_="asked",
    )
    return select(
        line["position"],
        line["account"],
        line["name"],
        fate.label("fate"),
        case((line["skipped"] != "", line["skipped"]), else_=why).label("why"),
    ).where(line["batch"] == name)


def _refusal(command: ColumnElement[str]) -> ColumnElement[str]:
    """Give why the ledger refused a command; NULL: it has not."""
    return (
        select(func.min(exceptions.c["detail"]))
        .where(exceptions.c["key"] == "command/" + command)
        .correlate(batch_lines)
        .scalar_subquery()
    )

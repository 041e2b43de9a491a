"""How far the read model is: the next offset per partition, moved only from where it was thought to be.

SQL is the truth; the consumer group's offsets are a copy for lag tools.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, select, update

from infra.database import tables
from infra.database.bulk import write

__all__ = ["Move", "OvertakenError", "add_missing", "empty_read_model", "move", "read_positions"]

Partition = tuple[str, int]  # (physical topic, partition)


class OvertakenError(Exception):
    """Another projector has moved a position: what was read is old, and must not be written."""


class Move(NamedTuple):
    """From one position of a partition to a later one."""

    start: int
    end: int


_table: Final = tables.projector_offsets
_move: Final = (
    update(_table)
    .where(_table.c.topic == bindparam("of_topic"))
    .where(_table.c.partition == bindparam("of_partition"))
    .where(_table.c.next_offset == bindparam("start"))
    .values(next_offset=bindparam("end"))
)


def read_positions(connection: Connection) -> dict[Partition, int]:
    """Return the next offset to read of every partition."""
    return {(row.topic, row.partition): row.next_offset for row in connection.execute(select(_table))}


def add_missing(connection: Connection, *, starts: Mapping[Partition, int]) -> None:
    """Begin partitions that are not there yet at these offsets."""
    rows = [(*partition, start) for partition, start in sorted(starts.items())]
    write(connection, table=_table, rows=rows, known="left")


def move(connection: Connection, *, moves: Mapping[Partition, Move]) -> None:
    """Advance positions, before anything else in the transaction: a second projector waits here.

    Raises:
        OvertakenError: one of them is not at its start; the transaction must be rolled back.
    """
    for (topic, partition), (start, end) in sorted(moves.items()):
        values = {"of_topic": topic, "of_partition": partition, "start": start, "end": end}
        if connection.execute(_move, values).rowcount != 1:
            raise OvertakenError(f"{topic} {partition} is not at {start} any more")


def empty_read_model(connection: Connection) -> None:
    """Delete all that was projected, positions included; nothing else is touched."""
    for table in tables.PROJECTED:
        connection.execute(delete(table))

"""The task list: what reminders ask people to do. It adds; what becomes of a task is not known here."""

import datetime
from collections.abc import Sequence

from msgspec import Struct, structs
from sqlalchemy import Engine, select
from sqlalchemy.dialects import postgresql, sqlite

from infra.database.engine import again_if_undone, reading, writing
from infra.database.send_tables import tasks

__all__ = ["NewTask", "add_tasks", "has_tasks"]


class NewTask(Struct, frozen=True, kw_only=True):
    """A task; ``position`` counts the tasks of one reminder from 0."""

    reminder: str
    position: int
    account: str
    company: str
    customer: str
    step: str
    task_type: str
    summary: str
    responsible: str
    due_on: datetime.date


@again_if_undone
def add_tasks(engine: Engine, *, new: Sequence[NewTask]) -> None:
    """List tasks as open, all or none; what is listed already stays as it is."""
    insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
    rows = [structs.asdict(each) | {"status": "open"} for each in new]
    with writing(engine) as connection:
        connection.execute(insert(tasks).on_conflict_do_nothing(), rows)


def has_tasks(engine: Engine, *, reminder: str) -> bool:
    """Say whether a reminder's tasks are listed."""
    with reading(engine) as connection:
        return (
            connection.execute(select(tasks.c.reminder).where(tasks.c.reminder == reminder)).first()
            is not None
        )

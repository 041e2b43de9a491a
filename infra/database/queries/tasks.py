"""What people have to do, as one list: tasks that the ledger waits for, and those that reminders carried (R28).

A task that a reminder carried is over when somebody said so (``reminder/<reminder>/<position>``), or when
nothing that the reminder asked for is open any more.
"""

import datetime
from collections.abc import Sequence
from typing import Final, NamedTuple

from msgspec import Struct, json
from sqlalchemy import ColumnElement, Connection, String, Table, and_, cast, exists, or_, select

from infra.database.send_tables import tasks
from infra.database.tables import decisions, items, open_tasks, reminder_items

__all__ = ["TaskLine", "is_still_to_do", "task_is_open", "task_lines"]

_POSITION_DIGITS_MAX: Final = 4  # of a task among those of its reminder


class TaskLine(Struct, frozen=True, kw_only=True):
    """One open task; ``task`` is what a person names to end it."""

    task: str
    due_on: datetime.date
    account: str
    task_type: str
    summary: str
    responsible: str
    step: str = ""
    blocking: bool = False
    items: tuple[str, ...] = ()
    reminder: str = ""


def is_still_to_do() -> ColumnElement[bool]:
    """Give the condition on ``tasks``, which reminders filled, that one is still to be done."""
    name = "reminder/" + tasks.c["reminder"] + "/" + cast(tasks.c["position"], String)
    was_closed = exists().where(
        decisions.c["account"] == tasks.c["account"],
        decisions.c["kind"] == "task_closed",
        decisions.c["item"] == name,
    )
    of_reminder = and_(reminder_items.c["reminder"] == tasks.c["reminder"], reminder_items.c["step"] != "")
    asks_for_something = exists().where(
        of_reminder,
        items.c["account"] == reminder_items.c["account"],
        items.c["item"] == reminder_items.c["item"],
        items.c["status"] == "open",
    )
    asked_for_nothing = ~exists().where(of_reminder)
    return and_(tasks.c["status"] == "open", ~was_closed, or_(asks_for_something, asked_for_nothing))


def task_lines(
    connection: Connection,
    *,
    account: str = "",
    companies: Sequence[str] = (),
    responsible: str = "",
    skip: int = 0,
    lines_max: int,
) -> list[TaskLine]:
    """List open tasks of both kinds, the longest due first, without the first ``skip``; of some companies only."""
    last = skip + lines_max
    asked = _Asked(account, companies, responsible)
    found = [*_carried(connection, asked, last), *_waited_for(connection, asked, last)]
    return sorted(found, key=lambda each: (each.due_on, each.account, each.task))[skip:last]


def task_is_open(connection: Connection, *, account: str, task: str) -> bool:
    """Say whether an account has an open task of this name, of either kind."""
    waited_for = select(open_tasks.c["task"]).where(
        open_tasks.c["account"] == account, open_tasks.c["task"] == task
    )
    if connection.execute(waited_for).first() is not None:
        return True
    reminder, _, position = task.removeprefix("reminder/").rpartition("/")
    if not task.startswith("reminder/") or not position.isdecimal() or len(position) > _POSITION_DIGITS_MAX:
        return False
    carried = select(tasks.c["reminder"]).where(
        tasks.c["account"] == account,
        tasks.c["reminder"] == reminder,
        tasks.c["position"] == int(position),
        is_still_to_do(),
    )
    return connection.execute(carried).first() is not None


class _Asked(NamedTuple):
    account: str
    companies: Sequence[str]
    responsible: str

    def of(self, table: Table) -> list[ColumnElement[bool]]:
        """Give the conditions on a table of tasks."""
        named = {"account": self.account, "responsible": self.responsible}
        found = [table.c[name] == value for name, value in named.items() if value]
        return [*found, table.c["company"].in_(self.companies)] if self.companies else found


def _carried(connection: Connection, asked: _Asked, lines_max: int) -> list[TaskLine]:
    query = select(tasks).where(is_still_to_do(), *asked.of(tasks))
    query = query.order_by(tasks.c["due_on"], tasks.c["account"]).limit(lines_max)
    return [
        TaskLine(
            task=f"reminder/{row.reminder}/{row.position}",
            due_on=row.due_on,
            account=row.account,
            task_type=row.task_type,
            summary=row.summary,
            responsible=row.responsible,
            step=row.step,
            reminder=row.reminder,
        )
        for row in connection.execute(query)
    ]


def _waited_for(connection: Connection, asked: _Asked, lines_max: int) -> list[TaskLine]:
    query = select(open_tasks).where(*asked.of(open_tasks))
    query = query.order_by(open_tasks.c["due_on"], open_tasks.c["account"]).limit(lines_max)
    return [
        TaskLine(
            task=row.task,
            due_on=row.due_on,
            account=row.account,
            task_type=row.task_type,
            summary=row.summary,
            responsible=row.responsible,
            blocking=row.blocking,
            items=tuple(json.decode(row.items_json, type=list[str])),
        )
        for row in connection.execute(query)
    ]

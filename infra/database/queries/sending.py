"""Deliveries and tasks as people look at them: what waits, what went, what is in doubt."""

import datetime

from msgspec import Struct
from sqlalchemy import Connection, select

from infra.database.send_tables import send_jobs, tasks

__all__ = ["DeliveryLine", "TaskLine", "delivery_lines", "task_lines"]


class DeliveryLine(Struct, frozen=True, kw_only=True):
    """One job as it stands."""

    reminder: str
    channel: str
    account: str
    state: str
    tick: datetime.datetime
    attempts: int
    retry_at: datetime.datetime | None
    recipient: str
    subject: str
    provider_id: str
    error_type: str
    detail: str


class TaskLine(Struct, frozen=True, kw_only=True):
    """One task."""

    due_on: datetime.date
    account: str
    task_type: str
    summary: str
    responsible: str
    step: str
    status: str
    reminder: str


def delivery_lines(
    connection: Connection, *, state: str = "", channel: str = "", account: str = "", lines_max: int
) -> list[DeliveryLine]:
    """List the newest deliveries, oldest first."""
    wanted = {"state": state, "channel": channel, "account": account}
    columns = [send_jobs.c[name] for name in DeliveryLine.__struct_fields__]
    query = (
        select(*columns)
        .where(*(send_jobs.c[name] == value for name, value in wanted.items() if value))
        .order_by(send_jobs.c["tick"].desc(), send_jobs.c["reminder"].desc(), send_jobs.c["channel"].desc())
        .limit(lines_max)
    )
    return [DeliveryLine(**row) for row in reversed(connection.execute(query).mappings().all())]


def task_lines(
    connection: Connection, *, status: str = "open", account: str = "", lines_max: int
) -> list[TaskLine]:
    """List tasks, the longest due first."""
    wanted = {"status": status, "account": account}
    query = (
        select(*(tasks.c[name] for name in TaskLine.__struct_fields__))
        .where(*(tasks.c[name] == value for name, value in wanted.items() if value))
        .order_by(tasks.c["due_on"], tasks.c["account"], tasks.c["reminder"], tasks.c["position"])
        .limit(lines_max)
    )
    return [TaskLine(**row) for row in connection.execute(query).mappings()]

"""What people have to do: tasks open, and end (R28, R37); whose they are is ``manual_steps``' and others'.

A task is opened once per id, however often the reason for it is found again.
What carries a step's task to people is a delivery (channel ``task``); tasks
that the ledger itself asks for, and those that a ladder waits for, live here.
"""

import datetime
from collections.abc import Sequence

from processors.account import Account
from schemas.facts import LedgerFact, TaskClosed, TaskOpened, TaskOutcome
from schemas.rows import TaskRow

__all__ = ["close_task", "open_task"]


def open_task(
    account: Account,
    *,
    task: str,
    task_type: str,
    on: datetime.date,
    due_on: datetime.date | None = None,
    items: Sequence[str] = (),
    summary: str = "",
    responsible: str = "",
    blocking: bool = False,
    timeout_on: datetime.date | None = None,
    values: dict[str, str] | None = None,
) -> list[LedgerFact]:
    """Ask a person to do something; nothing is said when that task is open already.

    Args:
        task: its id within the account, a function of what it is about.
        on: the ledger's day; also the day by which it is to be done, unless ``due_on`` says another.
        timeout_on: the first day on which it is over by itself.
        values: what it was judged by, for whoever reads it.
    """
    if task in account.tasks:
        return []
    row = TaskRow(
        account=account.id,
        task=task,
        task_type=task_type,
        opened_on=on,
        due_on=due_on or on,
        summary=summary,
        responsible=responsible,
        items=list(items),
        blocking=blocking,
        timeout_on=timeout_on,
    )
    account.add_task(row)
    account.touch(row)
    account.touch(account.row)
    account.alarms.set(f"task/{task}", timeout_on)
    return [
        TaskOpened(
            id=f"{account.id}/{account.next_sequence()}",
            account=account.id,
            task=task,
            task_type=task_type,
            due_on=row.due_on,
            summary=summary,
            responsible=responsible,
            items=tuple(items),
            blocking=blocking,
            values=values or {},
        )
    ]


def close_task(
    account: Account,
    *,
    task: str,
    outcome: TaskOutcome,
    author: str = "",
    text: str = "",
    consumed: Sequence[tuple[str, str]] = (),
) -> list[LedgerFact]:
    """End a task; nothing is said of one that is not open. ``consumed``: (item, step) that were waiting for it."""
    row = account.tasks.get(task)
    if row is None:
        return []
    account.drop_task(row)
    account.remove(row)
    account.touch(account.row)
    account.alarms.set(f"task/{task}", None)
    if row.blocking:
        account.advance()  # its ladder goes on: what was decided before knew nothing of it (R32)
    return [
        TaskClosed(
            id=f"{account.id}/{account.next_sequence()}",
            account=account.id,
            task=task,
            outcome=outcome,
            author=author,
            text=text,
            consumed=tuple(consumed),
        )
    ]

"""What people have to do: tasks open, are done or skipped, time out, or become needless (R28, R37).

A task is opened once per id, however often the reason for it is found again.
What carries a step's task to people is a delivery (channel ``task``); tasks
that the ledger itself asks for, and those that a ladder waits for, live here.
"""

import datetime
from collections.abc import Sequence

from processors import identity
from processors.account import Account
from processors.context import FoldContext
from schemas.commands import CompleteTask
from schemas.facts import LedgerFact, TaskClosed, TaskOpened, TaskOutcome
from schemas.rows import TaskRow

__all__ = ["close_task", "complete_task", "open_task", "time_out"]


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
    account.tasks[task] = row
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
    account: Account, *, task: str, outcome: TaskOutcome, author: str = "", text: str = ""
) -> list[LedgerFact]:
    """End a task; nothing is said of one that is not open."""
    row = account.tasks.pop(task, None)
    if row is None:
        return []
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
        )
    ]


def complete_task(account: Account, event: CompleteTask, *, context: FoldContext) -> list[LedgerFact]:
    """Take a person's word that a task is done or skipped; one that is not open any more is left so."""
    key = f"command/{event.command}"
    repeated = identity.remember(account, event, key=key)
    if repeated is not None:
        return repeated
    account.keep_until(context.day + context.company.retention, kind="seen", key=key)
    return close_task(account, task=event.task, outcome=event.outcome, author=event.author, text=event.text)


def time_out(account: Account, task: str, *, context: FoldContext) -> list[LedgerFact]:  # noqa: ARG001 - as all alarms
    """End a task whose time has come (an alarm)."""
    return close_task(account, task=task, outcome="timed_out")

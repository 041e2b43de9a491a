"""Steps that a ladder waits for (R28): a task is opened, and done, skipped or timed out it lets its items go on.

One task per step and account: what comes to the same step while it is open
joins it. An item that settles, is held, or is due for something else leaves
it; a task that nobody waits for any more is needless.
"""

import datetime
from collections.abc import Iterable, Sequence

from processors import identity
from processors.account import Account
from processors.addressing import ADDRESS_TASK, trust_addresses
from processors.circumstances import Case, Circumstances, Verdict
from processors.consuming import CONSUMED_MAX, consume, record_contact
from processors.context import FoldContext
from processors.ladder import Rung, next_look
from processors.messages import correct_reminder
from processors.record_size import ENTRIES_MAX
from processors.reminder import DueItem, row_item
from processors.tasks import close_task, open_task
from schemas.commands import CompleteTask
from schemas.facts import LedgerFact, TaskClosed, TaskOutcome
from schemas.rows import Awaited, ItemRow, TaskRow

__all__ = [
    "await_task",
    "awaiting_task",
    "close_settled",
    "complete_task",
    "open_awaited",
    "release_others",
    "time_out",
]

_OF_STEPS = "step/"
_OF_CORRECTIONS = "correction/"  # done: the customer is told (R30)
_OF_REMINDERS = "reminder/"


def awaiting_task(case: Case) -> Verdict | None:
    """Withhold a step while its task is open (R28)."""
    awaited = case.item.awaiting
    if awaited is None or case.rung is None or awaited.step != row_item(DueItem(case.item, case.rung)):
        return None
    task = case.at.account.tasks.get(awaited.task)
    return None if task is None else Verdict("awaiting_task", task.timeout_on, {"task": awaited.task})


# -- opened at a tick ----------------------------------------------------------


def await_task(at: Circumstances, *, item: ItemRow, rung: Rung) -> Verdict:
    """Let an item wait for the task of a blocking step, which ``open_awaited`` opens or finds open."""
    task = f"{_OF_STEPS}{rung.plan.id}/{rung.plan.version}/{rung.step_index}"
    item.awaiting = Awaited(task=task, step=row_item(DueItem(item, rung)))
    at.account.touch(item)
    known = at.account.tasks.get(task)
    until = _times_out_on(at, rung) if known is None else known.timeout_on
    return Verdict("awaiting_task", until, {"task": task})


def open_awaited(at: Circumstances, waiting: Sequence[tuple[ItemRow, Rung]]) -> list[LedgerFact]:
    """Open the tasks that items have begun to wait for, or let them join one that is open."""
    facts: list[LedgerFact] = []
    by_task: dict[str, tuple[Rung, list[str]]] = {}
    for item, rung in waiting:
        if item.awaiting is not None:
            by_task.setdefault(item.awaiting.task, (rung, []))[1].append(item.item)
    for task, (rung, names) in by_task.items():
        if task not in at.account.tasks:
            facts += _open(at, task, rung=rung, names=names)
            continue
        row = at.account.tasks[task]
        room = max(0, ENTRIES_MAX - len(row.items))
        row.items += names[:room]
        row.unlisted += len(names[room:])
        at.account.touch(row)
    return facts


def _open(at: Circumstances, task: str, *, rung: Rung, names: Sequence[str]) -> list[LedgerFact]:
    action = rung.step.actions[0]
    facts = open_task(
        at.account,
        task=task,
        task_type=action.task_type or "task",
        on=at.day,
        items=names[:ENTRIES_MAX],
        summary=action.summary or rung.step.name,
        responsible=action.responsible,
        blocking=True,
        timeout_on=_times_out_on(at, rung),
        values={"plan": f"{rung.plan.id}/{rung.plan.version}", "step": rung.step.name},
    )
    row = at.account.tasks[task]
    row.unlisted, row.pay_by_days = len(names[ENTRIES_MAX:]), rung.step.pay_by_days
    return facts


def _times_out_on(at: Circumstances, rung: Rung) -> datetime.date | None:
    days = rung.step.timeout_days
    return None if days is None else at.day + datetime.timedelta(days=days)


# -- over ----------------------------------------------------------------------


def complete_task(account: Account, event: CompleteTask, *, context: FoldContext) -> list[LedgerFact]:
    """Take a person's word that a task is done or skipped; one that is not open any more is left so."""
    key = f"command/{event.command}"
    repeated = identity.remember_for_retention(account, event, key=key, context=context)
    if repeated is not None:
        return repeated
    if event.task.startswith(_OF_REMINDERS):
        return _end_of_reminder(account, event)
    if event.task in account.tasks and event.outcome == "done" and event.task.startswith(_OF_STEPS):
        record_contact(account, on=context.day)
    if event.task in account.tasks and event.outcome == "done" and event.task.startswith(_OF_CORRECTIONS):
        correct_reminder(account, event.task.removeprefix(_OF_CORRECTIONS), context=context)
    if event.task in account.tasks and event.outcome == "done" and event.task.startswith(ADDRESS_TASK):
        trust_addresses(account, event.task.removeprefix(ADDRESS_TASK))
    return _close(
        account, event.task, outcome=event.outcome, author=event.author, text=event.text, context=context
    )


def time_out(account: Account, task: str, *, context: FoldContext) -> list[LedgerFact]:
    """End a task whose time has come (an alarm); the ladder goes on without it."""
    return _close(account, task, outcome="timed_out", author="", text="", context=context)


def _close(
    account: Account, task: str, *, outcome: TaskOutcome, author: str, text: str, context: FoldContext
) -> list[LedgerFact]:
    row = account.tasks.get(task)
    if row is None:
        return []
    waiting = _waiting(account, row)
    steps = [(item, item.awaiting.step) for item in waiting if item.awaiting is not None]
    consumed = [(item.item, step.step) for item, step in steps]
    facts = close_task(
        account, task=task, outcome=outcome, author=author, text=text, consumed=consumed[:CONSUMED_MAX]
    )
    for start in range(CONSUMED_MAX, len(consumed), CONSUMED_MAX):
        facts.append(
            TaskClosed(
                id=f"{account.id}/{account.next_sequence()}",
                account=account.id,
                task=task,
                outcome=outcome,
                author=author,
                text=text,
                consumed=tuple(consumed[start : start + CONSUMED_MAX]),
            )
        )
    for item, step in steps:
        item.awaiting = None
        facts += consume(
            account,
            item=item,
            step=step,
            on=context.day,
            pay_by_on=context.day + datetime.timedelta(days=row.pay_by_days),
            company=context.company,
            reached=outcome == "done",
        )
    return facts


def _end_of_reminder(account: Account, event: CompleteTask) -> list[LedgerFact]:
    """Say once that a task which a reminder carried is over: ``reminder/<reminder>/<position>``."""
    reminder, _, position = event.task.removeprefix(_OF_REMINDERS).rpartition("/")
    row = account.reminders.get(reminder)
    if row is None or event.task in row.tasks_done or not position.isdecimal() or len(position) > 4:
        return []
    row.tasks_done.append(event.task)
    account.touch(row)
    account.touch(account.row)
    return [
        TaskClosed(
            id=f"{account.id}/{account.next_sequence()}",
            account=account.id,
            task=event.task,
            outcome=event.outcome,
            author=event.author,
            text=event.text,
        )
    ]


# -- needless ------------------------------------------------------------------


def close_settled(account: Account, *, context: FoldContext) -> list[LedgerFact]:
    """End the tasks of items that have just settled, or let them leave those of several; costs what changed.

    An item whose step is not due any more, since its due date was amended, leaves, too.
    """
    left: dict[str, None] = {}
    facts: list[LedgerFact] = []
    for name in sorted(account.stale):
        item = account.items.get(name)
        if item is None:
            continue
        if item.status != "open":
            for task in (f"escalate/{name}", f"write_off/{name}/plan"):
                facts += close_task(account, task=task, outcome="needless")
            facts += _found(account, name)
        if item.awaiting is not None and not _is_due(account, item, context=context):
            left[item.awaiting.task] = None
            _leave(account, item)
    return facts + _close_empty(account, sorted(left))


def _found(account: Account, item: str) -> list[LedgerFact]:
    """End the tasks that look for an item's payment, where nothing else of theirs is open (S4-17)."""
    facts: list[LedgerFact] = []
    for task in sorted(account.sought.get(item, ())):
        known = (account.items.get(name) for name in account.tasks[task].items)
        if not any(each is not None and each.status == "open" for each in known):
            facts += close_task(account, task=task, outcome="needless")
    return facts


def _is_due(account: Account, item: ItemRow, *, context: FoldContext) -> bool:
    due_on = next_look(item, company=context.company, customer=account.customer)
    return due_on is not None and due_on <= max(context.day, context.today())


def release_others(at: Circumstances, *, waiting: frozenset[str]) -> list[LedgerFact]:
    """Let all items but these leave the tasks of steps: held, not due any more, or due for another step."""
    tasks = sorted(task for task in at.account.tasks if task.startswith(_OF_STEPS))
    for task in tasks:
        for item in _waiting(at.account, at.account.tasks[task]):
            if item.item not in waiting:
                _leave(at.account, item)
    return _close_empty(at.account, tasks)


def _leave(account: Account, item: ItemRow) -> None:
    """Let an item not wait any more; should it wait again, that is said again (R31)."""
    item.awaiting = None
    if " awaiting_task" in item.judged:
        item.judged = ""
    account.touch(item)


def _close_empty(account: Account, tasks: Iterable[str]) -> list[LedgerFact]:
    facts: list[LedgerFact] = []
    for task in tasks:
        row = account.tasks.get(task)
        if row is not None and not _waiting(account, row):
            facts += close_task(account, task=task, outcome="needless")
    return facts


def _waiting(account: Account, row: TaskRow) -> list[ItemRow]:
    """List the items that wait for a task."""
    names: Iterable[str] = sorted(account.items) if row.unlisted else row.items
    known = (account.items.get(name) for name in dict.fromkeys(names))
    return [
        item
        for item in known
        if item is not None and item.awaiting is not None and item.awaiting.task == row.task
    ]

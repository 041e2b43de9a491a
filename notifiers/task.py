"""Tasks for people (S2-09): listed in SQL. Listed counts as accepted, since nothing waits for it (R28)."""

from sqlalchemy import Engine

from infra.database.task_list import NewTask, add_tasks, has_tasks
from notifiers.channel import Message, Receipt, Traits

__all__ = ["TaskList"]


class TaskList:
    """Writes a reminder's tasks; due on the day of the reminder."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def traits(self) -> Traits:
        """What is listed twice is listed once."""
        return Traits(provider="task list", is_repeatable=True)

    def send(self, message: Message) -> Receipt:
        """List the tasks of this reminder; listing them again changes nothing."""
        new = [
            NewTask(
                reminder=message.reminder,
                position=position,
                account=message.account,
                company=message.sender.company,
                customer=message.customer,
                step=message.step,
                task_type=note.task_type,
                summary=note.summary,
                responsible=note.responsible,
                due_on=message.on,
            )
            for position, note in enumerate(message.tasks)
        ]
        add_tasks(self._engine, new=new)
        return self._receipt(message)

    def find(self, message: Message) -> Receipt | None:
        """Say whether they are listed."""
        return self._receipt(message) if has_tasks(self._engine, reminder=message.reminder) else None

    @staticmethod
    def _receipt(message: Message) -> Receipt:
        return Receipt(provider_id=f"task/{message.reminder}")

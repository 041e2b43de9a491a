"""What customers write back, other than what a machine can take as a command: a person reads it (B-14)."""

from processors.account import Account
from processors.context import FoldContext
from processors.tasks import open_task
from schemas.commands import RecordReply
from schemas.facts import LedgerFact

__all__ = ["record_reply"]

_SHOWN_MAX = 500  # characters of a reply that its task shows; all of it is in the command


def record_reply(account: Account, event: RecordReply, *, context: FoldContext) -> list[LedgerFact]:
    """Open a task to read and answer a reply; it changes no decision by itself."""
    values = {"channel": event.channel, "text": event.text[:_SHOWN_MAX], "address": event.address}
    if event.reminder is not None:
        values["reminder"] = event.reminder
    return open_task(
        account,
        task=f"reply/{event.command}",
        task_type="reply",
        on=context.today(),
        values={name: value for name, value in values.items() if value},
    )

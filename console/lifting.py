"""From an address that may be written to again to the commands by which accounts hear of it (R19).

The list of suppressed addresses and the ledger's own marks are two things: the list is asked before each
sending, the mark keeps an account from choosing the address at all. A mark ends when its task is done. It
refuses to opt anybody in again: who said stop is written to when he himself says start.
"""

import hashlib
from collections.abc import Iterable

from infra.database.suppressions import Mark
from schemas.commands import CompleteTask
from schemas.fields import split_account_id

__all__ = ["lifting"]


def lifting(marks: Iterable[Mark], *, author: str, at: str, text: str = "") -> list[CompleteTask]:
    """Make the commands that end these marks.

    Args:
        marks: of accounts that hold the address for bad.
        author: who says so; it stands with the task's end.
        at: RFC 3339.
        text: why, for who looks at the task later.

    A command is named after its mark: asked twice, it is asked once, and a mark of a later day is another one.
    """
    commands = []
    for mark in marks:
        company, customer = split_account_id(mark.account)
        named = f"{mark.account}\n{mark.task}\n{mark.opened_on.isoformat()}"
        commands.append(
            CompleteTask(
                company=company,
                customer=customer,
                occurred_at=at,
                command=f"lift/{hashlib.blake2s(named.encode(), digest_size=16).hexdigest()}",
                author=author,
                task=mark.task,
                outcome="done",
                text=text,
            )
        )
    return commands

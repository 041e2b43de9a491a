"""What comes too late: a document of a day whose documents are forgotten is refused, and said (SEMANTICS 2.2).

A copy of a purged invoice cannot be told from an invoice that was never
there; so neither is taken in. The refusal changes nothing of the account,
and the same copy gives the same exception, however often it comes.
"""

import datetime
import hashlib

from msgspec import Raw

from processors.account import Account
from processors.subjects import DOCUMENTS, KEYS, SUBJECTS
from schemas.codec import encode
from schemas.commands import ReleaseQuarantine
from schemas.facts import ExceptionRaised
from schemas.journal import AccountEvent, FoldedEvent
from schemas.rows import WaitingRow

__all__ = ["WAITING", "too_old", "waits_in_vain"]

WAITING = datetime.timedelta(days=30)  # how long an event may wait for its subject before a person is told


def too_old(account: Account, event: AccountEvent, *, through: datetime.date) -> ExceptionRaised | None:
    """Refuse an unknown document, what speaks of one, or an unknown request; None: it is taken as ever.

    Args:
        account: what it would be taken into.
        event: of a business day that is not after ``through``.
        through: the newest business day of what is forgotten.
    """
    kind = type(event)
    if kind in DOCUMENTS:
        key = DOCUMENTS[kind](event)
        known = account.knows(key)
    elif kind in SUBJECTS:
        key = KEYS[kind](event)
        known = key in account.seen or account.knows(SUBJECTS[kind](event))
    else:
        command = getattr(event, "command", "")
        key = f"command/{command}"
        # Master data and outcomes have rules of their own; a release is harmless, and needed whenever it comes.
        known = not command or key in account.seen or kind is ReleaseQuarantine
    if known:
        return None
    return _refused(account, event, key=key, detail=f"what is dated {through} or before is forgotten")


def waits_in_vain(account: Account, row: WaitingRow) -> ExceptionRaised:
    """Say that an event has waited for long, where what it speaks of may be forgotten."""
    detail = f"waits for {row.subject} since {row.since}: it never came, or it is forgotten"
    return _refused(account, row.event, key=row.key, detail=detail)


def _refused(account: Account, event: FoldedEvent, *, key: str, detail: str) -> ExceptionRaised:
    content = encode(event)
    digest = hashlib.blake2b(content, key=key.encode()[:64], digest_size=8).hexdigest()
    return ExceptionRaised(
        id=f"{account.id}/too_old/{digest}",
        account=account.id,
        reason="too_old",
        key=key,
        detail=detail,
        first=Raw(content),
    )

"""Natural keys: what has been said already changes nothing, and what contradicts it is refused.

Documents and credits are compared with their own rows; every other event is
remembered in a ``SeenRow`` (SEMANTICS 2.2).
"""

import hashlib
from typing import Any

import msgspec
from msgspec import Raw

from processors.account import Account
from processors.context import FoldContext
from schemas.codec import encode
from schemas.facts import ExceptionRaised, LedgerFact
from schemas.journal import AccountEvent
from schemas.rows import SeenRow

__all__ = ["compare", "remember", "remember_for_retention", "same_content"]

_AMOUNTS = frozenset({"amount", "open_amount", "item_amount", "short"})


def remember(account: Account, event: AccountEvent, *, key: str) -> list[LedgerFact] | None:
    """Take an event by its natural key: None when it is new, and it is remembered.

    Otherwise it has been dealt with, and the facts to say are given: none
    for a repetition, an exception for other content under the same key.
    """
    seen = account.seen.get(key)
    if seen is not None:
        return compare(account, event, first=seen.event, key=key)
    row = SeenRow(account=account.id, key=key, event=event)
    account.add_seen(row)
    return None


def remember_for_retention(
    account: Account, event: AccountEvent, *, key: str, context: FoldContext
) -> list[LedgerFact] | None:
    """``remember`` an event that speaks of no document, such as a command: it is forgotten by its own day."""
    repeated = remember(account, event, key=key)
    if repeated is None:
        account.keep_until(context.day + context.company.retention, kind="seen", key=key)
    return repeated


def compare(account: Account, second: AccountEvent, *, first: Any, key: str) -> list[LedgerFact]:
    """Say what a second event under a known key is: nothing, or a conflict; the first one stands.

    A conflict is said once, however often the same second content comes.
    """
    if same_content(first, second):
        return []
    said = f"conflict/{key}/{hashlib.blake2b(encode(second), digest_size=8).hexdigest()}"
    if said in account.seen:
        return []
    row = SeenRow(account=account.id, key=said, event=second)
    account.add_seen(row)
    account.touch(account.row)
    return [
        ExceptionRaised(
            id=f"{account.id}/{account.next_sequence()}",
            account=account.id,
            reason="conflict",
            key=key,
            detail="the same key came with other content; the first one stands",
            first=Raw(encode(first)),
            second=Raw(encode(second)),
        )
    ]


def same_content(first: Any, second: Any) -> bool:
    """Compare business fields; '100' and '100.00' are the same amount."""
    if first == second:
        return True
    if type(first) is not type(second):
        return False
    return bool(_normal(msgspec.to_builtins(first)) == _normal(msgspec.to_builtins(second)))


def _normal(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _number(each) if name in _AMOUNTS else _normal(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_normal(each) for each in value]
    return value


def _number(amount: str) -> str:
    sign, plain = ("-", amount[1:]) if amount[:1] == "-" else ("", amount)
    whole, _, fraction = plain.partition(".")
    return f"{sign}{whole.lstrip('0')}.{fraction.rstrip('0')}"

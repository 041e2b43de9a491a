"""Rows of accounts and companies, kept in SQL as the ledger wrote them: what a forecast is made from.

All of them but what is only remembered so that it is not taken twice: decisions about what is open look at
what settled it, at plans whose instalments are paid, at reminders that have ended
(``infra.database.queries.scheduled``).
"""

from typing import Final

from infra.database.tables import live_rows
from infra.projection.batch import Batch
from schemas.rows import RowKey

__all__ = ["is_kept", "keep_live"]

# Natural keys of events that have no row of their own; and the clock, which is a partition's.
_LEFT_OUT: Final = frozenset({"seen", "clock"})


def is_kept(name: RowKey) -> bool:
    """Say whether rows of a kind are kept at all."""
    return name.kind not in _LEFT_OUT


def keep_live(batch: Batch, *, name: RowKey, value: bytes | None, partition: int) -> None:
    """Put a row of ``ledger.account`` among the kept ones, or take it away.

    Rows of a company are in every partition; they are taken from partition 0.
    """
    if not is_kept(name) or (":" not in name.owner and partition != 0):
        return
    key = (name.owner, name.kind, name.id)
    if value is None:
        batch.forget(live_rows, key=key)
    else:
        batch.put(live_rows, key=key, row=(*key, value.decode()))

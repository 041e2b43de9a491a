"""Rows that an account's future depends on, kept in SQL as the ledger wrote them.

What is settled, used up, ended or only remembered is left out: no decision about anything
open depends on it. A forecast is made from these (``infra.database.queries.scheduled``).
"""

from typing import Final

from infra.database.tables import live_rows
from infra.projection.batch import Batch
from schemas.rows import CreditRow, ItemRow, ReminderRow, RowKey, decode_row

__all__ = ["keep_live"]

# Remembered for what may be said again, or of one partition only.
_LEFT_OUT: Final = frozenset({"seen", "waiting", "application", "clock"})
# Rows that end without going away.
_ENDING: Final = frozenset({"item", "credit", "reminder"})
_UNRESOLVED: Final = frozenset({"dispatched", "unknown"})


def keep_live(batch: Batch, *, name: RowKey, value: bytes | None, partition: int) -> None:
    """Put a row of ``ledger.account`` among the live ones, or take it away.

    Rows of a company are in every partition; they are taken from partition 0.
    """
    if name.kind in _LEFT_OUT or (":" not in name.owner and partition != 0):
        return
    key = (name.owner, name.kind, name.id)
    if value is None or (name.kind in _ENDING and _has_ended(value)):
        batch.forget(live_rows, key=key)
    else:
        batch.put(live_rows, key=key, row=(*key, value.decode()))


def _has_ended(value: bytes) -> bool:
    match row := decode_row(value):
        case ItemRow():
            return row.status != "open"
        case CreditRow():
            return row.rest_minor == 0
        case ReminderRow():
            return row.status not in ("open", "proposed") and not _UNRESOLVED & set(row.deliveries.values())
    return False

"""What people asked about an account, as the ledger remembers it: the customer's log (S1-12), and how a page
knows that its own request has arrived.
"""

from infra.database import tables
from infra.projection.batch import Batch
from schemas.codec import encode, type_of
from schemas.fields import split_account_id
from schemas.rows import RowKey, SeenRow, decode_row

__all__ = ["project_request"]

_COMMAND = "command/"


def project_request(batch: Batch, *, name: RowKey, value: bytes | None) -> None:
    """Put a remembered command among the requests, or take it away; what else is remembered leaves no row."""
    if not name.id.startswith(_COMMAND):
        batch.skipped["not_projected"] += 1
        return
    key = (name.owner, name.id.removeprefix(_COMMAND))
    if value is None:
        batch.forget(tables.requests, key=key)
        return
    row = decode_row(value)
    if not isinstance(row, SeenRow):
        raise TypeError(f"a row under key {name} says that it is a {type(row).__name__}")
    event = row.event
    said = (
        split_account_id(name.owner)[0],
        type_of(event),
        event.occurred_at,
        getattr(event, "author", ""),
        encode(event).decode(),
    )
    batch.put(tables.requests, key=key, row=(*key, *said))

"""The journal: one compact value per record, no headers; the thing that is replayed.

Facts about an account have the account id as record key; facts about a
company and ticks are written to every partition under ``BROADCAST_KEY``.
"""

import datetime
from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import Struct, json

from schemas.commands import AccountCommand, Command
from schemas.events import BillingEvent
from schemas.outcomes import OutcomeReported
from schemas.transfers import ChildLinked, GroupContacted, ItemSettledElsewhere, ParentKnown, TransferReceived

__all__ = [
    "BROADCAST_KEY",
    "AccountEvent",
    "BetweenAccounts",
    "FoldedEvent",
    "JournalEntry",
    "JournalEvent",
    "JournalMode",
    "SourceEvent",
    "TickPassed",
    "decode_entry",
    "encode_entries",
    "encode_entry",
]

BROADCAST_KEY = b"*"
JournalMode = Literal["live", "played"]


class TickPassed(
    Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, tag_field="type", tag="ledger.tick.v1"
):
    """It is now ``at`` (UTC). The only clock that the core knows.

    ``lagging`` names the source topics that intake had not read to their
    ends when the tick was written: automatic reminders wait (``source_lag``).
    """

    at: datetime.datetime
    mode: JournalMode
    lagging: tuple[str, ...] = ()


SourceEvent = BillingEvent | Command | OutcomeReported
BetweenAccounts = (
    TransferReceived | ChildLinked | ParentKnown | GroupContacted | ItemSettledElsewhere
)  # what accounts tell each other
AccountEvent = BillingEvent | AccountCommand | OutcomeReported | BetweenAccounts
FoldedEvent = SourceEvent | BetweenAccounts  # what a partition folds beside ticks
JournalEvent = FoldedEvent | TickPassed


class JournalEntry(Struct, frozen=True, gc=False, array_like=True):
    """``[event, id, source]``: the event, and the CloudEvents id and source it came with."""

    event: JournalEvent
    id: str
    source: str


_encoder = json.Encoder()
_decoder = json.Decoder(JournalEntry)


def encode_entry(entry: JournalEntry) -> bytes:
    """Write the value of a journal record."""
    return _encoder.encode(entry)


def encode_entries(entries: Sequence[JournalEntry]) -> list[bytes]:
    """Write the values of many journal records, as ``encode_entry`` each; in one buffer, which costs less than one for each."""
    values = _encoder.encode_lines(entries).split(b"\n")
    values.pop()
    return values


# Reads the value of a journal record. Raises msgspec.ValidationError: our own writer wrote something else, a bug.
decode_entry: Callable[[bytes], JournalEntry] = _decoder.decode

"""A record of the journal as Kafka's clients give it, for what is measured without them."""

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["PlainRecord"]


class PlainRecord(NamedTuple):
    """What a stage reads of a record; ``timestamp`` in ms."""

    offset: int
    timestamp: int
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]] = ()

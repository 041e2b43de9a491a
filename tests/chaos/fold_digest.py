"""A digest of what the fold makes of a seed's business, to be compared between processes.

    python -m tests.chaos.fold_digest

It is the same whatever Python's hash seed is: an order that a set happens to have must not
reach facts or rows (R26).
"""

import hashlib
import sys
from typing import NamedTuple

from processors.partition import Partition
from schemas.codec import encode
from tests.chaos.business import business

__all__ = ["BUSINESS", "business_digest", "digest"]

# The name of its digest among those that are pinned for a fold version.
BUSINESS = "a business made up from a seed"

_RUN = 300
_APPENDED_MS = 1_767_225_600_000


class _Record(NamedTuple):
    offset: int
    key: bytes
    value: bytes
    timestamp: int = _APPENDED_MS


def digest(*, seed: int, events: int, accounts: int) -> str:
    """Fold one partition of a business in runs, and give a hash of all facts and rows, in order."""
    partition = Partition(number=0)
    made = hashlib.blake2b(digest_size=16)
    entries = business(seed=seed, events=events, accounts=accounts, ticks=24, partitions=1)
    rest = [_Record(offset, entry.key, entry.value) for offset, entry in enumerate(entries)]
    cursor = ""
    while rest:
        step = partition.step(rest[:_RUN], cursor=cursor)
        partition.commit()
        for fact in step.facts:
            made.update(encode(fact))
        for key, value in sorted(step.rows):
            made.update(key + (value or b""))
        rest, cursor = rest[step.consumed :], step.cursor
    return made.hexdigest()


def business_digest() -> str:
    """Give the digest that is pinned per fold version, see ``tests.streams.fold_samples``."""
    return digest(seed=2, events=8_000, accounts=320)


if __name__ == "__main__":
    sys.stdout.write(business_digest() + "\n")

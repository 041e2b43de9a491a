"""The stages and their topics by name: for whoever speaks of them and runs none.

``streams.app``, which wires them, brings Faust with it: most of a second of a process's start.
"""

from typing import Literal

from schemas.codec import SOURCE_TYPES, TOPIC_OF_TYPE

__all__ = ["CHAIN", "CHANGELOG", "JOURNAL", "SOURCES", "StageName"]

StageName = Literal["intake", "ledger"]
SOURCES: tuple[str, ...] = tuple(sorted({TOPIC_OF_TYPE[name] for name in SOURCE_TYPES}))
JOURNAL = "ledger.journal"
CHANGELOG = "ledger.account"
CHAIN = "ledger.chain"

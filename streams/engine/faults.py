"""What can go wrong in the engine: a closed set, each with its one way out.

EngineFault
├── Fenced          somebody else has the partition: drop it, rejoin, never re-init
├── OutcomeUnknown  a transaction may or may not have committed: re-init and re-read
├── ChainBroken     committed transactions do not connect: stop, a person must look
├── FactsLost       the source's log starts after our position: stop, a person must look
├── NewerRows       a newer release wrote the state: stop, run that one
├── BrokerAway      what was asked is not answered now: try again
├── OutputTooLarge  an output cannot be written: stop, nothing was begun
├── StageStuck      a stage asked for the same step again, or a run fails for ever: stop
└── SeamChanged     a library is not the one that this engine was written on: do not start
"""

from typing import Final

__all__ = [
    "FOR_A_PERSON",
    "BrokerAway",
    "ChainBroken",
    "EngineFault",
    "FactsLost",
    "Fenced",
    "NewerRows",
    "OutcomeUnknown",
    "OutputTooLarge",
    "SeamChanged",
    "StageStuck",
]


class EngineFault(Exception):  # noqa: N818 - these are named for what happened
    """Something that the engine knows the way out of."""


class Fenced(EngineFault):
    """Another producer took this transactional id: the partition is theirs now."""


class OutcomeUnknown(EngineFault):
    """The transaction was sent, its fate is not known; it must be found out, never repeated."""


class ChainBroken(EngineFault):
    """Links do not connect, or the group offset contradicts them: the state must not be used."""


class FactsLost(EngineFault):
    """The source does not hold the records at our position any more; rewinding would hide it."""


class NewerRows(EngineFault):
    """The state was written by a newer fold, or in a newer form, than this worker knows."""


class BrokerAway(EngineFault):
    """The broker did not answer, or said "not now"; nothing was changed by asking."""


class OutputTooLarge(EngineFault):
    """A row or output exceeds its topic's limit; found before the transaction began."""


class StageStuck(EngineFault):
    """A stage made no progress, or one run failed more often than a passing fault would."""


class SeamChanged(EngineFault):
    """A pinned library has another version, or a private name that we use is gone."""


# Faults that end a worker and come again after a restart: somebody must look.
FOR_A_PERSON: Final = (ChainBroken, FactsLost, NewerRows, OutputTooLarge, StageStuck)

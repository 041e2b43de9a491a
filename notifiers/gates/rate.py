"""How fast a provider is written to: a bucket that all workers of an installation share, in SQL.

It limits how many deliveries a round takes; those that are left wait where they are, the longest due
first: no row is written for them, and nothing sleeps.
"""

import datetime
import math
from collections.abc import Mapping, Sequence

from sqlalchemy import Engine

from infra.database.rates import Bucket
from notifiers.gates.gate import Candidate, Wait

__all__ = ["Rate"]


class Rate:
    """So many deliveries a second over one provider; a second's worth at once.

    Args:
        engine: of the database that the workers share.
        provider: whose bucket it is.
        per_s: deliveries a second; more than 0.
    """

    def __init__(self, engine: Engine, *, provider: str, per_s: float) -> None:
        self._engine = engine
        self._bucket = Bucket(name=provider, per_s=per_s, burst=max(1, math.floor(per_s)))

    def waits(self, candidates: Sequence[Candidate], *, now: datetime.datetime) -> Mapping[str, Wait]:
        """Let the first go for which there are tokens; a token that is not used is lost, which only makes it slower."""
        if not candidates:
            return {}
        taken = self._bucket.take(self._engine, wanted=len(candidates), now=now)
        wait = Wait(
            until=taken.next_at,
            why="rate",
            detail=f"{self._bucket.name} is written to {self._bucket.per_s:g} times a second at most",
            by="wall",
            holds="channel",
        )
        return {each.job.reminder: wait for each in candidates[taken.granted :]}

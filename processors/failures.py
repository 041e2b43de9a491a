"""Records that the fold raised on: found in a step, left out of it, and left out by every replay of the log (DESIGN 3.6)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from processors.account import Account
from processors.quarantine import quarantine
from processors.record_size import RecordTooLarge, too_large
from schemas.facts import AccountQuarantined

__all__ = [
    "Failure",
    "KnownFailures",
    "Poison",
    "Stage",
    "StepFailed",
    "failed_before",
    "quarantined",
    "require_rows_fit",
]

Stage = Literal["fold", "schedule", "evaluate"]
# Journal offset -> (account, error) of what was raised on when the log was first folded.
KnownFailures = Mapping[int, Sequence[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Poison:
    """A record that the fold raised on: our bug. For a tick, one per account."""

    index: int  # in the run
    account: str
    error: str


class Failure(NamedTuple):
    """Where a fold raised, and whether the record had been taken in by then."""

    poison: Poison
    stage: Stage


class StepFailed(Exception):  # noqa: N818 - it never leaves the partition
    """Accounts' folds raised; the step starts anew and leaves those out."""

    def __init__(self, failures: dict[tuple[int, str], Failure]) -> None:
        super().__init__(f"{len(failures)} accounts")
        self.failures = failures


def failed_before(offsets: Iterable[int], *, known: KnownFailures) -> dict[tuple[int, str], Failure]:
    """Give what of a run is known to have been raised on, by place in the run and account."""
    if not known:
        return {}
    return {
        (place, account): Failure(Poison(place, account, error), _stage_of(error))
        for place, offset in enumerate(offsets)
        for account, error in known.get(offset, ())
    }


def quarantined(
    account: Account, failure: Failure, *, offset: int, wake_at_s: int | None
) -> AccountQuarantined:
    """Quarantine the account of a failure at a journal offset."""
    return quarantine(account, error=failure.poison.error, journal_offset=offset, wake_at_s=wake_at_s)


def require_rows_fit(account: Account) -> None:
    """Blame the record after which one of an account's rows is larger than a record holds.

    Raises:
        RecordTooLarge: names the row.
    """
    rows: list[tuple[bytes, bytes | None]] = []
    account.encode_changes(rows)
    for key in too_large(rows):
        raise RecordTooLarge(f"the row {key.decode()} is larger than a record")


def _stage_of(error: str) -> Stage:
    """Read the stage that the partition wrote before the error."""
    match error.partition(":")[0]:
        case "schedule":
            return "schedule"
        case "evaluate":
            return "evaluate"
        case _:
            return "fold"

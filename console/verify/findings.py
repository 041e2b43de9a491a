"""What an audit found: one struct per damage, with the place, what was expected and what is there."""

from typing import Literal

from msgspec import Struct, field

__all__ = ["FINDINGS_MAX", "Check", "Finding", "PartitionReport", "minor"]

FINDINGS_MAX = 1000  # per partition: a broken log has the same problem everywhere, the first ones tell

Check = Literal["chain", "position", "conservation", "rows", "facts"]


class Finding(Struct, frozen=True, kw_only=True):
    """One damage.

    Attributes:
        row: what of the account differs: a row's key, a fact's id with its topic, or journal positions.
        expected: what the rest of the log says must be there.
        found: what is there.
    """

    partition: int
    check: Check
    account: str = ""
    row: str
    expected: str
    found: str

    def __str__(self) -> str:
        account = f" account {self.account}," if self.account else ""
        return (
            f"partition {self.partition}, {self.check}:{account} {self.row}: "
            f"expected {self.expected}, found {self.found}"
        )


class PartitionReport(Struct, kw_only=True):
    """What was looked at in one partition, and what is wrong: nothing, if ``findings`` is empty.

    Attributes:
        position: the journal position that rows and facts are compared at; None before the first link.
        compared: whether rows and facts were compared with a replay; if not, ``notes`` say why.
        refused: accounts' records that the fold raised on, in the replay as in the worker.
        overflow: findings beyond the first `FINDINGS_MAX`.
    """

    partition: int
    position: int | None = None
    cursor: str = ""
    fold_version: int | None = None
    links: int = 0
    movements: int = 0
    accounts: int = 0
    compared: bool = False
    records: int = 0
    rows: int = 0
    facts: int = 0
    refused: int = 0
    notes: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    overflow: int = 0

    def object_to(
        self, check: Check, *, row: str, expected: object, found: object, account: str = ""
    ) -> None:
        """Note a damage."""
        if len(self.findings) >= FINDINGS_MAX:
            self.overflow += 1
            return
        self.findings.append(
            Finding(
                partition=self.partition,
                check=check,
                account=account,
                row=row,
                expected=str(expected),
                found=str(found),
            )
        )


def minor(amount_minor: int, *, currency: str) -> str:
    """Write an amount of minor units as this report does."""
    return f"{amount_minor} {currency} minor units"

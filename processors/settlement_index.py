"""What settlement must find fast: who names an item, the oldest open item, loose credit.

Derived from the rows of an account; never written.
"""

from collections.abc import Mapping

from schemas.rows import CreditRow, ItemRow

__all__ = ["SettlementIndex"]


class SettlementIndex:
    """Filled by ``processors.settle``; ``rebuild`` makes it anew from rows."""

    __slots__ = ("naming",)

    def __init__(self) -> None:
        self.naming: dict[str, list[str]] = {}

    def rebuild(self, *, items: Mapping[str, ItemRow], credits: Mapping[str, CreditRow]) -> None:  # noqa: A002, ARG002 - the field's word; oldest first comes with settle
        """Make the index from the rows of an account."""
        self.naming = {}
        for credit in sorted(credits.values(), key=lambda each: each.order):
            for name in credit.names:
                self.naming.setdefault(name.document, []).append(credit.credit)

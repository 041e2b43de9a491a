"""Which events made items: from a reminder back to what was published about its documents."""

from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import Connection, select

from infra.database.tables import movements

__all__ = ["causes"]

_MAKING: Final = ("opened", "issued", "debit_note_issued", "claimed", "transferred_in", "instalment")


def causes(connection: Connection, wanted: Mapping[str, Collection[str]]) -> dict[tuple[str, str], str]:
    """Give by account and item the id of the event that made it; those that the read model lacks are missing.

    Args:
        connection: of the read model.
        wanted: items by account. All movements of these accounts are looked at.
    """
    if not wanted:
        return {}
    items = {item for each in wanted.values() for item in each}
    made = connection.execute(
        select(movements.c["account"], movements.c["item"], movements.c["cause"])
        .where(
            movements.c["account"].in_(wanted),
            movements.c["item"].in_(items),
            movements.c["kind"].in_(_MAKING),
        )
        .order_by(movements.c["record_offset"])
    )
    found: dict[tuple[str, str], str] = {}
    for account, item, cause in made:
        found.setdefault((account, item), cause)
    return found

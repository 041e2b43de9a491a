"""What credit covers of the items that could be dunned, for the decision only (R11, R12).

Nothing is applied here: a person does that, and is asked to.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from processors.credit_index import Left
from schemas.rows import ItemRow

__all__ = ["Cover", "counted", "cover", "shares_minor"]


class Cover(NamedTuple):
    """Which items need not be asked for, and what is left to ask for, of one currency.

    ``left`` is the credit itself; ``total_minor`` what is dunnable without it.
    """

    left: Left
    total_minor: int
    rest_minor: int
    covered: frozenset[str]


def counted(left: Left, *, policy: str) -> Left:
    """Give what of credit counts by the company's policy: with ``ignore`` notes only, which lower what is owed (R11, R12)."""
    return left._replace(cash_minor=0) if policy == "ignore" else left


def cover(
    items: Sequence[ItemRow], *, levels: Mapping[str, int], left: Left, asked: Mapping[str, int] | None = None
) -> Cover:
    """Set notes that name no invoice against the highest level downwards (R12), then money against the oldest item (R11).

    A level left in credit is covered, with all its items; a level that is
    reduced only is dunned as a whole, and the message shows the notes.

    Args:
        items: what is dunnable, of one currency.
        levels: item -> the offset of the step that it stands at.
        left: the credit of that currency.
        asked: item -> what may be asked for, where that is not all that is open (R29).
    """
    open_minor = {item.item: item.open_minor for item in items} | dict(asked or {})
    total_minor = sum(open_minor.values())
    reduced = _set_credit(items, levels=levels, left=left, open_minor=open_minor)
    covered = {name for name, rest_minor in open_minor.items() if not rest_minor}
    if not reduced <= covered:
        covered -= reduced
    return Cover(left, total_minor, sum(open_minor.values()), frozenset(covered))


def shares_minor(
    items: Sequence[ItemRow], *, levels: Mapping[str, int], left: Left, asked: Mapping[str, int]
) -> dict[str, int]:
    """Give how much of each item credit is set against, as ``cover`` does; nothing: the item is not there."""
    rest_minor = dict(asked)
    _set_credit(items, levels=levels, left=left, open_minor=rest_minor)
    return {name: minor - rest_minor[name] for name, minor in asked.items() if minor > rest_minor[name]}


def _set_credit(
    items: Sequence[ItemRow], *, levels: Mapping[str, int], left: Left, open_minor: dict[str, int]
) -> set[str]:
    """Lower ``open_minor`` by notes, then by money; give the items of a level that notes reduce, but do not cover."""
    oldest = sorted(items, key=lambda item: (item.due_on, item.item))
    reduced = _set_notes(oldest, levels=levels, notes_minor=left.notes_minor, open_minor=open_minor)
    cash_minor = left.cash_minor
    for item in oldest:
        taken_minor = min(cash_minor, open_minor[item.item])
        open_minor[item.item] -= taken_minor
        cash_minor -= taken_minor
    return reduced


def _set_notes(
    oldest: Sequence[ItemRow], *, levels: Mapping[str, int], notes_minor: int, open_minor: dict[str, int]
) -> set[str]:
    """Lower ``open_minor`` by the notes, and give the items of the level that they reduce, but do not cover."""
    for level in sorted(set(levels.values()), reverse=True):
        if not notes_minor:
            break
        names = [item.item for item in oldest if levels[item.item] == level]
        is_covered = notes_minor >= sum(open_minor[name] for name in names)
        for name in names:
            taken_minor = min(notes_minor, open_minor[name])
            open_minor[name] -= taken_minor
            notes_minor -= taken_minor
        if not is_covered:
            return set(names)
    return set()

"""What a message asks for, by age: a column per currency, never a sum over them (R23, SEMANTICS section 6)."""

from collections.abc import Iterable

from msgspec import Struct

from notifiers.writing.figures import amount_text
from notifiers.writing.words import Words
from processors.aging import AGE_EDGES_DAYS, age_bucket
from schemas.facts import ReminderDecided, ReminderItem

__all__ = ["AgingView", "aging_of"]

_NOTHING = "–"


class AgingView(Struct, frozen=True, kw_only=True):
    """One bucket: its days past due, and its amount per currency, in the order of the currencies."""

    label: str
    amounts: tuple[str, ...]


def aging_of(
    reminder: ReminderDecided, *, words: Words, language: str
) -> tuple[tuple[str, ...], tuple[AgingView, ...]]:
    """Give the currencies and a row per bucket; nothing where one bucket holds everything.

    A message that does not name all items brings its own sums; else they are
    those of the items named, so that the table and the totals agree.
    """
    sums = {each.currency: list(each.buckets) for each in reminder.aging}
    if not sums:
        sums = _added((*reminder.items, *reminder.others))
    filled = {place for buckets in sums.values() for place, minor in enumerate(buckets) if minor}
    if len(filled) < 2:
        return (), ()
    currencies = tuple(sorted(sums))
    labels = (words.age_not_due, words.age_1, words.age_2, words.age_3, words.age_4)
    rows = tuple(
        AgingView(
            label=label,
            amounts=tuple(
                amount_text(minor, currency=currency, language=language) if minor else _NOTHING
                for currency in currencies
                for minor in (sums[currency][place],)
            ),
        )
        for place, label in enumerate(labels)
    )
    return currencies, rows


def _added(items: Iterable[ReminderItem]) -> dict[str, list[int]]:
    sums: dict[str, list[int]] = {}
    for item in items:
        buckets = sums.setdefault(item.currency, [0] * (len(AGE_EDGES_DAYS) + 1))
        buckets[age_bucket(item.days_overdue)] += item.open_minor - item.held_minor
    return sums

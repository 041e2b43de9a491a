"""The events behind reminders, for log lines: whoever has an event's id finds what was sent because of it."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from schemas.facts import ReminderDecided

__all__ = ["EVENTS_MAX", "events_behind"]

EVENTS_MAX: Final = 20  # a line names so many; the items of a reminder are on the line of its recording


def events_behind(
    reminders: Iterable[ReminderDecided],
    *,
    causes: Callable[[Mapping[str, Collection[str]]], Mapping[tuple[str, str], str]],
) -> dict[str, list[str]]:
    """Give by reminder the ids of the events that made its items, those that are due first, ``EVENTS_MAX`` at most.

    Args:
        reminders: the reminders.
        causes: gives by account and item the event, of items by account; see ``SendLedger.causes``.
    """
    named: dict[str, tuple[str, list[str]]] = {}
    wanted: dict[str, set[str]] = {}
    for reminder in reminders:
        items = [each.item for each in sorted(reminder.items, key=lambda item: not item.step)][:EVENTS_MAX]
        named[reminder.id] = (reminder.account, items)
        wanted.setdefault(reminder.account, set()).update(items)
    found = causes(wanted)
    return {
        name: list(
            dict.fromkeys(found[account, item] for item in items if (account, item) in found)
        )  # two items may have one event
        for name, (account, items) in named.items()
    }

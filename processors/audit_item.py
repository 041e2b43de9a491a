"""An item as the audit knows it: from facts alone, with the progress that ended reminders gave it."""

import datetime
from dataclasses import dataclass, field

import msgspec

from schemas.rows import ItemRow

__all__ = ["AuditedItem", "adopt", "blank", "carried", "follow_terms", "take_back"]


@dataclass(slots=True)
class AuditedItem:
    """What is known of an item from facts alone.

    Attributes:
        row: its terms, and the progress that ended reminders gave it.
        open_minor: Σ of its movements; ``closed_on`` the business day on which that became 0.
        words: step -> the last word on it: a reason, or a reminder on its way; ``spent`` are those before its
            last step was consumed.
        sent: (plan, step) of all that it consumed.
        named: (reminder, its day) of all that named it.
    """

    row: ItemRow
    open_minor: int = 0
    closed_on: datetime.date | None = None
    words: dict[str, str] = field(default_factory=dict)
    spent: dict[str, str] = field(default_factory=dict)
    sent: set[tuple[str, str]] = field(default_factory=set)
    finished: set[str] = field(default_factory=set)
    named: list[tuple[str, datetime.date]] = field(default_factory=list)


def carried(row: ItemRow) -> ItemRow:
    """Copy an item's terms with its progress."""
    return msgspec.structs.replace(row, open_minor=1, status="open")


def blank(row: ItemRow) -> ItemRow:
    """Copy an item's terms without its progress."""
    return msgspec.structs.replace(
        row, open_minor=1, status="open", plan="", plan_version=0, step=-1, pay_by_on=None, shift_days=0,
        sent_level_on=None, sent_on=getattr(row.document, "last_reminder_on", None), part_paid_on=None, final_on=None, awaiting=None, plan_finished=False, judged="", failed_on=None, dropped_on=None, pending=None,
    )  # fmt: skip


def follow_terms(item: AuditedItem, row: ItemRow) -> None:
    """Take over amended terms; an amended due date brings its own shift (``ladder.reanchored_shift_days``)."""
    mine = item.row
    if mine.due_on != row.due_on:
        mine.due_on, mine.shift_days = row.due_on, row.shift_days
    if row.step < mine.step:  # repetitions are forgotten with the episode (R10)
        mine.step = row.step
        item.sent = {(plan, step) for plan, step in item.sent if step.endswith(" 0")}
    mine.chosen_plan, mine.part_paid_on = row.chosen_plan, row.part_paid_on


def adopt(mine: ItemRow, row: ItemRow) -> None:
    """Take over the progress that a task gave an item."""
    mine.plan, mine.plan_version, mine.step = row.plan, row.plan_version, row.step
    mine.shift_days, mine.pay_by_on, mine.sent_on = row.shift_days, row.pay_by_on, row.sent_on


def take_back(item: AuditedItem, row: ItemRow, *, step: str) -> bool:
    """Take back the last consumed step, as the ledger's own row has it by now; False: it was not the last one (R19)."""
    index = item.row.step
    adopt(item.row, row)
    times = [each for each in item.sent if each[1].rpartition(" ")[0] == step]
    if not times or item.row.step >= index:
        return False
    item.sent.discard(max(times, key=lambda each: int(each[1].rpartition(" ")[2])))
    item.finished.clear()
    item.words = {name: word for name, word in item.spent.items() if name != step}
    return True

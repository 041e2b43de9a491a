"""Which credit notes are for which dispute of an item (R29): each note counts once, however many disputes there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from processors.account import Account
    from schemas.rows import CreditRow, DisputeRow, ItemRow

__all__ = ["NotesOf", "lower_ruled", "share_notes"]


class NotesOf(NamedTuple):
    """What a dispute has of an item's notes: ``taken_minor`` by credit, and how much of its amount has no note yet."""

    taken_minor: dict[str, int]
    left_minor: int


def share_notes(account: Account, item: ItemRow) -> dict[str, NotesOf]:
    """Share the notes that name an item over its disputes of a part of it, by id of the dispute.

    Ruled ones come first, then by age; none has of a note that came before it. For a ruling a note counts also where the
    item had been paid, and so does a write-off; what nobody has ruled on has what notes have settled.
    """
    disputes = {} if account.arrangements is None else account.arrangements.disputed.get(item.item, {})
    if not disputes:
        return {}
    rows = sorted(disputes.values(), key=lambda row: (row.ruled_on is None, row.order))
    notes = _notes(account, item)
    left_minor = {
        note.credit: note.amount_minor - max(row.noted_minor.get(note.credit, 0) for row in rows)
        for note in notes
    }
    shares: dict[str, NotesOf] = {}
    for row in rows:
        if row.amount_minor is not None:
            share = _share(account, row, notes=notes, left_minor=left_minor)
            shares[row.dispute] = share
            for credit, taken_minor in share.taken_minor.items():
                left_minor[credit] -= taken_minor
    return shares


def lower_ruled(account: Account, item: ItemRow, *, less_minor: int) -> list[DisputeRow]:
    """Let an item that was amended to be worth less need so much less of notes: billing writes none for what it took off.

    ``less_minor`` below 0: the amendment was taken back, and notes are needed for so much again, of the newest first; gives those
    that it had ended, and which hold their item again.
    """
    arranged = account.arrangements
    if not less_minor or arranged is None:
        return []
    disputes = arranged.disputed.get(item.item, {})
    if less_minor < 0:
        return _need_again(account, item, more_minor=-less_minor)
    rows = [row for row in sorted(disputes.values(), key=lambda each: each.order) if row.ruled_on is not None]
    shares = share_notes(account, item)
    for row in rows:
        if less_minor:
            taken_minor = min(less_minor, shares[row.dispute].left_minor)
            row.amended_minor += taken_minor
            less_minor -= taken_minor
            account.touch(row)
    return []


def _need_again(account: Account, item: ItemRow, *, more_minor: int) -> list[DisputeRow]:
    arranged = account.arranged()
    ended = arranged.amended_away.get(item.item, {})
    known = [*arranged.disputed.get(item.item, {}).values(), *ended.values()]
    rows = [row for row in sorted(known, key=lambda each: each.order) if row.ruled_on is not None]
    again: list[DisputeRow] = []
    for row in reversed(rows):
        back_minor = min(more_minor, row.amended_minor)
        if not back_minor:
            continue
        row.amended_minor -= back_minor
        more_minor -= back_minor
        if row.is_over:
            arranged.reopen_dispute(row)
            again.append(row)
        account.touch(row)
    return again


def _notes(account: Account, item: ItemRow) -> list[CreditRow]:
    named_by = {credit.credit: credit for credit, _ in account.settling.claims(item.item)}
    return [
        each
        for each in named_by.values()
        if each.credit_kind != "payment" and each.ended_on is None and each.currency == item.currency
    ]


def _share(
    account: Account, row: DisputeRow, *, notes: list[CreditRow], left_minor: dict[str, int]
) -> NotesOf:
    applied = account.applications.get(row.item, {})
    wanted_minor = (row.amount_minor or 0) - row.amended_minor
    taken_minor: dict[str, int] = {}
    for note in notes:
        most_minor = left_minor[note.credit] if note.order > row.order else 0
        if row.ruled_on is None:
            settled = applied.get(note.credit) if note.credit_kind == "credit_note" else None
            most_minor = 0 if settled is None else min(most_minor, settled.amount_minor)
        if most_minor > 0 and wanted_minor:
            taken_minor[note.credit] = min(wanted_minor, most_minor)
            wanted_minor -= taken_minor[note.credit]
    return NotesOf(taken_minor, wanted_minor)

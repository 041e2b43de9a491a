"""The disputes of an item on their way between accounts (SEMANTICS 2.6, R29): what is left of each, and what an amendment may give back.

Notes stay where they were written; what one of them had done is disputed again, where the item is now, once it is taken back.
"""

from processors.account import Account
from processors.dispute_notes import share_notes
from schemas.rows import DisputeRow, ItemRow
from schemas.transfers import MovedDispute, MovedItem

__all__ = ["Noted", "drop_disputes", "grow_disputes", "send_disputes", "take_disputes"]

# Of a dispute that comes back: its place in the log, what other disputes have had of notes, and what it has itself.
Noted = dict[str, tuple[int, dict[str, int], int]]


def send_disputes(account: Account, item: ItemRow) -> tuple[MovedDispute, ...]:
    """Write what is left of each dispute of an item, and what is more of it than was sent before; amended away, it is remembered."""
    if account.arrangements is None:
        return ()
    open_rows = account.arrangements.disputed.get(item.item, {})
    shares = share_notes(account, item) if open_rows else {}
    moved: list[MovedDispute] = []
    for name, row in sorted({**account.arrangements.amended_away.get(item.item, {}), **open_rows}.items()):
        amount_minor, again_minor = row.amount_minor, 0
        if amount_minor is not None and not row.is_over:
            # What amendments have done counts as left: each account hears of them by itself.
            amount_minor = shares[name].left_minor + row.amended_minor
            if row.sent_minor is not None:
                again_minor = max(0, amount_minor - row.sent_minor)
            row.sent_minor = max(amount_minor, row.sent_minor or 0)
            account.touch(row)
        moved.append(
            MovedDispute(
                dispute=row.dispute,
                opened_on=row.opened_on,
                amount_minor=amount_minor,
                reason=row.reason,
                author=row.author,
                review_on=row.review_on,
                ruled_on=row.ruled_on,
                amended_minor=row.amended_minor,
                is_over=row.is_over,
                again_minor=again_minor,
            )
        )
    return tuple(moved)


def drop_disputes(account: Account, item: ItemRow) -> Noted:
    """Forget the disputes of an item that comes back: what is disputed by now comes with it. Gives what notes here were for them."""
    arranged = account.arrangements
    if arranged is None:
        return {}
    rows = list(arranged.disputed.get(item.item, {}).values())
    shares = share_notes(account, item) if rows else {}
    noted: Noted = {}
    for row in rows:
        if row.dispute in shares:
            taken_minor = sum(shares[row.dispute].taken_minor.values())
            noted[row.dispute] = (row.order, row.noted_minor, taken_minor)
        arranged.drop_dispute(row)
        account.remove(row)
    for row in arranged.amended_away.pop(item.item, {}).values():
        account.remove(row)
    return noted


def take_disputes(account: Account, item: ItemRow, *, moved: MovedItem, noted: Noted) -> None:
    """Enter the disputes that come with an item; notes that are here and were for one of them still are (``noted``)."""
    for each in moved.disputes:
        order, noted_minor, taken_minor = noted.get(each.dispute, (account.row.sequence + 1, {}, 0))
        row = DisputeRow(
            account=account.id,
            dispute=each.dispute,
            item=item.item,
            order=order,
            opened_on=each.opened_on,
            amount_minor=None if each.amount_minor is None else each.amount_minor + taken_minor,
            reason=each.reason,
            author=each.author,
            review_on=each.review_on,
            ruled_on=each.ruled_on,
            noted_minor=noted_minor,
            amended_minor=each.amended_minor,
            is_over=each.is_over,
        )
        account.arranged().add_dispute(row)
        account.touch(row)


def grow_disputes(account: Account, item: ItemRow, *, moved: MovedItem) -> None:
    """Let disputes hold more of an item that is here already: a note was taken back where it had been written."""
    known = {} if account.arrangements is None else account.arrangements.disputed.get(item.item, {})
    for each in moved.disputes:
        row = known.get(each.dispute)
        if each.again_minor and row is not None and row.amount_minor is not None:
            row.amount_minor += each.again_minor
            account.touch(row)

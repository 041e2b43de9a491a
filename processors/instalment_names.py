"""A named invoice means its instalments, oldest first (SEMANTICS section 3, R25), also in the bank's words."""

from processors.account import Account
from schemas.events import ReconciliationLine
from schemas.rows import CreditRow, Name

__all__ = ["spread", "with_instalments"]


def with_instalments(account: Account, names: list[Name]) -> list[Name]:
    """Give the items that a credit is meant for: the instalments of an item that was split come before it.

    What is said of the item is shared out: it keeps what no instalment takes, for what returns to it.
    """
    arranged = account.arrangements
    if arranged is None or not arranged.split:
        return names
    known = {name.document for name in names}
    found: list[Name] = []
    for name in names:
        plans = [row for row in arranged.split.get(name.document, ()) if row.item == name.document]
        plans.sort(key=lambda row: (row.made_on, row.payment_plan))
        left_minor = name.limit_minor
        for part in (part for row in plans for part in row.instalments if part not in known):
            open_minor = account.items[part].open_minor if part in account.items else 0
            if left_minor is None:
                found.append(Name(document=part))
            elif take_minor := min(left_minor, open_minor):
                found.append(Name(document=part, limit_minor=take_minor))
                left_minor -= take_minor
        # It comes last: money of an instalment stays there when the rest returns to the item.
        if left_minor != 0:
            found.append(Name(document=name.document, limit_minor=left_minor, less_minor=name.less_minor))
    return found


def spread(
    account: Account, credit: CreditRow, *, line: ReconciliationLine, amount_minor: int | None
) -> list[tuple[str, int | None]]:
    """Give the items that a line of a reconciliation speaks of, each with its amount (None: all).

    Of an invoice that was split: what is applied goes to the instalments, the oldest first, each up to what
    it can take; what is taken off comes from the last of them first. The invoice itself has the rest.
    """
    arranged = account.arrangements
    plans = () if arranged is None else arranged.split.get(line.document, ())
    parts = [part for plan in plans if plan.item == line.document for part in plan.instalments]
    if not parts:
        return [(line.document, amount_minor)]
    held = {name: row.amount_minor for name, row in account.applied.get(credit.credit, {}).items()}
    if amount_minor is None:
        named = {name.document for name in credit.names} | held.keys()
        wanted = [*parts, line.document]
        return [(name, None) for name in wanted if line.action == "apply" or name in named]
    found: list[tuple[str, int | None]] = []
    left_minor = amount_minor
    for part in parts if line.action == "apply" else reversed(parts):
        item = account.items.get(part)
        room_minor = held.get(part, 0)
        if line.action == "apply" and item is not None:
            room_minor += item.open_minor
        take_minor = min(left_minor, room_minor)
        if take_minor:
            found.append((part, take_minor))
            left_minor -= take_minor
    return [*found, (line.document, left_minor)] if left_minor else found

"""A named invoice means its instalments, oldest first (SEMANTICS section 3, R25)."""

from processors.account import Account
from schemas.rows import Name

__all__ = ["with_instalments"]


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

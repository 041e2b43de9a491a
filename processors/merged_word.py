"""What a merged customer's account tells the one that he is the same as, in a transfer that moves no money (SEMANTICS 2.6)."""

from processors.account import Account
from processors.context import FoldContext
from schemas.facts import TransferSent
from schemas.transfers import MovedHold, MovedWish, TransferReceived

__all__ = ["tell_survivor"]


def tell_survivor(
    account: Account,
    *,
    context: FoldContext,
    path: tuple[str, ...],
    holds: tuple[MovedHold, ...] = (),
    released: tuple[MovedHold, ...] = (),
    wishes: tuple[MovedWish, ...] = (),
) -> TransferSent:
    """Say it to the customer that this one, who is merged, lives on as; ``path`` are those who handed it on to here."""
    name = f"{account.id}/{account.next_sequence()}"
    account.touch(account.row)
    event = TransferReceived(
        company=account.company,
        customer=account.row.merged_into,
        occurred_at=context.day.isoformat(),
        transfer=name,
        from_customer=account.customer_id,
        path=(*path, account.customer_id),
        holds=holds,
        released=released,
        wishes=wishes,
    )
    return TransferSent(id=name, account=account.id, event=event)

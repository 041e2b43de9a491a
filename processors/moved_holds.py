"""The holds and opt-outs of a whole customer on their way to another one, and their end (SEMANTICS 2.6, R15).

Each goes along once: a person may have ended it at the one or at the other since, and then it is over at both.
"""

from processors.account import Account
from processors.context import FoldContext
from processors.holds import ACCOUNT_HOLDS
from processors.promises import refused
from schemas.facts import LedgerFact, TransferSent
from schemas.fields import Channel
from schemas.rows import HoldRow
from schemas.transfers import MovedHold, TransferReceived

__all__ = ["come_home", "go_anew", "send_holds", "send_opt_outs", "send_release", "take_holds"]


def send_holds(account: Account) -> tuple[MovedHold, ...]:
    """Write the holds of a whole customer that is merged, each once: a person may have ended it there since (R15)."""
    known = (account.holds.get(kind) for kind in ACCOUNT_HOLDS)
    rows = [row for row in known if row is not None and not row.is_sent]
    for row in rows:
        row.is_sent = True
        account.touch(row)
    return tuple(map(_moved, rows))


def send_opt_outs(account: Account) -> tuple[Channel, ...]:
    """Give the channels that a merged customer does not want, each once, as ``send_holds``."""
    row = account.row
    new = tuple(each for each in row.opted_out if each not in row.opted_out_sent)
    row.opted_out_sent += new
    return new


def send_release(
    account: Account, row: HoldRow, *, context: FoldContext, path: tuple[str, ...] = ()
) -> list[LedgerFact]:
    """Tell the customer that this one is merged into of a hold that went there, and that a person has ended here."""
    to_customer = account.row.merged_into
    if not to_customer or not row.is_sent:
        return []
    name = f"{account.id}/{account.next_sequence()}"
    account.touch(account.row)
    event = TransferReceived(
        company=account.company,
        customer=to_customer,
        occurred_at=context.day.isoformat(),
        transfer=name,
        from_customer=account.customer_id,
        path=(*path, account.customer_id),
        released=(_moved(row),),
    )
    return [TransferSent(id=name, account=account.id, event=event)]


def take_holds(account: Account, event: TransferReceived, *, context: FoldContext) -> list[LedgerFact]:
    """Take the holds over that the account has not, the stricter of two lasts; end those that are over where they came from."""
    is_merged = bool(account.row.merged_into)
    for moved in event.holds:
        known = account.holds.get(moved.hold)
        if is_merged and known is not None and known.is_sent:
            known = None  # it went on, and may be over there by now: this one goes on as well
        if known is not None and not known.is_joint:
            known.is_joint = True
            account.touch(known)
        if known is not None and (
            known.until is None or (moved.until is not None and moved.until <= known.until)
        ):
            continue
        row = HoldRow(
            account=account.id,
            hold=moved.hold,
            reason=moved.reason,
            author=moved.author,
            until=moved.until,
            review_on=moved.review_on,
            placed_at=moved.placed_at,
            is_joint=known is not None,
        )
        account.holds[moved.hold] = row
        account.touch(row)
        account.row.episode_in_doubt = True  # the next tick looks: all may be held now
    if event.opted_out:
        if is_merged:
            sent = account.row.opted_out_sent
            account.row.opted_out_sent = tuple(each for each in sent if each not in event.opted_out)
        account.row.opted_out = tuple(sorted({*account.row.opted_out, *event.opted_out}))
    return [
        fact for moved in event.released for fact in _end(account, moved, path=event.path, context=context)
    ]


def come_home(account: Account, *, has_word: bool) -> None:
    """Let a customer who was merged and lives again have what holds for him by now.

    Args:
        has_word: the other one had heard of his holds, so that what is still in force comes back with this word; else they
            have not arrived there, and are his own again.
    """
    if not has_word:
        go_anew(account)
        return
    row = account.row
    row.opted_out = tuple(each for each in row.opted_out if each not in row.opted_out_sent)
    row.opted_out_sent = ()
    for kind in ACCOUNT_HOLDS:
        hold = account.holds.get(kind)
        if hold is not None and hold.is_sent:
            _drop(account, hold)


def go_anew(account: Account) -> None:
    """Let holds and opt-outs go along once more, with whatever goes next: it is another customer now who hears of them."""
    account.row.opted_out_sent = ()
    for kind in ACCOUNT_HOLDS:
        hold = account.holds.get(kind)
        if hold is not None and hold.is_sent:
            hold.is_sent = False
            account.touch(hold)


def _end(
    account: Account, moved: MovedHold, *, path: tuple[str, ...], context: FoldContext
) -> list[LedgerFact]:
    """End a hold here that came from another customer, and wherever it has gone from here; any other one stays.

    One that stands for another of its kind as well stays, too, and it is said: only a person knows what became of that one.
    """
    known = account.holds.get(moved.hold)
    if known is None or _moved(known) != moved:
        return []
    if known.is_joint:
        detail = f"{moved.hold} was lifted at {path[-1]}; another of its kind had come together with it: lift it here as well if that one is over"
        return [
            refused(account, reason="request_refused", key=f"{moved.hold}/{moved.placed_at}", detail=detail)
        ]
    _drop(account, known)
    return send_release(account, known, context=context, path=path)


def _drop(account: Account, row: HoldRow) -> None:
    del account.holds[row.hold]
    account.remove(row)
    account.row.episode_in_doubt = True


def _moved(row: HoldRow) -> MovedHold:
    return MovedHold(
        hold=row.hold,  # type: ignore[arg-type]  # one of the three
        reason=row.reason,
        author=row.author,
        until=row.until,
        review_on=row.review_on,
        placed_at=row.placed_at,
    )

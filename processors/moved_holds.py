"""The holds of a whole customer on their way to another one, and their end (SEMANTICS 2.6, R15).

Each goes along once: a person may have ended it at the one or at the other since, and then it is over at both. Which have ended is kept,
and told to the one who had them before should he live again: what he hears nothing of is in force.
"""

from processors.account import Account
from processors.context import FoldContext
from processors.holds import ACCOUNT_HOLDS
from processors.merged_word import tell_survivor
from processors.promises import refused
from schemas.facts import LedgerFact, TransferSent
from schemas.rows import HoldRow
from schemas.transfers import MovedHold, TransferReceived

__all__ = ["go_anew", "send_ended", "send_holds", "take_holds", "tell_end"]

_ENDED_MAX = 50  # that are kept to be told to whoever lives again


def send_holds(account: Account) -> tuple[MovedHold, ...]:
    """Write the holds of a whole customer that is merged, each once: a person may have ended it there since (R15)."""
    known = (account.holds.get(kind) for kind in ACCOUNT_HOLDS)
    rows = [row for row in known if row is not None and not row.is_sent]
    for row in rows:
        row.is_sent = True
        account.touch(row)
    return tuple(_moved(account, row) for row in rows)


def send_ended(account: Account) -> tuple[MovedHold, ...]:
    """Write the holds that have ended here and that whoever is merged into this customer may still have: told on, not told twice."""
    ended, account.row.ended_holds = account.row.ended_holds, ()
    return ended


def tell_end(
    account: Account,
    row: HoldRow,
    *,
    context: FoldContext,
    anew: HoldRow | None = None,
    path: tuple[str, ...] = (),
) -> list[LedgerFact]:
    """Tell the customer that this one is merged into of a hold that went there, and that a person has ended here.

    ``anew`` is what a person has placed in its stead: it goes with that word, or neither could be lifted from here.
    """
    if anew is None:
        _keep_ended(account, (_moved(account, row), *row.joint))
    else:
        anew.joint = row.joint  # those are not over
        _keep_ended(account, (_moved(account, row),))
    if not account.row.merged_into or not row.is_sent:
        return []
    released = (_moved(account, row), *(row.joint if anew is None else ()))
    if anew is not None:
        anew.is_sent = True
        account.touch(anew)
    holds = () if anew is None else (_moved(account, anew),)
    return [tell_survivor(account, context=context, path=path, holds=holds, released=released)]


def take_holds(account: Account, event: TransferReceived, *, context: FoldContext) -> list[LedgerFact]:
    """End those that are over where they came from, and take the holds over that the account has not: the stricter of two lasts."""
    # Those that stand with another one first: it stays, as long as one is left that nobody has lifted.
    released = sorted(event.released, key=lambda moved: _stands_here(account, moved))
    told = [fact for moved in released for fact in _end(account, moved, event=event, context=context)]
    if event.absorbed:
        _keep_ended(account, event.released)  # those who were merged before may live again, too
    is_merged = bool(account.row.merged_into)
    gone_on = {hold for fact in told if isinstance(fact, TransferSent) for hold in fact.event.holds}
    for moved in event.holds:
        known = account.holds.get(moved.hold)
        if moved in account.row.ended_holds or (known is not None and _moved(account, known) == moved):
            continue  # it was on its way here, or back, when a person ended it; or it is here
        if known is not None and not (is_merged and known.is_sent):
            _stand_together(account, known, moved)
        else:  # what went on may be over there by now: this one goes on as well, if it has not
            row = _take(account, moved, joint=() if known is None else (*known.joint, _moved(account, known)))
            row.is_sent = moved in gone_on
    return told


def go_anew(account: Account) -> None:
    """Let holds and wishes go along once more, with whatever goes next: it is another customer now who hears of them."""
    account.row.wishes_sent = ()
    for kind in ACCOUNT_HOLDS:
        hold = account.holds.get(kind)
        if hold is not None and hold.is_sent:
            hold.is_sent = False
            account.touch(hold)


def _stand_together(account: Account, known: HoldRow, moved: MovedHold) -> None:
    """Let the stricter of two holds of a kind stand for both."""
    if known.until is None or (moved.until is not None and moved.until <= known.until):
        if moved not in known.joint:
            known.joint = (*known.joint, moved)
            account.touch(known)
        return
    _take(account, moved, joint=(*known.joint, _moved(account, known)))


def _take(account: Account, moved: MovedHold, *, joint: tuple[MovedHold, ...] = ()) -> HoldRow:
    row = HoldRow(
        account=account.id,
        hold=moved.hold,
        reason=moved.reason,
        author=moved.author,
        until=moved.until,
        review_on=moved.review_on,
        placed_at=moved.placed_at,
        of=moved.of,
        command=moved.command,
        joint=tuple(each for each in joint if each != moved),
    )
    account.holds[moved.hold] = row
    account.touch(row)
    account.row.episode_in_doubt = True  # the next tick looks: all may be held now
    return row


def _end(
    account: Account, moved: MovedHold, *, event: TransferReceived, context: FoldContext
) -> list[LedgerFact]:
    """End a hold here that came from another customer, and wherever it has gone from here; any other one stays.

    One that stands for another of its kind as well stays, too, and it is said: only a person knows what became of that one. Where this
    customer is merged himself nobody is dunned, and that other one takes its place.
    """
    known = account.holds.get(moved.hold)
    if known is not None and moved in known.joint:
        known.joint = tuple(each for each in known.joint if each != moved)
        account.touch(known)
        _keep_ended(account, (moved,))
        return _tell_on(account, moved, event=event, context=context)
    if known is None or _moved(account, known) != moved:
        return _tell_on(account, moved, event=event, context=context)
    if known.joint and not account.row.merged_into:
        detail = f"{moved.hold} was lifted at {event.path[-1]}; another of its kind had come together with it: lift it here as well if that one is over"
        return [
            refused(account, reason="request_refused", key=f"{moved.hold}/{moved.placed_at}", detail=detail)
        ]
    del account.holds[known.hold]
    account.remove(known)
    account.row.episode_in_doubt = True
    comes = next((each for each in event.holds if each.hold == moved.hold), None)
    if comes is None and known.joint:
        comes, known.joint = known.joint[-1], known.joint[:-1]
    anew = None if comes is None else _take(account, comes)
    return tell_end(account, known, context=context, anew=anew, path=event.path)


def _tell_on(
    account: Account, moved: MovedHold, *, event: TransferReceived, context: FoldContext
) -> list[LedgerFact]:
    """Hand on that a hold is over, and what takes its place, to whom this customer is merged into: it went there before another one stood here for it."""
    into = account.row.merged_into
    if not into or into in event.path or event.absorbed:
        return []  # with a merger goes all that has ended
    holds = tuple(each for each in event.holds if each.hold == moved.hold)
    return [tell_survivor(account, context=context, path=event.path, holds=holds, released=(moved,))]


def _stands_here(account: Account, moved: MovedHold) -> bool:
    """Say whether a hold is the one of its kind that stands here for others as well."""
    known = account.holds.get(moved.hold)
    return known is not None and _moved(account, known) == moved


def _keep_ended(account: Account, ended: tuple[MovedHold, ...]) -> None:
    """Keep what has ended here, where somebody is merged into this customer who may have the same hold."""
    row = account.row
    if not ended or not row.absorbed:
        return
    holds = (account.holds.get(kind) for kind in ACCOUNT_HOLDS)
    in_force = [_moved(account, hold) for hold in holds if hold is not None]
    kept = dict.fromkeys((*row.ended_holds, *ended))
    row.ended_holds = tuple(each for each in kept if each not in in_force)[-_ENDED_MAX:]
    account.touch(row)


def _moved(account: Account, row: HoldRow) -> MovedHold:
    """Write a hold with whose it is: two customers may be held for the same reason, and each is lifted by itself."""
    return MovedHold(
        hold=row.hold,  # type: ignore[arg-type]  # one of the three
        reason=row.reason,
        author=row.author,
        until=row.until,
        review_on=row.review_on,
        placed_at=row.placed_at,
        of=row.of or account.customer_id,
        command=row.command,
    )

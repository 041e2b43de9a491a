"""Who is the same customer as whom: what an account hears of mergers, and who lives where they close a ring (SEMANTICS 2.6)."""

import itertools

from processors import identity
from processors.account import Account
from processors.calendar import epoch_s, told_at
from processors.context import FoldContext
from processors.moved_holds import go_anew
from processors.promises import refused
from schemas.events import CustomerMerged
from schemas.facts import LedgerFact
from schemas.transfers import TransferReceived

__all__ = ["hear_mergers", "heard_before", "overtaken", "refuse_merger", "remember_merger"]


def hear_mergers(account: Account, event: TransferReceived, *, context: FoldContext) -> list[LedgerFact]:
    """Note who is the same customer as this one; of those who are merged into each other the newest word counts.

    A word that comes back to who gave it was heard by all others before they gave theirs: he lives. Where no word is the
    newest one, since the mergers of a ring were on their way at one moment, whose id comes first lives: each of the ring finds the
    same one, and whoever does not live is merged into him from then on. Whoever finds the ring closed says so.
    """
    row, own = account.row, account.customer_id
    # One of an older version does not say into whom.
    said = dict(
        itertools.zip_longest(event.absorbed, event.absorbed_into[: len(event.absorbed)], fillvalue="")
    )
    told = {each: into for each, into in said.items() if into}
    if event.from_customer in event.absorbed:
        told[event.from_customer] = own
    told.pop(own, None)
    news = {each for each in event.absorbed if each != own and each not in row.absorbed}
    news |= {each for each, into in told.items() if row.absorbed_into.get(each, into) != into}
    row.absorbed = (*row.absorbed, *(each for each in event.absorbed if each in news - {*row.absorbed}))
    if told:
        row.absorbed_into = row.absorbed_into | told
    if not row.merged_into:
        return []
    # Who still has him merged into another one than he is by now speaks of a merger that is over.
    if said.get(own) in ("", row.merged_into):
        _live(account, event, context=context)
        return []
    ring = _ring(account)
    if news.isdisjoint(ring):
        return []
    lives = min(ring)
    into, others = row.merged_into, ", ".join(sorted(ring))
    if lives == own:
        _live(account, event, context=context)
        outcome = f"{own} lives, its merger into {into} is over"
    else:
        if into != lives:
            row.merged_into = lives
            go_anew(account)
        outcome = f"{lives} lives, and {own} is merged into it"
    detail = f"{others} were merged into each other at one moment: {outcome}"
    return [refused(account, reason="request_refused", key=f"merged/{into}", detail=detail)]


def heard_before(account: Account, event: CustomerMerged, *, context: FoldContext) -> list[LedgerFact] | None:
    """Give what is to be said of a merger that has been carried out (2.2); None: it has not been."""
    key = _key(event, context=context)
    seen = account.seen.get(key)
    return None if seen is None else identity.compare(account, event, first=seen.event, key=key)


def remember_merger(account: Account, event: CustomerMerged, *, context: FoldContext) -> None:
    """Note that a merger is carried out: told again it changes nothing."""
    identity.remember_for_retention(account, event, key=_key(event, context=context), context=context)
    account.row.merged_into, account.row.merged_at = event.into, event.occurred_at


def overtaken(account: Account, event: CustomerMerged, *, context: FoldContext) -> str:
    """Say why the word of a merger is not the newest one (2.2); "": it is."""
    zone, last = context.company.zone, account.row.merged_at
    at, through = told_at(event.occurred_at, zone), account.row.purged_through
    is_forgotten = through is not None and context.day <= through  # then nobody knows whether it was heard
    if last and (at < told_at(last, zone) or (is_forgotten and at == told_at(last, zone))):
        return f"it is of {event.occurred_at}, and older than the last merger, of {last}"
    return ""


def refuse_merger(
    account: Account, event: CustomerMerged, *, detail: str, context: FoldContext
) -> list[LedgerFact]:
    """Refuse a merger, and say so once: the same word may be carried out later, when what was against it is over."""
    key = f"refused/{_key(event, context=context)}"
    repeated = identity.remember_for_retention(account, event, key=key, context=context)
    if repeated is not None:
        return repeated
    return [refused(account, reason="request_refused", key=f"transfer/merged/{event.into}", detail=detail)]


def _key(event: CustomerMerged, *, context: FoldContext) -> str:
    return f"merged/{event.into}/{epoch_s(told_at(event.occurred_at, context.company.zone))}"


def _live(account: Account, event: TransferReceived, *, context: FoldContext) -> None:
    """End the merger of a customer whom another was merged into since: one of before that is older than who lives by now (2.2)."""
    row, zone = account.row, context.company.zone
    row.merged_into = ""
    if not row.merged_at or told_at(row.merged_at, zone) < told_at(event.occurred_at, zone):
        row.merged_at = event.occurred_at
    go_anew(account)


def _ring(account: Account) -> list[str]:
    """Give the customers of the ring that this one's merger closes, as far as is known here; none: there is no ring."""
    names, at = [account.customer_id], account.row.merged_into
    while at and at not in names:
        names.append(at)
        at = account.row.absorbed_into.get(at, "")
    return names if at == account.customer_id else []

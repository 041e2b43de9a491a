"""What a customer wants to be written by, also on its way to the one that he is the same as: of each channel the newest word (SEMANTICS 2.6, R15)."""

import datetime
import zoneinfo

from processors.account import Account
from processors.addressing import opt_in, opt_out, take_wish, trust_addresses, wish_of
from processors.calendar import instant_of_ms, is_day, local_day, told_at
from processors.context import FoldContext
from processors.kin import tell_silence
from processors.merged_word import tell_survivor
from processors.promises import refused
from schemas.commands import OptIn, OptOut
from schemas.facts import LedgerFact
from schemas.fields import Channel
from schemas.transfers import MovedWish, TransferReceived

__all__ = ["hear_wish", "left_aside", "send_wishes", "take_wishes", "tell_wishes"]

_AHEAD_MAX = datetime.timedelta(
    days=1
)  # clocks and zones of those who publish differ; another day is none of that


def send_wishes(account: Account, *, on: datetime.date) -> tuple[MovedWish, ...]:
    """Write what a merged customer has said of each channel, each word once: he may have said otherwise there since.

    An opt-out of an older version, whose time is not known, is of the day ``on`` which it goes.
    """
    row = account.row
    outs = (each for each in row.opted_out if wish_of(account, each) is None)
    known = (*row.wishes, *(MovedWish(channel=each, is_out=True, at=on.isoformat()) for each in outs))
    new = tuple(each for each in known if each.channel not in row.wishes_sent)
    row.wishes_sent += tuple(each.channel for each in new)
    return new


def tell_wishes(account: Account, *, context: FoldContext, path: tuple[str, ...] = ()) -> list[LedgerFact]:
    """Tell the customer that this one is merged into what was said here since, or by way of here."""
    wishes = send_wishes(account, on=context.day) if account.row.merged_into else ()
    return [tell_survivor(account, context=context, path=path, wishes=wishes)] if wishes else []


def hear_wish(account: Account, event: OptOut | OptIn, *, context: FoldContext) -> list[LedgerFact]:
    """Take what is said of a channel at the account itself; what is older than the newest word on it is left aside.

    Nobody has said by now what is dated later than it is heard: an opt-out counts from then, an opt-in of another day not at all.
    """
    zone, is_out = context.company.zone, isinstance(event, OptOut)
    at, ahead = _said_at(event.occurred_at, context=context)
    if ahead > _AHEAD_MAX and not is_out:
        return [_too_early(account, event)]
    take = opt_out if is_out else opt_in
    if not take(account, event.channel, at=at, zone=zone):
        return left_aside(account, event.channel, at=at, is_out=is_out)
    account.row.failed_on = None  # R19: what failed is tried again by what is left
    told = tell_wishes(account, context=context)
    return told + tell_silence(account, occurred_at=event.occurred_at, on=context.day)


def _said_at(occurred_at: str, *, context: FoldContext) -> tuple[str, datetime.timedelta]:
    """Give the business time of a word, not later than it was heard, and how far ahead of that it is dated."""
    if context.heard_ms is None:
        return occurred_at, datetime.timedelta()
    heard = instant_of_ms(context.heard_ms)
    ahead = told_at(occurred_at, context.company.zone) - heard
    return (occurred_at, ahead) if ahead <= datetime.timedelta() else (heard.isoformat(), ahead)


def _too_early(account: Account, event: OptOut | OptIn) -> LedgerFact:
    detail = f"it is of {event.occurred_at}, which is to come: say it when it is to count"
    key = f"opt_in/{event.channel}/{event.occurred_at}"
    return refused(account, reason="request_refused", key=key, detail=detail)


def left_aside(account: Account, channel: Channel, *, at: str, is_out: bool) -> list[LedgerFact]:
    """Say that the word on a channel is older than the one that stands; where they say the same there is nothing to say."""
    known = wish_of(account, channel)
    if known is None or known.is_out == is_out:
        return []
    detail = f"it is of {at}, and older than the last word on {channel}, of {known.at}"
    key = f"{'opt_out' if is_out else 'opt_in'}/{channel}/{at}"
    return [refused(account, reason="request_refused", key=key, detail=detail)]


def take_wishes(account: Account, event: TransferReceived, *, context: FoldContext) -> list[LedgerFact]:
    """Take what comes from a merged customer, where nothing newer was said here: he is the same person.

    A word that was sent by itself goes on by itself; any other goes on with what it came with.
    """
    outs = (MovedWish(channel=each, is_out=True, at=event.occurred_at) for each in event.opted_out)
    known = {each.channel: each for each in account.row.wishes}
    is_news = False
    for wish in (*event.wishes, *outs):
        own = known.get(wish.channel)
        if own is None and wish.channel in account.row.opted_out:
            continue  # of an older version: nobody knows when he said so, only that he wants none
        if own is None or _is_newer(wish, than=own, zone=context.company.zone):
            take_wish(account, wish)
            account.row.failed_on = None  # R19: what failed is tried again by what is left
            if not wish.is_out and not event.absorbed:
                # What was said before a merger speaks of no address that he has here.
                trust_addresses(account, wish.channel)
            is_news = True
    return tell_wishes(account, context=context, path=event.path) if is_news and not event.absorbed else []


def _is_newer(wish: MovedWish, *, than: MovedWish, zone: zoneinfo.ZoneInfo) -> bool:
    """Tell by business time which word counts; of one instant, or one day where either has no time, the last that was said at one account, of two accounts the one to stop."""
    said, before = told_at(wish.at, zone), told_at(than.at, zone)
    is_one = (
        local_day(said, zone) == local_day(before, zone)
        if is_day(wish.at) or is_day(than.at)
        else said == before
    )
    if not is_one:
        return said > before
    is_of_one = bool(wish.of) and wish.of == than.of
    return wish.order > than.order if is_of_one else wish.is_out > than.is_out

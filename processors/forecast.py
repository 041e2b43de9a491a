"""What will happen to one account if nothing comes in: the core moved on from wake to wake (S4-20, U-9).

Time comes only from the account's own wakes, and each delivery is taken to
be accepted when it may go out: first those that are on their way, unless the account has overtaken
them (R32). It refuses to guess what people or customers do: what waits for them waits in the
forecast, too, as does what nobody knows the fate of.
"""

import datetime
from collections.abc import Iterable, Iterator

from msgspec import Struct

from processors.account import Account
from processors.alone import Alone, accept
from processors.calendar import epoch_s
from processors.company import Company
from processors.law.register import permits_for
from processors.reminder import decided_beside
from schemas.facts import LedgerFact
from schemas.fields import split_account_id
from schemas.journal import JournalEvent, JournalMode, TickPassed
from schemas.outcomes import DeliveryStatus, OutcomeReported

__all__ = ["LOOKS_MAX", "Foreseen", "forecast"]

LOOKS_MAX = 2000  # at one account: about five years of daily looks
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


class Foreseen(Struct, frozen=True, kw_only=True):
    """A fact that the ledger will say, the instant of its tick, and the company's day of that."""

    at: datetime.datetime
    on: datetime.date
    fact: LedgerFact


def forecast(
    account: str,
    *,
    rows: Iterable[tuple[bytes, bytes]],
    after: datetime.datetime,
    until: datetime.date,
    mode: JournalMode = "played",
) -> list[Foreseen]:
    """Tell what the ledger will say of an account, in order, from after an instant to the end of a day.

    Args:
        account: ``'<company>:<customer>'``; nothing is foreseen of one that the rows do not have.
        rows: encoded rows by encoded key: the account's, and its company's with all plans; others' are passed over.
        after: the newest tick that the rows have seen.
        until: the last company day.
        mode: of the journal that the rows come from.
    """
    alone = Alone(rows=rows)
    company = alone.partition.company(split_account_id(account)[0])
    said: list[Foreseen] = []
    now_s = epoch_s(after)
    for _ in range(LOOKS_MAX):
        wake_s = _next_look_s(alone, account=account)
        looks = [] if wake_s is None else [max(wake_s, now_s + 1)]
        arrival = next_arrival(alone, account=account, after_s=now_s)
        arrives = [] if arrival is None else [epoch_s(arrival[0])]
        if not looks and not arrives:
            break
        now_s = min(looks + arrives)
        at = _EPOCH + datetime.timedelta(seconds=now_s)
        on = company.day_of(at)
        if on > until:
            break
        event: JournalEvent = TickPassed(at=at, mode=mode)
        if arrival is not None and arrives == [now_s]:
            event = arrival[1]
        facts = alone.take(event, at=at)
        facts += alone.answer(facts, by=accept)
        said += [Foreseen(at=at, on=on, fact=fact) for fact in facts if fact.account == account]
    return said


def next_arrival(
    alone: Alone, *, account: str, after_s: int
) -> tuple[datetime.datetime, OutcomeReported] | None:
    """Give the first delivery that is on its way to arrive, and when, later than an instant (epoch seconds).

    It goes when the law lets it, as notifiers ask once more; one that was
    overtaken is superseded then. None: none is on its way.
    """
    live = alone.partition.account(account)
    first: tuple[datetime.datetime, str, str, DeliveryStatus] | None = None
    for name, channel, status in _on_their_way(live):
        at = _goes_at(live, channel, company=alone.partition.company(live.company), after_s=after_s)
        if first is None or at < first[0]:
            first = (at, name, channel, status)
    if first is None:
        return None
    at, name, channel, status = first
    outcome = OutcomeReported(
        company=live.company,
        customer=live.customer_id,
        occurred_at=at.isoformat(),
        reminder=name,
        channel=channel,  # type: ignore[arg-type]  # the delivery's own
        status=status,
        provider_id="assumed",
    )
    return at, outcome


def _on_their_way(live: Account) -> Iterator[tuple[str, str, DeliveryStatus]]:
    """Walk the deliveries without a word on them: of what, by which channel, and what will be said."""
    row = live.reminders.get(live.row.open_reminder)
    for each in [] if row is None else [row, *decided_beside(live, row)]:
        overtaken = 0 < each.version < live.row.version
        for channel, fate in each.deliveries.items():
            if fate == "dispatched":
                yield each.reminder, channel, "superseded" if overtaken else "accepted"
    for message in live.messages.values():
        for channel, fate in message.deliveries.items() if message.status == "open" else ():
            if fate == "dispatched":
                yield message.sent_as, channel, "accepted"


def _goes_at(live: Account, channel: str, *, company: Company, after_s: int) -> datetime.datetime:
    at = _EPOCH + datetime.timedelta(seconds=after_s + 1)
    if channel == "task":
        return at
    return permits_for(live, company=company, on=company.day_of(at)).next_allowed(channel, at=at)


def _next_look_s(alone: Alone, *, account: str) -> int | None:
    """Give when the account is looked at next, in epoch seconds: at once where its company has changed since."""
    live = alone.partition.account(account)
    if live.row.config_version != alone.partition.company(live.company).version:
        return 0
    return live.row.wake_at_s

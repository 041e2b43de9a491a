"""What will happen to one account if nothing comes in: the core moved on from wake to wake (S4-20, U-9).

Time comes only from the account's own wakes, and each delivery is taken to
be accepted when it may go out. It refuses to guess what people or customers do:
what waits for them waits in the forecast, too.
"""

import datetime
from collections.abc import Iterable

from msgspec import Struct

from processors.alone import Alone, accept
from processors.calendar import epoch_s
from schemas.facts import LedgerFact
from schemas.fields import split_account_id
from schemas.journal import JournalMode, TickPassed

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
        if wake_s is None:
            break
        now_s = max(wake_s, now_s + 1)
        at = _EPOCH + datetime.timedelta(seconds=now_s)
        on = company.day_of(at)
        if on > until:
            break
        facts = alone.take(TickPassed(at=at, mode=mode), at=at)
        facts += alone.answer(facts, by=accept)
        said += [Foreseen(at=at, on=on, fact=fact) for fact in facts if fact.account == account]
    return said


def _next_look_s(alone: Alone, *, account: str) -> int | None:
    """Give when the account is looked at next, in epoch seconds: at once where its company has changed since."""
    live = alone.partition.account(account)
    if live.row.config_version != alone.partition.company(live.company).version:
        return 0
    return live.row.wake_at_s

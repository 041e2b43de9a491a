"""What is planned: the reminders and other messages that will be decided if nothing comes in (S4-20, U-9).

Made when asked for, with the core's own forecast, from the rows as the ledger keeps them; only accounts that
wake until the last day asked for, or have a reminder on its way, are looked at. So it is right however plans, holds and money change.
"""

import datetime
from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Connection, select

from infra.database.queries.live import Rows, live_rows_of
from infra.database.tables import accounts, clocks, customers
from processors.alone import sent_of
from processors.forecast import Foreseen, forecast
from schemas.facts import MessageDecided
from schemas.journal import JournalMode

__all__ = ["ScheduledLine", "newest_day", "scheduled"]

_CHUNK: Final = 500
_DAY: Final = datetime.timedelta(days=1)


class ScheduledLine(Struct, frozen=True, kw_only=True):
    """One delivery of a reminder that is planned; ``day`` is the company's, ``amounts`` (currency, minor units)."""

    day: datetime.date
    account: str
    name: str
    level: str
    channel: str
    items: str
    item_count: int
    amounts: tuple[tuple[str, int], ...]


def newest_day(connection: Connection) -> datetime.date | None:
    """Give the day (UTC) of the newest tick that all partitions have; None before the first."""
    ticks = connection.execute(select(clocks.c["at"])).scalars().all()
    return min(ticks).date() if ticks else None


def scheduled(
    connection: Connection, *, last_on: datetime.date, company: str = "", account: str = ""
) -> Iterator[ScheduledLine]:
    """Forecast each account that wakes by the end of `last_on`, or has a reminder on its way; lines of an account in order of days."""
    of_company: dict[str, Rows] = {}
    awake = _awake(connection, last_on=last_on, company=company, account=account)
    for start in range(0, len(awake), _CHUNK):
        chunk = awake[start : start + _CHUNK]
        rows = live_rows_of(connection, owners=[each.account for each in chunk])
        for each in chunk:
            own = of_company.get(each.company)
            if own is None:
                own = of_company[each.company] = live_rows_of(connection, owners=[each.company]).get(
                    each.company, {}
                )
            foreseen = _foreseen(each, rows={**own, **rows.get(each.account, {})}, until=last_on)
            yield from _lines(each, foreseen)


def _awake(connection: Connection, *, last_on: datetime.date, company: str, account: str) -> list[Any]:
    """List (account, company, name, at, mode) of those whose time comes, or may once their reminder has arrived, in order."""
    # A day more: the last day of a company in the far west ends later than in UTC.
    until = datetime.datetime.combine(last_on + 2 * _DAY, datetime.time(), tzinfo=datetime.UTC)
    every = select(
        accounts.c["account"],
        accounts.c["company"],
        customers.c["name"],
        clocks.c["at"],
        clocks.c["mode"],
    ).select_from(
        accounts.join(clocks, clocks.c["partition"] == accounts.c["partition"]).outerjoin(
            customers, customers.c["account"] == accounts.c["account"]
        )
    )
    if account:
        every = every.where(accounts.c["account"] == account)
    waking = every.where(accounts.c["wake_at"] < until)
    if company:
        waking = waking.where(accounts.c["company"] == company)
    # Asked for apart, each has its index; those with a reminder on its way are few, of all companies.
    waits = every.where(accounts.c["open_reminder"] != "")
    awake = {each.account: each for query in (waking, waits) for each in connection.execute(query)}
    return [each for _, each in sorted(awake.items()) if company in ("", each.company)]


def _foreseen(each: Any, *, rows: Rows, until: datetime.date) -> list[Foreseen]:
    mode: JournalMode = each.mode
    return forecast(each.account, rows=rows.items(), after=each.at, until=until, mode=mode)


def _lines(each: Any, foreseen: list[Foreseen]) -> Iterator[ScheduledLine]:
    for one in foreseen:
        fact = sent_of(one.fact)
        if fact is None:
            continue
        level = one.fact.message_kind if isinstance(one.fact, MessageDecided) else fact.step
        for channel in dict.fromkeys(each.channel for each in fact.deliveries):
            yield ScheduledLine(
                day=one.on,
                account=each.account,
                name=each.name or "",
                level=level,
                channel=channel,
                items=", ".join(item.item for item in fact.items),
                item_count=len(fact.items) + fact.unlisted,
                amounts=tuple((total.currency, total.amount_minor) for total in fact.totals),
            )

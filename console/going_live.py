"""The first run of a company in daily portions: who is written to on which day, the oldest debts first (R36)."""

import datetime
from collections.abc import Sequence

from infra.database.queries.debtors import Debtor
from processors.calendar import next_business_day
from schemas.commands import GoLive, GoLiveDay
from schemas.fields import split_account_id

__all__ = ["go_live_command", "portions"]

_DAY = datetime.timedelta(days=1)


def portions(
    debtors: Sequence[Debtor], *, per_day: int, first_on: datetime.date, country: str
) -> tuple[GoLiveDay, ...]:
    """Cut debtors, which are in order of their oldest debts, into business days of at most ``per_day`` accounts."""
    days: list[GoLiveDay] = []
    on = next_business_day(first_on, country=country)
    for start in range(0, len(debtors), per_day):
        last = debtors[min(start + per_day, len(debtors)) - 1]
        days.append(GoLiveDay(on=on, due_on=last.oldest_due_on, customer=split_account_id(last.account)[1]))
        on = next_business_day(on + _DAY, country=country)
    return tuple(days)


def go_live_command(days: Sequence[GoLiveDay], *, company: str, at: datetime.datetime, author: str) -> GoLive:
    """Make the command that has the first run go out so."""
    occurred_at = at.isoformat(timespec="seconds")
    return GoLive(
        company=company,
        occurred_at=occurred_at,
        command=f"go-live/{occurred_at}",
        author=author,
        days=tuple(days),
    )

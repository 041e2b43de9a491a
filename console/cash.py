"""The cash forecast in lines: what may come in by week, month, day, reminder plan or account, and what has no day (U-9)."""

import datetime
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Final, Literal, get_args

from msgspec import Struct

from infra.database.queries.cash import CashExpected
from processors.cash import Basis

__all__ = ["DATED", "By", "CashLine", "cash_lines"]

By = Literal["week", "month", "day", "plan", "account"]
DATED: Final[tuple[Basis, ...]] = (
    "promised",
    "instalment",
    "not_cleared",
    "on_due_date",
    "asked",
    "next_level",
)
_DAYS: Final[frozenset[By]] = frozenset(get_args(By)) - {"plan", "account"}


class CashLine(Struct, kw_only=True):
    """What may come in of one company in one currency; amounts in integer minor units.

    ``of`` is the first day of the week or month, the day, the plan or the account; None: what has no day, one line for
    each reason (``why``). ``by`` basis are the parts of ``expected_minor``; ``no_day_minor`` what has none.
    """

    company: str
    currency: str
    of: datetime.date | str | None
    why: str = ""
    expected_minor: int = 0
    no_day_minor: int = 0
    by: dict[str, int] = {}


def cash_lines(parts: Iterable[CashExpected], *, by: By) -> list[CashLine]:
    """Add parts up, by company and currency; what has no day comes last, by reason, or beside its plan or account."""
    lines: dict[tuple[str, str, bool, str], CashLine] = {}
    sums: defaultdict[int, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for each in parts:
        part = each.part
        of, why = _OF[by](each), ""
        if by in _DAYS and part.on is None:
            of, why = None, part.basis
        key = (each.company, part.currency, of is None, why if of is None else str(of))
        line = lines.get(key)
        if line is None:
            line = lines[key] = CashLine(company=each.company, currency=part.currency, of=of, why=why)
        if part.on is None:
            line.no_day_minor += part.amount_minor
        else:
            line.expected_minor += part.amount_minor
            sums[id(line)][part.basis] += part.amount_minor
    for line in lines.values():
        line.by = dict(sums[id(line)])
    return [line for _, line in sorted(lines.items())]


def _week(each: CashExpected) -> datetime.date | None:
    on = each.part.on
    return None if on is None else on - datetime.timedelta(days=on.weekday())


def _month(each: CashExpected) -> datetime.date | None:
    return None if each.part.on is None else each.part.on.replace(day=1)


_OF: Final[dict[By, Callable[[CashExpected], datetime.date | str | None]]] = {
    "week": _week,
    "month": _month,
    "day": lambda each: each.part.on,
    "plan": lambda each: each.part.plan,
    "account": lambda each: each.account,
}

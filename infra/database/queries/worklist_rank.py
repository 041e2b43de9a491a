"""Whom a filter of the worklist leaves, ranked, as one statement: what a page needs before it reads any line.

The conditions are those of ``worklist``, which says what each reason is and words it; a test holds both to each other.
Weights are of double precision here, so that two amounts that differ by less than one in 10^15 are as good as equal.
"""

import datetime
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    Float,
    Select,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    union_all,
)

from infra.database.queries.tasks import is_still_to_do
from infra.database.queries.worklist import (
    WHYS,
    CompanyDay,
    company_days,
    is_broken_promise,
    is_duplicate,
    is_unknown_outcome,
    typical_items,
)
from infra.database.send_tables import tasks
from infra.database.tables import (
    accounts,
    arrangements,
    customers,
    exceptions,
    holds,
    items,
    open_tasks,
    outcomes,
    owed,
    reminders,
)
from processors.fates import ADDRESS_ERRORS

__all__ = ["WorkFilter", "ranked"]

_A: Final = accounts.c
Reasons = Mapping[str, ColumnElement[bool]]


class WorkFilter(Struct, frozen=True, kw_only=True):
    """What of the worklist is shown; everything off shows all of it.

    ``companies`` are those that may be seen at all (none: all of them); ``days`` is how many days late the
    worst item must be at least, as in ``cobranza batch --days-min`` (S1-22); ``level`` is the step of the last reminder.
    """

    companies: tuple[str, ...] = ()
    company: str = ""
    why: str = ""
    days: int | None = None
    responsible: str = ""
    trust: str = ""
    level: str = ""
    not_called: bool = False


def ranked(connection: Connection, *, asked: WorkFilter) -> Select[Any]:
    """Select (account) in the order of the worklist.

    ``connection`` is asked for companies' days and typical items: few rows.
    """
    known = company_days(connection, on=None)
    by_hand = (
        select(holds.c["account"], func.max(holds.c["until_on"]).label("until_on"))
        .where(holds.c["by_hand"])
        .group_by(holds.c["account"])
        .subquery("by_hand")
    )
    reasons = _reasons(known, by_hand=by_hand)
    money = _money(connection)
    if asked.why:
        has_reason = reasons[asked.why] if asked.why in WHYS else false()
    else:
        has_reason = or_(*reasons.values())
    late_since = case((money.c.weight > 0, money.c.oldest))
    return (
        select(_A["account"])
        .select_from(
            accounts.outerjoin(by_hand, by_hand.c.account == _A["account"])
            .outerjoin(money, money.c.account == _A["account"])
            .outerjoin(customers, customers.c["account"] == _A["account"])
        )
        .where(has_reason, *_conditions(asked, known=known, oldest=money.c.oldest))
        .order_by(
            reasons["broken_promise"].desc(),
            func.coalesce(money.c.weight, 0).desc(),
            # The oldest first: as good as days late, but between companies on whose clocks it is another day.
            late_since.is_(None),
            late_since,
            _A["account"],
        )
    )


def _conditions(
    asked: WorkFilter, *, known: Mapping[str, CompanyDay], oldest: Any
) -> Iterator[ColumnElement[bool]]:
    if asked.company:
        yield _A["company"] == asked.company
    if asked.companies:
        yield _A["company"].in_(asked.companies)
    if asked.trust:
        yield _A["trust"] == asked.trust
    if asked.days is not None:
        yield func.coalesce(oldest <= _by_company({name: _minus(of.today, asked.days) for name, of in known.items()}),
                            literal(asked.days <= 0))  # fmt: skip
    if asked.responsible:
        yield _responsible() == asked.responsible
    if asked.level:
        yield _level() == asked.level
    if asked.not_called:
        yield ~and_(_A["last_call_on"].is_not(None), _not_before_episode(_A["last_call_on"]))


def _minus(day: datetime.date, days: int) -> datetime.date:
    return day if day == datetime.date.min else day - datetime.timedelta(days=days)


def _by_company(days: Mapping[str, datetime.date]) -> ColumnElement[datetime.date]:
    """Give the day of an account's company; that of '' where it is not named."""
    other = literal(days[""], Date())
    named = {name: literal(day, Date()) for name, day in days.items() if name and day != days[""]}
    return case(named, value=_A["company"], else_=other) if named else other


def _reasons(known: Mapping[str, CompanyDay], *, by_hand: Any) -> Reasons:
    today = _by_company({name: of.today for name, of in known.items()})
    again = _by_company({name: _minus(of.today, of.action_days) for name, of in known.items()})
    touched = _latest(_A["last_contact_on"], _A["last_note_on"])
    opened = _A["episode_opened_on"]
    is_by_hand = by_hand.c.account.is_not(None)
    is_touched = and_(touched.is_not(None), touched >= opened)
    is_seldom = and_(by_hand.c.until_on.is_(None), opened.is_not(None))
    no_action = and_(is_seldom, ~func.coalesce(is_touched, false()), opened <= today)
    listed = _A["failed_channels"] + literal(", ")
    return {
        "broken_promise": _A["account"].in_(_broken()),
        "proposal": _A["proposal"] != "",
        "task": _A["account"].in_(_with_tasks()),
        "expired_hold": _held(holds.c["until_on"] <= today),
        "review": or_(
            _held(and_(holds.c["review_on"] <= today, _is_not_over(today))),
            exists().where(
                arrangements.c["account"] == _A["account"],
                arrangements.c["status"] == "open",
                arrangements.c["review_on"] <= today,
            ),
        ),
        "bad_address": and_(
            _A["failed_channels"] != "",
            or_(*(listed.contains(f"/{name}, ", autoescape=True) for name in sorted(ADDRESS_ERRORS))),
        ),
        "unknown_outcome": _A["account"].in_(select(outcomes.c["account"]).where(is_unknown_outcome())),
        "all_held": and_(_A["is_all_held"], ~is_by_hand),
        "no_action": no_action,
        "next_action": or_(
            by_hand.c.until_on <= today, and_(is_seldom, func.coalesce(is_touched, false()), touched <= again)
        ),
        "quarantined": _A["quarantined"] != "",
    }


def _latest(first: Any, second: Any) -> ColumnElement[Any]:
    """Give the later of two days, of which one or both may not be there."""
    return case((first.is_(None), second), (second.is_(None), first), (first >= second, first), else_=second)


def _held(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(holds.c["account"] == _A["account"], ~holds.c["by_hand"], condition)


def _is_not_over(today: ColumnElement[Any]) -> ColumnElement[bool]:
    return or_(holds.c["until_on"].is_(None), holds.c["until_on"] > today)


def _broken() -> Select[Any]:
    promised = arrangements.join(accounts, _A["account"] == arrangements.c["account"])
    return select(arrangements.c["account"]).select_from(promised).where(is_broken_promise()).correlate(None)


def _with_tasks() -> Any:
    return union_all(
        select(open_tasks.c["account"]),
        select(tasks.c["account"]).where(is_still_to_do()),
        select(exceptions.c["account"]).select_from(exceptions.join(items, is_duplicate())),
    )


def _money(connection: Connection) -> Any:
    """Give each account's weight, what is late in typical items, and its oldest due date."""
    typical = {
        f"{company}\n{currency}": float(minor)
        for (company, currency), minor in typical_items(connection).items()
    }
    of_place = (
        case(typical, value=owed.c["company"] + "\n" + owed.c["currency"], else_=1.0)
        if typical
        else literal(1.0)
    )
    weight = func.sum(cast(owed.c["late_minor"], Float(53)) / cast(of_place, Float(53)))
    late = case((owed.c["late_count"] > 0, owed.c["oldest_due_on"]))
    return (
        select(owed.c["account"], weight.label("weight"), func.min(late).label("oldest"))
        .group_by(owed.c["account"])
        .subquery("money")
    )


def _not_before_episode(day: ColumnElement[Any]) -> ColumnElement[bool]:
    return or_(_A["episode_opened_on"].is_(None), day >= _A["episode_opened_on"])


def _responsible() -> ColumnElement[Any]:
    """Give who is responsible for the first open task that names somebody, else for the customer."""
    waited = (
        select(open_tasks.c["responsible"])
        .where(open_tasks.c["account"] == _A["account"], open_tasks.c["responsible"] != "")
        .order_by(open_tasks.c["account"], open_tasks.c["task"])
        .limit(1)
        .scalar_subquery()
    )
    listed = (
        select(tasks.c["responsible"])
        .where(tasks.c["account"] == _A["account"], tasks.c["responsible"] != "", is_still_to_do())
        .order_by(tasks.c["reminder"], tasks.c["position"])
        .limit(1)
        .scalar_subquery()
    )
    return func.coalesce(waited, listed, customers.c["responsible"], "")


def _level() -> ColumnElement[Any]:
    return func.coalesce(
        select(reminders.c["step"])
        .where(reminders.c["account"] == _A["account"])
        .order_by(reminders.c["tick"].desc(), reminders.c["reminder"])
        .limit(1)
        .scalar_subquery(),
        "",
    )

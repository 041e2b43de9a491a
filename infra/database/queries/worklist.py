"""Who has to be looked at today, and why (R37): all reasons of an account on one line, ranked.

Broken promises first, then by money at risk (what is overdue). Currencies are never added, and no rate is
guessed: what is overdue counts in typical items, the mean open item of the company in that currency being one. Nobody is left out because someone else's reason weighs more.
"""

import datetime
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct, field, json
from sqlalchemy import ColumnElement, Connection, and_, exists, func, literal_column, or_, select, text

from infra.database.queries.tasks import is_still_to_do
from infra.database.send_tables import tasks
from infra.database.tables import (
    accounts,
    arrangements,
    clocks,
    companies,
    customers,
    exceptions,
    holds,
    items,
    open_tasks,
    outcomes,
    owed,
    reminders,
)
from infra.projection.duplicates import DUPLICATE_DOCUMENT
from processors.fates import ADDRESS_ERRORS

__all__ = [
    "IS_OPEN",
    "WHYS",
    "CompanyDay",
    "WorkLine",
    "company_days",
    "is_broken_promise",
    "is_duplicate",
    "is_unknown_outcome",
    "typical_items",
    "worklist",
]

NEXT_ACTION_DAYS: Final = 15  # R20, S0-14: where a company says nothing else
WHYS: Final = (
    "broken_promise",
    "proposal",
    "task",
    "expired_hold",
    "review",
    "bad_address",
    "unknown_outcome",
    "all_held",
    "no_action",
    "next_action",
    "quarantined",
)
# As in the index of open items: a bound value would not be seen to fit it.
IS_OPEN: Final = text("items.open_minor > 0")
_DAY: Final = datetime.timedelta(days=1)


_Late = tuple[str, str, int, datetime.date]  # account, currency, minor units, the oldest due date


class WorkLine(Struct, kw_only=True):
    """One account. ``whys`` are of `WHYS`, in their order; ``details`` say more of some.

    ``at_risk`` are (currency, minor units) of what is overdue, ``days`` how late the worst is;
    ``next_on`` is the day of the next action (None: nothing is overdue); ``last_call_on`` None or before
    ``episode_opened_on``: not called since the episode opened. ``level`` is the step of the last reminder.
    """

    account: str
    company: str
    name: str = ""
    whys: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    at_risk: list[tuple[str, int]] = field(default_factory=list)
    days: int = 0
    responsible: str = ""
    next_on: datetime.date | None = None
    trust: str = "normal"
    last_contact_on: datetime.date | None = None
    last_call_on: datetime.date | None = None
    episode_opened_on: datetime.date | None = None
    level: str = ""

    def is_called(self) -> bool:
        """Say whether somebody called since the episode opened."""
        opened, called = self.episode_opened_on, self.last_call_on
        return called is not None and (opened is None or called >= opened)

    def why(self, name: str, detail: str = "") -> None:
        """Add a reason, once; and what is to be said of it."""
        if name not in self.whys:
            self.whys.append(name)
        if detail and detail not in self.details:
            self.details.append(detail)


class CompanyDay(Struct, frozen=True, kw_only=True):
    """What day it is at a company, and how many days after the last contact a person looks again (R20)."""

    today: datetime.date
    action_days: int


def worklist(
    connection: Connection,
    *,
    company: str = "",
    on: datetime.date | None = None,
    among: Sequence[str] | None = None,
) -> list[WorkLine]:
    """List the accounts that have a reason, the most urgent first.

    It reads all that there is, where no accounts are named: a page asks ``worklist_page``.

    Args:
        connection: that sees one moment.
        company: of this company only.
        on: the day; None: each company's day of the newest tick.
        among: of these accounts only.
    """
    known = company_days(connection, on=on)
    lines: dict[str, WorkLine] = {}

    def line(account: str) -> WorkLine:
        return lines.setdefault(account, WorkLine(account=account, company=account.partition(":")[0]))

    def today(account: str) -> datetime.date:
        return _of(known, account.partition(":")[0], on=on).today

    _accounts(connection, among=among, line=line, known=known, on=on)
    _tasks(connection, among=among, line=line)
    _duplicates(connection, among=among, line=line)
    _holds(connection, among=among, line=line, today=today)
    _arrangements(connection, among=among, line=line, today=today)
    _unknown_outcomes(connection, among=among, line=line)
    found = [each for each in lines.values() if each.whys and company in ("", each.company)]
    _describe(connection, found, today=today, among=among, on=on)
    for each in found:
        each.whys.sort(key=WHYS.index)
    typical = typical_items(connection)
    return sorted(found, key=lambda each: _rank(each, typical))


def _rank(line: WorkLine, typical: dict[tuple[str, str], Fraction]) -> tuple[object, ...]:
    """Weigh what is overdue: in one currency as its money does, in several as so many typical items of each."""
    weight = sum((minor / typical[line.company, currency] for currency, minor in line.at_risk), Fraction(0))
    return "broken_promise" not in line.whys, -weight, -line.days, line.account


def typical_items(connection: Connection) -> dict[tuple[str, str], Fraction]:
    """Give, by company and currency, the mean open amount of its items."""
    by = (owed.c["company"], owed.c["currency"])
    sums = (func.sum(owed.c["open_count"]), func.sum(owed.c["open_minor"]))
    found = connection.execute(select(*by, *sums).group_by(*by))
    return {
        (company, currency): Fraction(int(total), int(many))
        for company, currency, many, total in found
        if many
    }


def _in(column: Any, among: Sequence[str] | None) -> list[ColumnElement[bool]]:
    return [] if among is None else [column.in_(among)]


def _of(known: dict[str, CompanyDay], company: str, *, on: datetime.date | None) -> CompanyDay:
    plain = CompanyDay(today=on or datetime.date.min, action_days=NEXT_ACTION_DAYS)
    return known.get(company) or known.get("") or plain


def company_days(connection: Connection, *, on: datetime.date | None) -> dict[str, CompanyDay]:
    """Give the companies' days and settings; ``''`` for those without a profile."""
    at = connection.execute(select(func.min(clocks.c["at"]))).scalar_one()
    found = {}
    for row in connection.execute(select(companies)):
        profile = json.decode(row.profile_json) or {}
        found[str(row.company)] = CompanyDay(
            today=on or _local(at, row.time_zone),
            action_days=profile.get("next_action_days", NEXT_ACTION_DAYS),
        )
    found[""] = CompanyDay(today=on or _local(at, "UTC"), action_days=NEXT_ACTION_DAYS)
    return found


def _local(at: datetime.datetime | None, zone: str) -> datetime.date:
    return datetime.date.min if at is None else at.astimezone(ZoneInfo(zone)).date()


# -- reasons ---------------------------------------------------------------------------------------


def _accounts(
    connection: Connection,
    *,
    among: Sequence[str] | None,
    line: Callable[[str], WorkLine],
    known: dict[str, CompanyDay],
    on: datetime.date | None,
) -> None:
    """Take what an account's own row says: proposal, addresses, quarantine, and whose turn it is by date (R20)."""
    by_hand = {
        row.account: row.until_on
        for row in connection.execute(
            select(holds.c["account"], holds.c["until_on"]).where(
                holds.c["by_hand"], *_in(holds.c["account"], among)
            )
        )
    }
    concerned = or_(
        accounts.c["episode_opened_on"].is_not(None),
        accounts.c["proposal"] != "",
        accounts.c["failed_channels"] != "",
        accounts.c["quarantined"] != "",
        accounts.c["is_all_held"],
        accounts.c["account"].in_(select(holds.c["account"]).where(holds.c["by_hand"])),
    )
    for row in connection.execute(select(accounts).where(concerned, *_in(accounts.c["account"], among))):
        each, of = line(row.account), _of(known, row.company, on=on)
        each.trust = row.trust
        each.last_contact_on, each.last_call_on = row.last_contact_on, row.last_call_on
        each.episode_opened_on = row.episode_opened_on
        if row.proposal:
            each.why("proposal", f"proposal {row.proposal}")
        bad = [name for name in row.failed_channels.split(", ") if name.partition("/")[2] in ADDRESS_ERRORS]
        if bad:
            each.why("bad_address", ", ".join(bad))
        if row.quarantined:
            each.why("quarantined")
        if row.is_all_held and row.account not in by_hand:
            each.why("all_held")  # a date by hand is no hold to be looked at: it is somebody's next action
        _next_action(each, row=row, of=of, by_hand=by_hand.get(row.account))


def _next_action(line: WorkLine, *, row: Any, of: CompanyDay, by_hand: datetime.date | None) -> None:
    """Set the day of the next action: by hand, else so many days after the last contact or note (R20)."""
    touched = max((day for day in (row.last_contact_on, row.last_note_on) if day is not None), default=None)
    opened = row.episode_opened_on
    if by_hand is not None:
        line.next_on = by_hand
    elif opened is not None:
        # Looked at by nobody since it opened: it is somebody's turn from then on.
        if touched is not None and touched >= opened:
            line.next_on = touched + datetime.timedelta(days=of.action_days)
        else:
            line.next_on = opened
            if opened <= of.today:
                line.why("no_action")
    if line.next_on is not None and line.next_on <= of.today and "no_action" not in line.whys:
        line.why("next_action")


def _tasks(connection: Connection, *, among: Sequence[str] | None, line: Callable[[str], WorkLine]) -> None:
    """Take open tasks: those that the ledger waits for, and those that reminders listed."""
    listed = select(
        tasks.c["account"],
        tasks.c["task_type"],
        tasks.c["summary"],
        tasks.c["responsible"],
        tasks.c["due_on"],
    ).where(is_still_to_do(), *_in(tasks.c["account"], among))
    waited = select(
        open_tasks.c["account"],
        open_tasks.c["task_type"],
        open_tasks.c["summary"],
        open_tasks.c["responsible"],
        open_tasks.c["due_on"],
    ).where(*_in(open_tasks.c["account"], among))
    for row in (*connection.execute(waited), *connection.execute(listed)):
        each = line(row.account)
        each.why("task", f"{row.summary or row.task_type.replace('_', ' ')} ({row.due_on})")
        each.responsible = each.responsible or row.responsible


def is_duplicate() -> ColumnElement[bool]:
    """Give the condition on ``items`` and ``exceptions`` that an open item is another customer's, too, and not held."""
    is_held = exists().where(
        holds.c["account"] == items.c["account"],
        holds.c["item"] == items.c["item"],
        holds.c["hold_kind"] == "excluded",
    )
    return and_(
        exceptions.c["reason"] == DUPLICATE_DOCUMENT,
        items.c["account"] == exceptions.c["account"],
        exceptions.c["key"] == items.c["company"] + "/" + items.c["item"],
        items.c["open_minor"] > 0,
        ~is_held,
    )


def _duplicates(
    connection: Connection, *, among: Sequence[str] | None, line: Callable[[str], WorkLine]
) -> None:
    """Ask for a hold on an open item that another customer has, too, until it is clear whose it is (SEMANTICS 2.2)."""
    columns = (items.c["account"], items.c["item"], exceptions.c["detail"])
    found = select(*columns).where(is_duplicate(), *_in(exceptions.c["account"], among))
    for row in connection.execute(found.order_by(items.c["account"], items.c["item"])):
        line(row.account).why("task", f"{row.detail}: exclude it until it is clear whose it is")


def _holds(
    connection: Connection,
    *,
    among: Sequence[str] | None,
    line: Callable[[str], WorkLine],
    today: Callable[[str], datetime.date],
) -> None:
    """Take holds that are over or to be reviewed (R15)."""
    for row in connection.execute(select(holds).where(~holds.c["by_hand"], *_in(holds.c["account"], among))):
        day, name = today(row.account), f"{row.hold_kind} {row.item}".strip()
        if row.until_on is not None and row.until_on <= day:
            line(row.account).why("expired_hold", f"{name} until {row.until_on}")
        elif row.review_on is not None and row.review_on <= day:
            line(row.account).why("review", f"{name} review {row.review_on}")


def is_broken_promise() -> ColumnElement[bool]:
    """Give the condition on ``arrangements`` and ``accounts`` of a promise that was broken, and none was made since."""
    newer = arrangements.alias("newer")
    was_followed = exists().where(
        newer.c["account"] == arrangements.c["account"],
        newer.c["kind"] == "promise",
        newer.c["made_on"] > arrangements.c["until_on"],
        newer.c["status"] != "withdrawn",
    )
    return and_(
        arrangements.c["kind"] == "promise",
        arrangements.c["status"] == "broken",
        ~was_followed,
        arrangements.c["until_on"] >= accounts.c["episode_opened_on"],
    )


def _arrangements(
    connection: Connection,
    *,
    among: Sequence[str] | None,
    line: Callable[[str], WorkLine],
    today: Callable[[str], datetime.date],
) -> None:
    """Take promises that were broken in the open episode, unless another was made since; disputes to be reviewed."""
    of = _in(arrangements.c["account"], among)
    broken = (
        select(arrangements)
        .select_from(arrangements.join(accounts, accounts.c["account"] == arrangements.c["account"]))
        .where(is_broken_promise(), *of)
    )
    for row in connection.execute(broken.order_by(arrangements.c["account"], arrangements.c["arrangement"])):
        line(row.account).why("broken_promise", f"promised until {row.until_on}")
    for row in connection.execute(select(arrangements).where(arrangements.c["status"] == "open", *of)):
        if row.review_on is not None and row.review_on <= today(row.account):
            line(row.account).why("review", f"{row.kind} {row.item} review {row.review_on}")


def is_unknown_outcome() -> ColumnElement[bool]:
    """Give the condition on ``outcomes`` that nothing else was said of a delivery than that nobody knows."""
    later = outcomes.alias("later")
    known = exists().where(
        later.c["reminder"] == outcomes.c["reminder"],
        later.c["channel"] == outcomes.c["channel"],
        later.c["status"] != "unknown",
    )
    return and_(outcomes.c["status"] == literal_column("'unknown'"), ~known)  # as in the index


def _unknown_outcomes(
    connection: Connection, *, among: Sequence[str] | None, line: Callable[[str], WorkLine]
) -> None:
    """Take deliveries of which nobody knows whether they went out (R19)."""
    query = select(outcomes).where(is_unknown_outcome(), *_in(outcomes.c["account"], among))
    for row in connection.execute(query.order_by(*outcomes.primary_key)):
        line(row.account).why("unknown_outcome", f"{row.channel} of {row.reminder}")


# -- what is said of each ----------------------------------------------------------------------------


def _describe(
    connection: Connection,
    lines: Iterable[WorkLine],
    *,
    today: Callable[[str], datetime.date],
    among: Sequence[str] | None,
    on: datetime.date | None,
) -> None:
    """Add name, responsible, money at risk and days to lines."""
    wanted = {each.account: each for each in lines}
    for row in connection.execute(
        select(customers.c["account"], customers.c["name"], customers.c["responsible"]).where(
            *_in(customers.c["account"], among)
        )
    ):
        each = wanted.get(row.account)
        if each is not None:
            each.name, each.responsible = row.name, each.responsible or row.responsible
    late = (
        _late_now(connection, among=among) if on is None else _late_on(connection, today=today, among=among)
    )
    for account, currency, minor, oldest in late:
        each = wanted.get(account)
        if each is not None:
            each.at_risk.append((currency, minor))
            each.days = max(each.days, (today(account) - oldest).days)
    for each in wanted.values():
        each.at_risk.sort()
    _levels(connection, wanted, among=among)


def _late_now(connection: Connection, *, among: Sequence[str] | None) -> Iterable[_Late]:
    """Give what is late on the companies' days, as it is kept."""
    columns = (owed.c["account"], owed.c["currency"], owed.c["late_minor"], owed.c["oldest_due_on"])
    found = connection.execute(
        select(*columns).where(owed.c["late_count"] > 0, *_in(owed.c["account"], among))
    )
    return ((account, currency, minor, oldest) for account, currency, minor, oldest in found)


def _late_on(
    connection: Connection, *, today: Callable[[str], datetime.date], among: Sequence[str] | None
) -> Iterable[_Late]:
    """Add up what is late on another day."""
    columns = (items.c["account"], items.c["currency"], items.c["due_on"])
    sums = select(*columns, func.sum(items.c["open_minor"])).where(IS_OPEN, *_in(items.c["account"], among))
    found: dict[tuple[str, str], tuple[int, datetime.date]] = {}
    for account, currency, due_on, minor in connection.execute(sums.group_by(*columns)):
        if due_on < today(account):
            total, oldest = found.get((account, currency), (0, due_on))
            found[account, currency] = total + int(minor), min(oldest, due_on)
    return ((account, currency, minor, oldest) for (account, currency), (minor, oldest) in found.items())


def _levels(connection: Connection, wanted: dict[str, WorkLine], *, among: Sequence[str] | None) -> None:
    """Add the step of the last reminder to lines."""
    place = func.row_number().over(
        partition_by=reminders.c["account"], order_by=(reminders.c["tick"].desc(), reminders.c["reminder"])
    )
    each = (
        select(reminders.c["account"], reminders.c["step"], place.label("place"))
        .where(*_in(reminders.c["account"], among))
        .subquery("each")
    )
    for account, step in connection.execute(select(each.c.account, each.c.step).where(each.c.place == 1)):
        if account in wanted:
            wanted[account].level = step

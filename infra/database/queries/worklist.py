"""Who has to be looked at today, and why (R37): all reasons of an account on one line, ranked.

Broken promises first, then by money at risk (what is overdue). Currencies are never added, and no rate is
guessed: what is overdue counts in typical items, the mean open item of the company in that currency being one. Nobody is left out because someone else's reason weighs more.
"""

import datetime
from collections import defaultdict
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct, field, json
from sqlalchemy import Connection, and_, exists, func, or_, select

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
    reminders,
)
from infra.projection.duplicates import DUPLICATE_DOCUMENT
from processors.fates import ADDRESS_ERRORS

__all__ = ["WHYS", "WorkLine", "worklist"]

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
_DAY: Final = datetime.timedelta(days=1)


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


class _Company(Struct, frozen=True, kw_only=True):
    today: datetime.date
    action_days: int


def worklist(connection: Connection, *, company: str = "", on: datetime.date | None = None) -> list[WorkLine]:
    """List the accounts that have a reason, the most urgent first.

    Args:
        connection: that sees one moment.
        company: of this company only.
        on: the day; None: each company's day of the newest tick.
    """
    known = _companies(connection, on=on)
    lines: dict[str, WorkLine] = {}

    def line(account: str) -> WorkLine:
        return lines.setdefault(account, WorkLine(account=account, company=account.partition(":")[0]))

    def today(account: str) -> datetime.date:
        return _of(known, account.partition(":")[0], on=on).today

    _accounts(connection, line=line, known=known, on=on)
    _tasks(connection, line=line)
    _duplicates(connection, line=line)
    _holds(connection, line=line, today=today)
    _arrangements(connection, line=line, today=today)
    _unknown_outcomes(connection, line=line)
    found = [each for each in lines.values() if each.whys and company in ("", each.company)]
    _describe(connection, found, today=today)
    for each in found:
        each.whys.sort(key=WHYS.index)
    typical = _typical(connection)
    return sorted(found, key=lambda each: _rank(each, typical))


def _rank(line: WorkLine, typical: dict[tuple[str, str], Fraction]) -> tuple[object, ...]:
    """Weigh what is overdue: in one currency as its money does, in several as so many typical items of each."""
    weight = sum((minor / typical[line.company, currency] for currency, minor in line.at_risk), Fraction(0))
    return "broken_promise" not in line.whys, -weight, -line.days, line.account


def _typical(connection: Connection) -> dict[tuple[str, str], Fraction]:
    """Give, by company and currency, the mean open amount of its items."""
    count, minor = func.count(), func.sum(items.c["open_minor"])
    by = (items.c["company"], items.c["currency"])
    found = connection.execute(select(*by, count, minor).where(items.c["open_minor"] > 0).group_by(*by))
    return {(company, currency): Fraction(int(total), many) for company, currency, many, total in found}


def _of(known: dict[str, _Company], company: str, *, on: datetime.date | None) -> _Company:
    plain = _Company(today=on or datetime.date.min, action_days=NEXT_ACTION_DAYS)
    return known.get(company) or known.get("") or plain


def _companies(connection: Connection, *, on: datetime.date | None) -> dict[str, _Company]:
    """Give the companies' days and settings; ``''`` for those without a profile."""
    at = connection.execute(select(func.min(clocks.c["at"]))).scalar_one()
    found = {}
    for row in connection.execute(select(companies)):
        profile = json.decode(row.profile_json) or {}
        found[str(row.company)] = _Company(
            today=on or _local(at, row.time_zone),
            action_days=profile.get("next_action_days", NEXT_ACTION_DAYS),
        )
    found[""] = _Company(today=on or _local(at, "UTC"), action_days=NEXT_ACTION_DAYS)
    return found


def _local(at: datetime.datetime | None, zone: str) -> datetime.date:
    return datetime.date.min if at is None else at.astimezone(ZoneInfo(zone)).date()


# -- reasons ---------------------------------------------------------------------------------------


def _accounts(
    connection: Connection,
    *,
    line: Callable[[str], WorkLine],
    known: dict[str, _Company],
    on: datetime.date | None,
) -> None:
    """Take what an account's own row says: proposal, addresses, quarantine, and whose turn it is by date (R20)."""
    by_hand = {
        row.account: row.until_on
        for row in connection.execute(
            select(holds.c["account"], holds.c["until_on"]).where(holds.c["by_hand"])
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
    for row in connection.execute(select(accounts).where(concerned)):
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


def _next_action(line: WorkLine, *, row: Any, of: _Company, by_hand: datetime.date | None) -> None:
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


def _tasks(connection: Connection, *, line: Callable[[str], WorkLine]) -> None:
    """Take open tasks: those that the ledger waits for, and those that reminders listed."""
    listed = select(
        tasks.c["account"],
        tasks.c["task_type"],
        tasks.c["summary"],
        tasks.c["responsible"],
        tasks.c["due_on"],
    ).where(is_still_to_do())
    waited = select(
        open_tasks.c["account"],
        open_tasks.c["task_type"],
        open_tasks.c["summary"],
        open_tasks.c["responsible"],
        open_tasks.c["due_on"],
    )
    for row in (*connection.execute(waited), *connection.execute(listed)):
        each = line(row.account)
        each.why("task", f"{row.summary or row.task_type.replace('_', ' ')} ({row.due_on})")
        each.responsible = each.responsible or row.responsible


def _duplicates(connection: Connection, *, line: Callable[[str], WorkLine]) -> None:
    """Ask for a hold on an open item that another customer has, too, until it is clear whose it is (SEMANTICS 2.2)."""
    is_held = exists().where(
        holds.c["account"] == items.c["account"],
        holds.c["item"] == items.c["item"],
        holds.c["hold_kind"] == "excluded",
    )
    found = select(items.c["account"], items.c["item"], exceptions.c["detail"]).where(
        exceptions.c["reason"] == DUPLICATE_DOCUMENT,
        items.c["account"] == exceptions.c["account"],
        exceptions.c["key"] == items.c["company"] + "/" + items.c["item"],
        items.c["open_minor"] > 0,
        ~is_held,
    )
    for row in connection.execute(found.order_by(items.c["account"], items.c["item"])):
        line(row.account).why("task", f"{row.detail}: exclude it until it is clear whose it is")


def _holds(
    connection: Connection, *, line: Callable[[str], WorkLine], today: Callable[[str], datetime.date]
) -> None:
    """Take holds that are over or to be reviewed (R15)."""
    for row in connection.execute(select(holds).where(~holds.c["by_hand"])):
        day, name = today(row.account), f"{row.hold_kind} {row.item}".strip()
        if row.until_on is not None and row.until_on <= day:
            line(row.account).why("expired_hold", f"{name} until {row.until_on}")
        elif row.review_on is not None and row.review_on <= day:
            line(row.account).why("review", f"{name} review {row.review_on}")


def _arrangements(
    connection: Connection, *, line: Callable[[str], WorkLine], today: Callable[[str], datetime.date]
) -> None:
    """Take promises that were broken in the open episode, unless another was made since; disputes to be reviewed."""
    newer = arrangements.alias("newer")
    was_followed = exists().where(
        newer.c["account"] == arrangements.c["account"],
        newer.c["kind"] == "promise",
        newer.c["made_on"] > arrangements.c["until_on"],
        newer.c["status"] != "withdrawn",
    )
    broken = (
        select(arrangements)
        .select_from(arrangements.join(accounts, accounts.c["account"] == arrangements.c["account"]))
        .where(arrangements.c["kind"] == "promise", arrangements.c["status"] == "broken", ~was_followed)
        .where(arrangements.c["until_on"] >= accounts.c["episode_opened_on"])
    )
    for row in connection.execute(broken.order_by(arrangements.c["account"], arrangements.c["arrangement"])):
        line(row.account).why("broken_promise", f"promised until {row.until_on}")
    for row in connection.execute(select(arrangements).where(arrangements.c["status"] == "open")):
        if row.review_on is not None and row.review_on <= today(row.account):
            line(row.account).why("review", f"{row.kind} {row.item} review {row.review_on}")


def _unknown_outcomes(connection: Connection, *, line: Callable[[str], WorkLine]) -> None:
    """Take deliveries of which nobody knows whether they went out (R19)."""
    later = outcomes.alias("later")
    known = exists().where(
        and_(
            later.c["reminder"] == outcomes.c["reminder"],
            later.c["channel"] == outcomes.c["channel"],
            later.c["status"] != "unknown",
        )
    )
    for row in connection.execute(select(outcomes).where(outcomes.c["status"] == "unknown", ~known)):
        line(row.account).why("unknown_outcome", f"{row.channel} of {row.reminder}")


# -- what is said of each ----------------------------------------------------------------------------


def _describe(
    connection: Connection, lines: Iterable[WorkLine], *, today: Callable[[str], datetime.date]
) -> None:
    """Add name, responsible, money at risk and days to lines."""
    wanted = {each.account: each for each in lines}
    for row in connection.execute(
        select(customers.c["account"], customers.c["name"], customers.c["responsible"])
    ):
        each = wanted.get(row.account)
        if each is not None:
            each.name, each.responsible = row.name, each.responsible or row.responsible
    overdue: defaultdict[str, dict[str, int]] = defaultdict(dict)
    columns = (items.c["account"], items.c["currency"], items.c["due_on"])
    sums = select(*columns, func.sum(items.c["open_minor"]).label("minor")).where(items.c["open_minor"] > 0)
    for account, currency, due_on, minor in connection.execute(sums.group_by(*columns)):
        each = wanted.get(account)
        if each is not None and due_on < today(account):
            each.days = max(each.days, (today(account) - due_on).days)
            overdue[account][currency] = overdue[account].get(currency, 0) + int(minor)
    for account, money in overdue.items():
        wanted[account].at_risk = sorted(money.items())
    _levels(connection, wanted)


def _levels(connection: Connection, wanted: dict[str, WorkLine]) -> None:
    """Add the step of the last reminder to lines."""
    place = func.row_number().over(
        partition_by=reminders.c["account"], order_by=(reminders.c["tick"].desc(), reminders.c["reminder"])
    )
    each = select(reminders.c["account"], reminders.c["step"], place.label("place")).subquery("each")
    for account, step in connection.execute(select(each.c.account, each.c.step).where(each.c.place == 1)):
        if account in wanted:
            wanted[account].level = step

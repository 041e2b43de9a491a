"""Statements that wait to be processed (S0-19): every account with something overdue or proposed, and its last reminder.

It lists whom one may act on, not what must be done: that is the worklist.
"""

import datetime
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from zoneinfo import ZoneInfo

from msgspec import Struct, json
from sqlalchemy import ColumnElement, Connection, Table, func, or_, select

from infra.database.queries.proposals import said_of, waiting
from infra.database.tables import accounts, clocks, companies, customers, holds, items, reminders
from schemas.facts import ReminderProposed

__all__ = ["Statement", "recently_contacted", "statements", "walk_statements"]

_GAP_DAYS = 3  # R5, where a company says nothing else
_DAY = datetime.timedelta(days=1)
_BEFORE = datetime.date.min + 10_000 * _DAY  # no clock was seen yet
_AT_ONCE = 500  # accounts named in one query
_Among = Sequence[str] | None


class Statement(Struct, kw_only=True):
    """One account.

    Attributes:
        at_risk: (currency, minor units) of what is overdue; ``days`` how late the worst of it is.
        next_on: the date set by hand (R20).
        last_step, last_on: of the last reminder that it got; ``contacted_on``: of the last contact of any kind.
        too_soon_until: the day on which the minimum gap ends; None: it has ended (S0-16).
        proposal: what waits for a person; None: nothing does. ``edits`` counts how often people changed it
            (None: not looked up).
        today: its company's day of the newest tick.
    """

    account: str
    company: str
    today: datetime.date
    name: str = ""
    responsible: str = ""
    mode: str = "automatic"
    trust: str = "normal"
    at_risk: list[tuple[str, int]] = []
    days: int = 0
    next_on: datetime.date | None = None
    last_step: str = ""
    last_on: datetime.date | None = None
    contacted_on: datetime.date | None = None
    too_soon_until: datetime.date | None = None
    proposal: ReminderProposed | None = None
    edits: int | None = None

    @property
    def channels(self) -> tuple[str, ...]:
        """Give what its proposal would go by."""
        deliveries = () if self.proposal is None else self.proposal.content.deliveries
        return tuple(dict.fromkeys(each.channel for each in deliveries))


class _Company(Struct, frozen=True, kw_only=True):
    zone: ZoneInfo
    today: datetime.date
    gap_days: int


def statements(
    connection: Connection, *, company: str = "", named: Collection[str] | None = None
) -> list[Statement]:
    """List them, whose last reminder is the oldest first: those that never got one before all.

    With accounts ``named`` only these, whatever is overdue or not, in the order of their names.
    """
    if named is not None:
        return list(walk_statements(connection, named=named))
    known = _companies(connection)
    chosen = [
        each
        for each in _listed(connection, known, company=company, among=None).values()
        if each.at_risk or each.proposal is not None
    ]
    return sorted(chosen, key=lambda each: (each.last_on or datetime.date.min, -each.days, each.account))


def walk_statements(connection: Connection, *, named: Collection[str]) -> Iterator[Statement]:
    """Give the statements of accounts in the order of their names; so many at a time are read, and none is kept."""
    known = _companies(connection)
    names = sorted(set(named))
    for start in range(0, len(names), _AT_ONCE):
        found = _listed(connection, known, company="", among=names[start : start + _AT_ONCE])
        _edits(connection, found)
        yield from found.values()


def recently_contacted(connection: Connection, *, among: Sequence[str]) -> set[str]:
    """Name those of some accounts whose minimum gap has not ended (R5); no more is read of them."""
    known = _companies(connection)
    begun = {name: of.today - of.gap_days * _DAY for name, of in known.items() if of.today > _BEFORE}
    if not begun:
        return set()
    last = accounts.c["last_contact_on"]
    query = select(accounts.c["account"], accounts.c["company"], last).where(
        last > min(begun.values()), accounts.c["account"].in_(among)
    )
    return {
        account
        for account, company, on in connection.execute(query)
        if on > begun.get(company, begun.get("", datetime.date.max))
    }


def _listed(
    connection: Connection, known: dict[str, _Company], *, company: str, among: _Among
) -> dict[str, Statement]:
    found = _accounts(connection, known, company=company, among=among)
    for proposal in waiting(connection, company=company, among=among):
        if proposal.account in found:
            found[proposal.account].proposal = proposal
    _overdue(connection, found, among=among)
    _last_reminders(connection, found, known, among=among)
    by_hand = select(holds.c["account"], holds.c["until_on"]).where(holds.c["by_hand"], *_in(holds, among))
    for account, until_on in connection.execute(by_hand):
        if account in found:
            found[account].next_on = until_on
    return found


def _edits(connection: Connection, found: dict[str, Statement]) -> None:
    proposals = [
        (each.account, each.proposal.reminder) for each in found.values() if each.proposal is not None
    ]
    said = said_of(connection, reminders=proposals)
    for each in found.values():
        if each.proposal is not None and each.proposal.reminder in said:
            each.edits = said[each.proposal.reminder].edits


def _in(table: Table, among: _Among) -> list[ColumnElement[bool]]:
    return [] if among is None else [table.c["account"].in_(among)]


def _companies(connection: Connection) -> dict[str, _Company]:
    at = connection.execute(select(func.min(clocks.c["at"]))).scalar_one()
    found = {"": _company(at, zone="UTC", gap_days=_GAP_DAYS)}
    for row in connection.execute(select(companies)):
        profile = json.decode(row.profile_json) or {}
        gap_days = profile.get("min_days_between_contacts", _GAP_DAYS)
        found[str(row.company)] = _company(at, zone=row.time_zone, gap_days=gap_days)
    return found


def _company(at: datetime.datetime | None, *, zone: str, gap_days: int) -> _Company:
    local = ZoneInfo(zone)
    today = datetime.date.min if at is None else at.astimezone(local).date()
    return _Company(zone=local, today=today, gap_days=gap_days)


def _accounts(
    connection: Connection, known: dict[str, _Company], *, company: str, among: _Among
) -> dict[str, Statement]:
    concerned = or_(accounts.c["episode_opened_on"].is_not(None), accounts.c["proposal"] != "")
    conditions = [concerned] if among is None else _in(accounts, among)
    query = (
        select(accounts, customers.c["name"], customers.c["responsible"])
        .outerjoin(customers, customers.c["account"] == accounts.c["account"])
        .where(*conditions, *([accounts.c["company"] == company] if company else []))
        .order_by(accounts.c["account"])
    )
    found = {}
    for row in connection.execute(query):
        of = known.get(row.company, known[""])
        until = None if row.last_contact_on is None else row.last_contact_on + of.gap_days * _DAY
        found[str(row.account)] = Statement(
            account=row.account,
            company=row.company,
            today=of.today,
            name=row.name or "",
            responsible=row.responsible or "",
            mode=row.mode,
            trust=row.trust,
            contacted_on=row.last_contact_on,
            too_soon_until=until if until is not None and of.today < until else None,
        )
    return found


def _overdue(connection: Connection, found: dict[str, Statement], *, among: _Among) -> None:
    columns = (items.c["account"], items.c["currency"], items.c["due_on"])
    sums = select(*columns, func.sum(items.c["open_minor"])).where(
        items.c["open_minor"] > 0, *_in(items, among)
    )
    money: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for account, currency, due_on, minor in connection.execute(sums.group_by(*columns)):
        each = found.get(account)
        if each is not None and due_on < each.today:
            each.days = max(each.days, (each.today - due_on).days)
            money[account][currency] += int(minor)
    for account, owed in money.items():
        found[account].at_risk = sorted(owed.items())


def _last_reminders(
    connection: Connection, found: dict[str, Statement], known: dict[str, _Company], *, among: _Among
) -> None:
    newest = (
        select(reminders.c["account"], func.max(reminders.c["tick"]).label("tick"))
        .where(*_in(reminders, among))
        .group_by(reminders.c["account"])
        .subquery("newest")
    )
    query = select(reminders.c["account"], reminders.c["step"], reminders.c["tick"]).join(
        newest, (newest.c["account"] == reminders.c["account"]) & (newest.c["tick"] == reminders.c["tick"])
    )
    for account, step, tick in connection.execute(query):
        each = found.get(account)
        if each is not None:
            zone = known.get(each.company, known[""]).zone
            each.last_step, each.last_on = step, tick.astimezone(zone).date()

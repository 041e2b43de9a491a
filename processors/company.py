"""A company as the core knows it: its profile, its plans by version, its days.

Fed by broadcast commands, so each partition has its own. It refuses nothing:
what cannot be evaluated was refused before the journal (``validation``).
"""

import datetime
import hashlib
import zoneinfo
from collections.abc import Iterable
from typing import Any

import msgspec

from processors.banks import BankEvent, Banks
from processors.calendar import epoch_s, instant_of, local_day, told_at, zone_of
from processors.law.book import LawBook, law_of
from processors.law.permits import Openings
from processors.stationery import letterhead
from schemas.commands import CompanyCommand, ConfigureCompany, GoLive, MigratePlan, PublishPlan, SetLaw
from schemas.law import DebtorKind, LawTerms
from schemas.plans import Plan
from schemas.rows import (
    BankAlertRow,
    BankLineRow,
    BankRow,
    CompanyRow,
    CustomerRow,
    GateOverrideRow,
    ItemRow,
    PlanRow,
    Row,
)

__all__ = ["Company", "said_at"]

_Command = PublishPlan | MigratePlan | ConfigureCompany | SetLaw | GoLive
_PLAN_PREFIX = "plan "
_PLAN_KEY = _PLAN_PREFIX + "{}/{}"
_COMMANDS_MAX = 1000  # of the natural keys that are kept; versions of plans are all kept


class Company:
    """One creditor.

    Attributes:
        banks: how far they are reconciled, and what nobody has matched.
        law: which law holds for a debtor on a day.
        row: the profile's row; ``row.version`` counts changes of profile, law and plans.
        plans: plan id -> version -> plan.
        profile: as published, else a default: named by its id, UTC, without plans.
        zone: of the profile.
        first_looks: due date -> when a tick must look first at an invoice on the company's own plan
            (``ladder.next_look``); forgotten with each change.
        step_days: the days of an item's step by all that they depend on (``ladder.current_rung``); likewise.
        terms: the law of contact by (who is reached, day), with what was found by it (``law.register``); likewise.
        letterhead: what the profile puts on each message.
        retention: how long what is settled is remembered (SEMANTICS 2.2).
    """

    __slots__ = (
        "_day",
        "_opening_s",
        "banks",
        "first_looks",
        "law",
        "letterhead",
        "plans",
        "profile",
        "retention",
        "row",
        "step_days",
        "terms",
        "zone",
    )

    law: LawBook
    profile: ConfigureCompany
    zone: zoneinfo.ZoneInfo
    retention: datetime.timedelta
    _day: tuple[datetime.datetime | None, datetime.date]

    def __init__(self, company: str) -> None:
        self.row = CompanyRow(company=company)
        self.plans: dict[str, dict[int, Plan]] = {}
        self.banks = Banks()
        self._refresh()

    @property
    def id(self) -> str:
        """The creditor's id."""
        return self.row.company

    @property
    def version(self) -> int:
        """How often profile or plans have changed."""
        return self.row.version

    @classmethod
    def restore(cls, company: str, *, rows: Iterable[Row]) -> "Company":
        """Build the company from its rows, in any order."""
        self = cls(company)
        for row in rows:
            match row:
                case CompanyRow():
                    self.row = row
                case PlanRow():
                    self.plans.setdefault(row.plan.id, {})[row.plan.version] = row.plan
                case BankRow() | BankAlertRow() | BankLineRow() | GateOverrideRow():
                    self.banks.place(row)
                case _:
                    raise TypeError(f"a {type(row).__name__} is no row of a company")
        self._refresh()
        return self

    def apply(self, event: CompanyCommand) -> list[Row]:
        """Take a command in, and give the rows to write: none when it says nothing new.

        A command id counts once, and so does a version of a plan: what came
        first stands (SEMANTICS 2.2; ``conflicts`` tells that it differs).
        """
        if isinstance(event, BankEvent):
            return [*self.banks.apply(event, profile=self.profile)]
        key = _key(event)
        if key in self.row.commands:
            return []
        self.row.commands[key] = _digest(event)
        self._forget_oldest()
        rows: list[Row] = [self.row]
        if isinstance(event, PublishPlan):
            self.plans.setdefault(event.plan.id, {})[event.plan.version] = event.plan
            rows.append(PlanRow(company=self.id, plan=event.plan))
        elif isinstance(event, MigratePlan):
            known = self.row.migrations.get(event.plan, 0)
            self.row.migrations[event.plan] = max(known, event.to_version)
        elif isinstance(event, SetLaw):
            if not _is_overtaken(event, known=self.row.law):
                self.row.law = event
        elif isinstance(event, GoLive):
            if not _is_overtaken(event, known=self.row.go_live):
                self.row.go_live = event
        elif not _is_overtaken(event, known=self.row.profile):
            self.row.profile = event
        self.row.version += 1
        self._refresh()
        return rows

    def _forget_oldest(self) -> None:
        """Keep the row within a record: of the oldest profiles, the time they were made at keeps them from coming back."""
        commands = self.row.commands
        if len(commands) > _COMMANDS_MAX:
            oldest = next((key for key in commands if not key.startswith(_PLAN_PREFIX)), None)
            if oldest is not None:
                del commands[oldest]

    def conflicts(self, event: CompanyCommand) -> bool:
        """Say whether the event's natural key is known with other content."""
        if isinstance(event, BankEvent):
            return self.banks.conflicts(event)
        return self.row.commands.get(_key(event), digest := _digest(event)) != digest

    def plan(self, plan: str, *, version: int) -> Plan | None:
        """Give one published version of a plan."""
        return self.plans.get(plan, {}).get(version)

    def resolve_plan(self, item: ItemRow, customer: CustomerRow | None) -> Plan | None:
        """Give the plan of an item: invoice > customer > group > company (R17).

        An item keeps the version that it was pinned to at its first consumed
        step, unless that was migrated, or its invoice was given another plan since. None: the plan
        that applies was never published.
        """
        if item.plan and item.chosen_plan in ("", item.plan):
            return self._pinned(item)
        versions = self.plans.get(self.plan_name(item, customer))
        return versions[max(versions)] if versions else None

    def _pinned(self, item: ItemRow) -> Plan | None:
        """Give the version that an item began on, or the one that it was migrated to."""
        versions = self.plans.get(item.plan, {})
        migrated = versions.get(self.row.migrations.get(item.plan, 0))
        if migrated is not None and migrated.version > item.plan_version:
            return migrated
        return versions.get(item.plan_version)

    def plan_name(self, item: ItemRow, customer: CustomerRow | None) -> str:
        """Name the plan that an item is pointed at, published or not (R17)."""
        if item.chosen_plan or item.plan:
            return item.chosen_plan or item.plan
        if customer is not None:
            group = customer.customer.group
            chosen = customer.customer.plan or self.profile.group_plans.get(group, "")
            if chosen:
                return chosen
        return self.profile.plan

    def day_of(self, at: datetime.datetime) -> datetime.date:
        """Give the company's day at an instant; the same instant is asked for by many events."""
        known_at, day = self._day
        if known_at is not at:
            day = local_day(at, self.zone)
            self._day = (at, day)
        return day

    def decides_from_s(self, day: datetime.date) -> int:
        """Give the instant, in epoch seconds, from which the day's decisions are taken."""
        opening_s = self._opening_s.get(day)
        if opening_s is None:
            at = instant_of(day, hour=self.profile.decision_hour, zone=self.zone)
            opening_s = self._opening_s[day] = epoch_s(at)
        return opening_s

    def _refresh(self) -> None:
        self.profile = self.row.profile or _default_profile(self.row.company)
        self.law = law_of(self.row.law)
        self.zone = zone_of(self.profile.time_zone)
        self._opening_s: dict[datetime.date, int] = {}
        self.first_looks: dict[datetime.date, datetime.date] = {}
        self.step_days: dict[tuple[object, ...], Any] = {}
        self.terms: dict[tuple[tuple[str, DebtorKind, str], datetime.date], tuple[LawTerms, Openings]] = {}
        self.letterhead = letterhead(self.profile)
        self._day = (None, datetime.date.min)
        self.retention = datetime.timedelta(days=self.profile.retention_days)


def _is_overtaken(event: _Command, *, known: _Command | None) -> bool:
    """The latest (instant, command) wins, so that all partitions agree in whatever order it came."""
    return known is not None and (said_at(event), event.command) < (said_at(known), known.command)


def said_at(event: CompanyCommand) -> datetime.datetime:
    """Give the instant of a company's command, by which the latest stands.

    A day without a time begins in the profile's own zone, else in UTC: it depends on the command alone,
    since a partition may hear it before the profile that says which zone the company is in.
    """
    zone = event.time_zone if isinstance(event, ConfigureCompany) else "UTC"
    return told_at(event.occurred_at, zone_of(zone))


def _default_profile(company: str) -> ConfigureCompany:
    return ConfigureCompany(
        company=company,
        occurred_at="1970-01-01",
        command="default",
        name=company,
        time_zone="UTC",
        currency="XXX",  # ISO 4217: no currency
    )


def _key(event: _Command) -> str:
    if isinstance(event, PublishPlan):
        return _PLAN_KEY.format(event.plan.id, event.plan.version)
    return event.command


def _digest(event: _Command) -> str:
    """Sum up what counts of a command: not its id, time and author."""
    plain = msgspec.structs.replace(event, command="-", occurred_at="1970-01-01", author="")
    return hashlib.blake2s(msgspec.json.encode(plain), digest_size=12).hexdigest()

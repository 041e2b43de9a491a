"""What a partition says of broadcast records: plans and profiles that contradict, ticks that may not be."""

import datetime
import hashlib
from collections.abc import Iterator

from msgspec import Raw, json

from processors.calendar import business_day_before, instant_of_ms, local_hour
from processors.company import Company
from schemas.bank import BankLineMatched, BankLineUnmatched, BankReconciled
from schemas.commands import (
    CompanyCommand,
    ConfigureCompany,
    GoLive,
    MigratePlan,
    OverrideBankGate,
    PublishPlan,
    SetLaw,
)
from schemas.facts import ExceptionRaised, LedgerFact
from schemas.journal import TickPassed
from schemas.rows import (
    BankAlertRow,
    BankLineRow,
    BankRow,
    ClockRow,
    CompanyRow,
    GateOverrideRow,
    PlanRow,
    Row,
    RowKey,
)

__all__ = ["bank_alerts", "company_key", "conflict", "said_of", "tick_refused", "why_refused"]

_TICK_AHEAD_MAX = datetime.timedelta(minutes=5)  # DESIGN 1: a live tick further ahead is refused


def conflict(event: CompanyCommand, *, company: Company) -> ExceptionRaised:
    """Say that a plan's version or a command came again with other content; every partition says the same."""
    second = json.encode(event)
    stands, key, name = _standing(event, company=company)
    return ExceptionRaised(
        id=f"conflict/{event.company}/{name}/{hashlib.blake2s(second, digest_size=8).hexdigest()}",
        account=f"{event.company}:*",
        reason="conflict",
        key=key,
        detail="what was published first stands",
        first=Raw(json.encode(stands)),
        second=Raw(second),
    )


def _standing(event: CompanyCommand, *, company: Company) -> tuple[object, str, str]:
    """Give what stands against an event, its natural key, and how the conflict is named."""
    match event:
        case BankLineUnmatched() | BankLineMatched():
            return company.banks.line(event.line), f"bank_line/{event.line}", event.line
        case BankReconciled():
            return None, f"bank/{event.bank_account}", event.bank_account
        case OverrideBankGate():
            return company.banks.override(event.on), f"bank_gate/{event.on}", event.command
        case PublishPlan():
            plan = company.plan(event.plan.id, version=event.plan.version)
            return plan or company.profile, f"plan/{event.plan.id}/{event.plan.version}", event.command
        case MigratePlan() | SetLaw() | GoLive() | ConfigureCompany():
            return _kept(event, company=company), event.command, event.command


def _kept(event: MigratePlan | SetLaw | GoLive | ConfigureCompany, *, company: Company) -> object:
    match event:
        case MigratePlan():
            return company.row.migrations.get(event.plan)
        case SetLaw():
            return company.row.law
        case GoLive():
            return company.row.go_live
        case ConfigureCompany():
            return company.profile


def bank_alerts(company: Company, *, at: datetime.datetime) -> Iterator[tuple[ExceptionRaised, BankAlertRow]]:
    """Say once a day of each bank account that it keeps reminders waiting (R21), from the company's hour on.

    The row remembers it; the fact's id is the same in every partition.
    """
    profile, day = company.profile, company.day_of(at)
    if not profile.bank_accounts:
        return
    if local_hour(at, company.zone) < profile.bank_alert_hour or company.banks.override(day) is not None:
        return
    for name, through in company.banks.stale(profile, day=day).items():
        known = company.banks.alerted.get(name)
        if known is not None and known.on == day:
            continue
        row = BankAlertRow(company=company.id, bank_account=name, on=day)
        company.banks.place(row)
        said = "nothing was ever said of it" if through is None else f"it is reconciled through {through}"
        needed_on = business_day_before(day, country=profile.country)
        yield (
            ExceptionRaised(
                id=f"bank_gate/{company.id}/{name}/{day}",
                account=f"{company.id}:*",
                reason="bank_gate",
                key=f"bank/{name}",
                detail=f"reminders of {day} wait for bank account {name} through {needed_on}: {said}",
            ),
            row,
        )


def said_of(event: CompanyCommand, *, company: Company) -> list[LedgerFact]:
    """Say what people must know of a command that was taken in; most need nothing said."""
    match event:
        case OverrideBankGate():
            return [_override_said(event)]
        case MigratePlan() if event.to_version < company.row.migrations[event.plan]:
            return [_no_way_back(event, version=company.row.migrations[event.plan])]
        case _:
            return []


def _no_way_back(event: MigratePlan, *, version: int) -> ExceptionRaised:
    """Say that a migration to an older version changes nothing (R17), and what does."""
    return ExceptionRaised(
        id=f"migrate/{event.company}/{event.command}",
        account=f"{event.company}:*",
        reason="request_refused",
        key=f"plan/{event.plan}/{event.to_version}",
        detail=f"plan {event.plan} has gone on to version {version}: publish what version {event.to_version} says"
        " under a new number, and migrate to that",
    )


def _override_said(event: OverrideBankGate) -> ExceptionRaised:
    """Say that a person has let reminders go out without the bank (R21)."""
    return ExceptionRaised(
        id=f"bank_gate/{event.company}/override/{event.on}",
        account=f"{event.company}:*",
        reason="bank_gate_overridden",
        key=f"bank_gate/{event.on}",
        detail=f"{event.author or 'someone'}: {event.reason}",
    )


def why_refused(tick: TickPassed, *, appended_ms: int, clock: ClockRow | None) -> str:
    """Say why a tick may not be in a journal whose clock is ``clock``; empty: it may."""
    if clock is not None and clock.mode != tick.mode:
        return f"the journal is {clock.mode}, the tick is {tick.mode}"
    appended = instant_of_ms(appended_ms)
    if tick.mode == "live" and tick.at - appended > _TICK_AHEAD_MAX:
        return f"a live tick at {tick.at.isoformat()} was appended at {appended.isoformat()}"
    return ""


def tick_refused(tick: TickPassed, *, partition: int, offset: int, detail: str) -> ExceptionRaised:
    """Say that a tick may not be."""
    return ExceptionRaised(
        id=f"tick/{partition}/{offset}",
        account="*",
        reason="tick_refused",
        key=f"tick/{tick.at.isoformat()}",
        detail=detail,
    )


def company_key(row: Row) -> RowKey:
    """Give the key under which a row of a company is kept."""
    match row:
        case CompanyRow():
            return RowKey("company", row.company, "")
        case PlanRow():
            return RowKey("plan", row.company, f"{row.plan.id}/{row.plan.version}")
        case BankRow():
            return RowKey("bank", row.company, row.bank_account)
        case BankAlertRow():
            return RowKey("bank_alert", row.company, row.bank_account)
        case BankLineRow():
            return RowKey("bank_line", row.company, row.id)
        case GateOverrideRow():
            return RowKey("gate_override", row.company, row.override.on.isoformat())
        case _:
            raise TypeError(f"a {type(row).__name__} is no row of a company")

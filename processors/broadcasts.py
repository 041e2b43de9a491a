"""What a partition says of broadcast records: plans and profiles that contradict, ticks that may not be."""

import hashlib

from msgspec import Raw, json

from processors.company import Company
from schemas.commands import CompanyCommand, PublishPlan, SetLaw
from schemas.facts import ExceptionRaised
from schemas.journal import TickPassed
from schemas.rows import CompanyRow, PlanRow, Row, RowKey

__all__ = ["company_key", "conflict", "tick_refused"]


def conflict(event: CompanyCommand, *, company: Company) -> ExceptionRaised:
    """Say that a plan's version or a command came again with other content; every partition says the same."""
    second = json.encode(event)
    plan = company.plan(event.plan.id, version=event.plan.version) if isinstance(event, PublishPlan) else None
    stands = company.row.law if isinstance(event, SetLaw) else plan or company.profile
    return ExceptionRaised(
        id=f"conflict/{event.company}/{event.command}/{hashlib.blake2s(second, digest_size=8).hexdigest()}",
        account=f"{event.company}:*",
        reason="conflict",
        key=f"plan/{event.plan.id}/{event.plan.version}" if isinstance(event, PublishPlan) else event.command,
        detail="what was published first stands",
        first=Raw(json.encode(stands)),
        second=Raw(second),
    )


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
        case _:
            raise TypeError(f"a {type(row).__name__} is no row of a company")

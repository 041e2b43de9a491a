"""Companies as they are configured: which there are, the profile that stands, the versions of their plans."""

from msgspec import Struct, json
from sqlalchemy import Connection, select

from infra.database.tables import companies, live_rows, plans
from schemas.plans import Plan
from schemas.rows import CompanyRow, decode_row

__all__ = ["Creditor", "PlanVersion", "company_row", "creditors", "plan_versions", "published_plan"]

_plan = json.Decoder(Plan)


class Creditor(Struct, frozen=True, kw_only=True):
    """A company that something was said of; ``name`` '' where it has no profile."""

    company: str
    name: str


class PlanVersion(Struct, frozen=True, kw_only=True):
    """A published version of a plan."""

    plan: str
    version: int
    name: str


def creditors(connection: Connection) -> list[Creditor]:
    """List the companies by id."""
    query = select(companies.c["company"], companies.c["name"]).order_by(companies.c["company"])
    return [Creditor(company=row.company, name=row.name) for row in connection.execute(query)]


def company_row(connection: Connection, company: str) -> CompanyRow | None:
    """Give a company's row as the ledger keeps it, with the commands that it has taken; None: it has none."""
    query = select(live_rows.c["row_json"]).where(
        live_rows.c["owner"] == company, live_rows.c["kind"] == "company", live_rows.c["name"] == ""
    )
    kept = connection.execute(query).scalar()
    if kept is None:
        return None
    row = decode_row(kept.encode())
    if not isinstance(row, CompanyRow):
        raise TypeError(f"the row of company {company} says that it is a {type(row).__name__}")
    return row


def plan_versions(connection: Connection, company: str) -> list[PlanVersion]:
    """List the published versions of a company's plans, by plan, the newest first."""
    query = (
        select(plans.c["plan"], plans.c["version"], plans.c["name"])
        .where(plans.c["company"] == company)
        .order_by(plans.c["plan"], plans.c["version"].desc())
    )
    return [
        PlanVersion(plan=row.plan, version=row.version, name=row.name) for row in connection.execute(query)
    ]


def published_plan(
    connection: Connection, *, company: str, plan: str, version: int | None = None
) -> Plan | None:
    """Give a version of a plan, the newest without one; None: it was never published."""
    query = select(plans.c["plan_json"]).where(plans.c["company"] == company, plans.c["plan"] == plan)
    if version is not None:
        query = query.where(plans.c["version"] == version)
    found = connection.execute(query.order_by(plans.c["version"].desc()).limit(1)).scalar()
    return None if found is None else _plan.decode(found)

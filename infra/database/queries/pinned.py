"""Items that have begun on a version of a plan, as the ladder wants them, and their company (R17)."""

from collections.abc import Iterator
from typing import Final

from msgspec import json
from sqlalchemy import Connection, select, text

from infra.database.queries.creditors import company_row
from infra.database.tables import IS_BEGUN, companies, items, plans
from processors.company import Company
from schemas.commands import ConfigureCompany, PublishPlan
from schemas.events import InvoiceIssued
from schemas.plans import Plan
from schemas.rows import ItemRow

__all__ = ["company_with_plans", "pinned_items", "profile_of"]

_ROWS_AT_ONCE: Final = 500


def profile_of(connection: Connection, *, company: str) -> ConfigureCompany | None:
    """Give the profile that a company was configured with; None: it never was."""
    profile = connection.execute(
        select(companies.c["profile_json"]).where(companies.c["company"] == company)
    ).scalar()
    return json.decode(profile, type=ConfigureCompany | None) if profile else None


def company_with_plans(connection: Connection, *, company: str) -> Company:
    """Build a company from the read model: its profile, all versions of its plans, and to which its items were moved."""
    made = Company(company)
    known = profile_of(connection, company=company)
    if known is not None:
        made.apply(known)
    for said in connection.execute(
        select(plans.c["plan_json"]).where(plans.c["company"] == company)
    ).scalars():
        plan = json.decode(said, type=Plan)
        command = f"{plan.id}/{plan.version}"
        made.apply(PublishPlan(company=company, occurred_at="1970-01-01", command=command, plan=plan))
    row = company_row(connection, company)
    if row is not None:
        made.row.migrations.update(row.migrations)
    return made


def pinned_items(connection: Connection, *, company: str, plan: str, below_version: int) -> Iterator[ItemRow]:
    """Walk the open items that have begun on a version of a plan below this one, by version, account and item.

    What the read model does not have is left at its default: the shift of a level that went out late.
    """
    query = (
        select(items)
        # In the words of the index: SQLite does not look into values to find that it would do.
        .where(items.c["company"] == company, items.c["plan"] == plan, text(IS_BEGUN))
        .where(items.c["plan_version"] < below_version)
        .order_by(items.c["plan_version"], items.c["account"], items.c["item"])
    )
    for row in connection.execute(query.execution_options(yield_per=_ROWS_AT_ONCE)):
        yield ItemRow(
            account=row.account,
            item=row.item,
            document=InvoiceIssued(
                company=company,
                customer=row.account.partition(":")[2],
                occurred_at=row.issued_on.isoformat(),
                document=row.item,
                currency=row.currency,
                amount="0",
            ),
            currency=row.currency,
            amount_minor=row.amount_minor,
            open_minor=row.open_minor,
            issued_on=row.issued_on,
            due_on=row.due_on,
            plan=row.plan,
            plan_version=row.plan_version,
            step=row.step,
            sent_on=row.sent_level_on,
            sent_level_on=row.sent_level_on,
            pay_by_on=row.pay_by_on,
            plan_finished=row.plan_finished,
        )

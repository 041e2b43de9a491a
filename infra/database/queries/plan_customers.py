"""Whom a reminder plan is for (R17), as the read model knows the customers of a company."""

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from infra.database.queries.pinned import profile_of
from infra.database.tables import customers

__all__ = ["is_for_consumers"]


def is_for_consumers(connection: Connection, *, company: str, plan: str) -> bool:
    """Say whether a plan has customers, and none of them is said to be a business (unknown counts as consumer, section 5).

    Invoices that name a plan themselves are not looked at.
    """
    profile = profile_of(connection, company=company)
    of_groups = {} if profile is None else profile.group_plans
    own, group = customers.c["plan"], customers.c["customer_group"]
    by_group: ColumnElement[bool] = group.in_([each for each, named in of_groups.items() if named == plan])
    if profile is not None and profile.plan == plan:
        by_group = or_(by_group, group.not_in(list(of_groups)))
    is_theirs = or_(own == plan, and_(own == "", by_group))
    of = select(func.count()).select_from(customers).where(customers.c["company"] == company, is_theirs)
    if not connection.execute(of).scalar_one():
        return False
    return not connection.execute(of.where(customers.c["kind"] == "business")).scalar_one()

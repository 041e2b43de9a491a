"""What time it is for a request: the wall clock's with a live journal, the newest tick's with a played one."""

import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from infra.database.tables import clocks, companies

__all__ = ["business_now", "company_day", "company_zone"]


def business_now(connection: Connection, *, wall: datetime.datetime) -> datetime.datetime:
    """Give the instant that a request is made at; ``wall`` before the first tick."""
    query = select(func.max(clocks.c["at"]), func.max(clocks.c["mode"]))
    at, mode = connection.execute(query).one()
    return at if at is not None and mode == "played" else wall


def company_day(connection: Connection, company: str, *, wall: datetime.datetime) -> datetime.date:
    """Give the day that it is at a company; UTC's where it has no profile."""
    return business_now(connection, wall=wall).astimezone(company_zone(connection, company)).date()


def company_zone(connection: Connection, company: str) -> ZoneInfo:
    """Give a company's time zone; UTC where it has no profile."""
    zone = connection.execute(
        select(companies.c["time_zone"]).where(companies.c["company"] == company)
    ).scalar()
    return ZoneInfo(zone or "UTC")

"""Whom a report of one customer is about: by the account, or chosen among those whose name has what was typed (S1-23)."""

from typing import Final
from urllib.parse import urlencode

from sqlalchemy import Connection, select

from console.web.inside.asking import WrongRequestError
from console.web.inside.pages.reports.asked import as_query
from console.web.inside.reporting.asking import ReportAsked
from console.web.inside.reporting.catalogue import REPORTS
from console.web.inside.showing import words_of
from infra.database.queries.customer_register import Search, customer_page
from infra.database.tables import accounts, customers

__all__ = ["candidates", "require_customer", "whose"]

_OFFERED_MAX: Final = 20


def whose(connection: Connection, asked: ReportAsked) -> str | None:
    """Give the name of the customer whose account is asked for; None: there is none, or it may not be seen."""
    account = asked.filters.account
    if not account or not asked.sees(account.partition(":")[0]):
        return None
    query = (
        select(accounts.c["customer"], customers.c["name"])
        .select_from(accounts.outerjoin(customers, customers.c["account"] == accounts.c["account"]))
        .where(accounts.c["account"] == account)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else row.name or row.customer


def require_customer(connection: Connection, report: str, asked: ReportAsked) -> None:
    """Refuse a report of one customer that says of none.

    Raises:
        WrongRequestError: there is no such account, or it may not be seen.
    """
    if REPORTS[report].needs_account and whose(connection, asked) is None:
        text = str(words_of(asked.person.language)["mail_faults"]["account"])
        raise WrongRequestError([text], fields=[""])


def candidates(connection: Connection, report: str, asked: ReportAsked) -> list[tuple[str, str, str]]:
    """Give (name, account, path of the report) of customers by what was typed for the account; nothing typed: none."""
    person, text = asked.person, asked.filters.account
    if not text:
        return []
    # Who does not see tax ids does not find out about them by guessing either.
    search = Search(text=text, by_tax_id=person.may("collector"), companies=person.companies)
    found = customer_page(connection, search=search, today=asked.on, offset=0, limit=_OFFERED_MAX)
    return [(each.name, each.account, _path(report, asked, account=each.account)) for each in found]


def _path(report: str, asked: ReportAsked, *, account: str) -> str:
    kept = [pair for pair in as_query(asked.filters, on=asked.on.isoformat()) if pair[0] != "account"]
    return f"/reports/{report}?{urlencode([('account', account), *kept])}"

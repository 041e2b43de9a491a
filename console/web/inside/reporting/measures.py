"""What went out and how well money comes in: the sent messages, and the figures of the executive page (S0-27 … S0-29, S4-22)."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection

from console.web.inside.masking import masked
from console.web.inside.reporting.asking import ReportAsked
from console.web.inside.reporting.leading import to_customer
from console.web.inside.reporting.sheets import Column, Money, Row
from infra.database.queries.figures import figures
from infra.database.queries.sendings import Asked, sent_newest

__all__ = ["FIGURE_COLUMNS", "SENT_COLUMNS", "figure_lines", "sent_lines"]

_DAYS: Final = ("dso", "best_dso", "days_delinquent")
_SHARES: Final = ("effectiveness", "paid_late", "promises_kept")


FIGURE_COLUMNS: Final = (
    Column(name="company"),
    *(Column(name=name, kind="money") for name in ("receivables", "not_due", "sales")),
    *(Column(name=name, kind="number") for name in _DAYS),
    *(Column(name=name, kind="share") for name in _SHARES),
    *(Column(name=name, kind="count") for name in ("paid_items", "promises")),
)


def figure_lines(connection: Connection, asked: ReportAsked, after: str) -> Iterator[Row]:  # noqa: ARG001 - there is one page
    """Give DSO, best possible DSO, average days delinquent, effectiveness, paid late and promises kept."""
    found = figures(
        connection, as_of=asked.on, days=asked.filters.days, company=asked.filters.company or None
    )
    for each in found:
        if asked.sees(each.company) and asked.filters.currency in ("", each.currency):
            yield Row(
                cells={
                    "company": each.company,
                    "receivables": Money(minor=each.receivables_minor, currency=each.currency),
                    "not_due": Money(minor=each.not_due_minor, currency=each.currency),
                    "sales": Money(minor=each.sales_minor, currency=each.currency),
                    **{name: getattr(each, name) for name in (*_DAYS, *_SHARES)},
                    "paid_items": each.paid_items,
                    "promises": each.promises,
                }
            )


SENT_COLUMNS: Final = (
    Column(name="on", kind="day"),
    *(Column(name=name) for name in ("account", "customer")),
    Column(name="step", kind="word", words="levels"),
    Column(name="covered"),
    Column(name="channel", kind="word", words="channels"),
    *(Column(name=name) for name in ("recipient", "subject")),
    Column(name="fate", kind="word", words="fates"),
    Column(name="error", kind="word", words="reasons"),
)


def sent_lines(connection: Connection, asked: ReportAsked, after: str) -> Iterator[Row]:
    """Walk what was sent within the window, the newest first: what, about which documents, to whom, and its fate."""
    filters = asked.filters
    wanted = Asked(
        first_on=asked.first_on,
        last_on=asked.on,
        company=filters.company,
        account=filters.account,
        channel=filters.channel,
        fate=filters.fate,
    )
    parts = after.split("\n")
    place = (parts[0], parts[1], parts[2]) if len(parts) == 3 else None
    may_read = asked.person.may("collector")
    for each in sent_newest(connection, asked=wanted, after=place):
        if not asked.sees(each.account.partition(":")[0]):
            continue
        yield Row(
            cells={
                "on": each.day,
                "account": each.account,
                "customer": each.customer,
                "step": each.kind,
                "covered": each.documents,
                "channel": each.channel,
                "recipient": each.recipient if may_read else masked(each.recipient),
                "subject": each.subject,
                "fate": each.fate,
                "error": each.error,
            },
            links={"account": to_customer(each.account)},
            place=f"{each.at}\n{each.reminder}\n{each.channel}",
        )

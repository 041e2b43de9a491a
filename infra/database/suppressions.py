"""The addresses that are not written to, of one company or of all: asked before each sending, kept for ever.

It knows addresses and reasons; who put one here, and what follows for a
customer, others decide. An address is compared as people mean it: a mail
address without regard to case, a phone number by its digits.
"""

import datetime
from collections.abc import Collection, Iterable, Sequence

from msgspec import Struct
from sqlalchemy import Connection, RowMapping, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from infra.database.feedback_tables import suppressions
from infra.database.send_tables import send_jobs
from infra.database.tables import open_tasks
from processors.addressing import ADDRESS_TASK
from schemas.fields import Channel

__all__ = [
    "Mark",
    "Suppression",
    "marks_of",
    "normal_address",
    "release",
    "still_marked",
    "suppress",
    "suppressed",
    "suppressed_among",
    "suppression_lines",
]


class Suppression(Struct, frozen=True, kw_only=True):
    """One address that is not written to, since when, why, and by whose word; ``company`` '': by no company."""

    channel: Channel
    address: str
    company: str
    reason: str
    source: str
    since: datetime.datetime
    detail: str = ""


class Mark(Struct, frozen=True, kw_only=True):
    """An account holds an address for bad (R19) since a day, until its task is done."""

    account: str
    task: str
    opened_on: datetime.date


def normal_address(address: str, *, channel: Channel) -> str:
    """Write an address so that two ways of writing it are one.

    Mail: without regard to case, also of the part before the @, since no server in use tells
    them apart. Phones: digits after a plus. Post: words in one line.
    """
    if channel == "sms":
        digits = "".join(each for each in address if each in "0123456789")
        return f"+{digits}" if digits else ""
    return " ".join(address.split()).casefold()


def suppress(connection: Connection, entry: Suppression) -> bool:
    """Put an address on the list; False: it is there already, and stays as it is."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    row = {name: getattr(entry, name) for name in entry.__struct_fields__}
    row["address"] = normal_address(entry.address, channel=entry.channel)
    if not row["address"]:
        return False
    kept = insert(suppressions).values(row).on_conflict_do_nothing().returning(suppressions.c["address"])
    return connection.execute(kept).first() is not None


def release(
    connection: Connection,
    *,
    channel: Channel,
    address: str,
    company: str | None = None,
    reasons: Sequence[str] = (),
) -> int:
    """Take an address off the list; without a company of all, without reasons for any; return how many entries that were."""
    conditions = [
        suppressions.c["channel"] == channel,
        suppressions.c["address"] == normal_address(address, channel=channel),
    ]
    if company is not None:
        conditions.append(suppressions.c["company"] == company)
    if reasons:
        conditions.append(suppressions.c["reason"].in_(reasons))
    return connection.execute(delete(suppressions).where(*conditions)).rowcount


def still_marked(connection: Connection, *, channel: Channel, address: str) -> list[tuple[str, str]]:
    """Name the open tasks to mend this channel's address, of accounts that were written to at this one.

    The ledger keeps its own mark (R19), which ends with the task; returned as (account, task), by account.
    """
    return [(mark.account, mark.task) for mark in marks_of(connection, channel=channel, address=address)]


def marks_of(connection: Connection, *, channel: Channel, address: str) -> list[Mark]:
    """Give these marks, by account."""
    spelled = {address, normal_address(address, channel=channel)}
    written_to = select(send_jobs.c["account"]).where(
        send_jobs.c["channel"] == channel, send_jobs.c["recipient"].in_(spelled)
    )
    marked = (
        select(open_tasks.c["account"], open_tasks.c["task"], open_tasks.c["opened_on"])
        .where(open_tasks.c["task"] == ADDRESS_TASK + channel, open_tasks.c["account"].in_(written_to))
        .order_by(open_tasks.c["account"])
    )
    return [
        Mark(account=row.account, task=row.task, opened_on=row.opened_on)
        for row in connection.execute(marked)
    ]


def suppressed(connection: Connection, *, channel: Channel, address: str, company: str) -> Suppression | None:
    """Give the entry that keeps a company from writing to an address; None: it may."""
    found = suppressed_among(connection, channel=channel, addresses=[(company, address)])
    return found.get((company, address))


def suppressed_among(
    connection: Connection, *, channel: Channel, addresses: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Suppression]:
    """Give, of pairs of company and address, those that may not be written to, with the entry that says so; one query."""
    wanted = {(company, address): normal_address(address, channel=channel) for company, address in addresses}
    found = connection.execute(
        select(suppressions).where(
            suppressions.c["channel"] == channel,
            suppressions.c["address"].in_(sorted(set(wanted.values()))),
            suppressions.c["company"].in_(["", *sorted({company for company, _ in wanted})]),
        )
    )
    entries = {(each.company, each.address): each for each in _entries(found.mappings())}
    # What holds for all companies goes before what holds for this one.
    return {
        pair: entry
        for pair, normal in wanted.items()
        if (entry := entries.get(("", normal)) or entries.get((pair[0], normal))) is not None
    }


def suppression_lines(
    connection: Connection, *, channel: str = "", company: str = "", lines_max: int
) -> list[Suppression]:
    """List the newest entries, the newest first."""
    wanted = {"channel": channel, "company": company}
    query = (
        select(suppressions)
        .where(*(suppressions.c[name] == value for name, value in wanted.items() if value))
        .order_by(suppressions.c["since"].desc(), suppressions.c["channel"], suppressions.c["address"])
        .limit(lines_max)
    )
    return _entries(connection.execute(query).mappings())


def _entries(rows: Iterable[RowMapping]) -> list[Suppression]:
    return [Suppression(**row) for row in rows]

"""The list of addresses that are not written to, as pages show it: found, by pages, with the accounts that were written to there.

Who sees some companies only sees their entries, and of those for all companies the ones at which a customer of theirs
was written to: another company's customer is not for him to know.
"""

from collections import defaultdict
from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, and_, exists, or_, select

from infra.database.feedback_tables import suppressions
from infra.database.send_tables import send_jobs
from infra.database.suppressions import Suppression

__all__ = ["SuppressionFilter", "accounts_at", "may_see", "suppression_page"]

_ACCOUNTS_MAX = 500  # of all entries of a page together
_HIGHEST = "\U0010ffff"


class SuppressionFilter(Struct, frozen=True, kw_only=True):
    """What is asked for; '' or (): all. ``companies`` may be seen; ``search`` is how an address begins."""

    companies: tuple[str, ...] = ()
    channel: str = ""
    company: str = ""
    search: str = ""


def suppression_page(
    connection: Connection, *, asked: SuppressionFilter, skip: int, lines_max: int
) -> list[Suppression]:
    """List entries, the newest first, without the first ``skip``."""
    conditions = list(_wanted(asked))
    query = (
        select(suppressions)
        .where(*conditions)
        .order_by(suppressions.c["since"].desc(), suppressions.c["channel"], suppressions.c["address"])
        .offset(skip)
        .limit(lines_max)
    )
    return [Suppression(**row) for row in connection.execute(query).mappings()]


def may_see(connection: Connection, *, channel: str, address: str, company: str, seen: Sequence[str]) -> bool:
    """Say whether an entry (its address as it is kept) is on the list, for somebody who sees these companies."""
    query = select(suppressions.c["address"]).where(
        suppressions.c["channel"] == channel,
        suppressions.c["address"] == address,
        suppressions.c["company"] == company,
        *([_visible(seen)] if seen else []),
    )
    return connection.execute(query).first() is not None


def _wanted(asked: SuppressionFilter) -> Sequence[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for name, value in (("channel", asked.channel), ("company", asked.company)):
        if value:
            found.append(suppressions.c[name] == value)
    if asked.search:
        begins = asked.search.casefold()
        found.append(suppressions.c["address"].between(begins, begins + _HIGHEST))
    if asked.companies:
        found.append(_visible(asked.companies))
    return found


def _visible(companies: Sequence[str]) -> ColumnElement[bool]:
    own = exists().where(
        send_jobs.c["channel"] == suppressions.c["channel"],
        send_jobs.c["recipient"] == suppressions.c["address"],
        send_jobs.c["company"].in_(companies),
    )
    return or_(
        suppressions.c["company"].in_(companies),
        and_(suppressions.c["company"] == "", own.correlate(suppressions)),
    )


def accounts_at(
    connection: Connection, entries: Sequence[Suppression], *, seen: Sequence[str] = ()
) -> dict[tuple[str, str], list[str]]:
    """Give the accounts that were written to at the addresses of a page, by (channel, address); of ``seen`` companies."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for channel in sorted({each.channel for each in entries}):
        addresses = sorted({each.address for each in entries if each.channel == channel})
        query = (
            select(send_jobs.c["recipient"], send_jobs.c["account"])
            .where(send_jobs.c["channel"] == channel, send_jobs.c["recipient"].in_(addresses))
            .distinct()
            .order_by(send_jobs.c["recipient"], send_jobs.c["account"])
            .limit(_ACCOUNTS_MAX)
        )
        if seen:
            query = query.where(send_jobs.c["company"].in_(seen))
        for row in connection.execute(query):
            found[channel, row.recipient].append(row.account)
    return dict(found)

"""What went out, day by day, what became of it and what went wrong (S4-20, S4-21, S4-22): reminders and other messages alike.

From the send ledger (what was taken by a provider) and from outcomes (what was said of it later).
A day is the company's of the outcome's own time.
"""

import datetime
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct, json
from sqlalchemy import Connection, Select, and_, case, func, or_, select

from infra.database.send_tables import send_jobs
from infra.database.tables import companies, outcomes
from processors.fates import error_of
from schemas.facts import ReminderDecided
from schemas.fields import split_account_id
from schemas.outcomes import OutcomeReported

__all__ = [
    "Asked",
    "DayError",
    "DaySent",
    "SentLine",
    "SentPlace",
    "errors_per_day",
    "sent_lines",
    "sent_newest",
    "sent_per_day",
]

_DAY: Final = datetime.timedelta(days=1)
_ROWS_AT_ONCE: Final = 100
_CAME_BACK: Final = ("bounced", "returned", "failed")
_ERRORS: Final = (*_CAME_BACK, "complained")
# The worst that was said of a delivery stands (``processors.fates``).
_RANK: Final = {"bounced": 0, "returned": 1, "failed": 2, "complained": 3, "delivered": 4, "accepted": 5}
_decoder = json.Decoder(ReminderDecided)
SentPlace = tuple[str, str, str]  # (occurred_at, reminder, channel)


class Asked(Struct, frozen=True, kw_only=True):
    """What is asked for; empty or None: all. Days are company days."""

    first_on: datetime.date | None = None
    last_on: datetime.date | None = None
    company: str = ""
    account: str = ""
    channel: str = ""
    fate: str = ""

    def has(self, day: datetime.date) -> bool:
        """Say whether a day is asked for."""
        return (self.first_on is None or day >= self.first_on) and (
            self.last_on is None or day <= self.last_on
        )


class DaySent(Struct, frozen=True, kw_only=True):
    """How many deliveries went out on a day over a channel, and what is known of them by now."""

    day: datetime.date
    channel: str
    sent: int
    delivered: int
    came_back: int
    complained: int


class DayError(Struct, frozen=True, kw_only=True):
    """How often something went wrong on a day; ``total`` is the day's, over all errors."""

    day: datetime.date
    error: str
    channel: str
    count: int
    total: int


class SentLine(Struct, frozen=True, kw_only=True):
    """One delivery that went out: what kind of message, about which documents, to whom, and its last fate."""

    day: datetime.date
    at: str
    kind: str
    documents: str
    document_count: int
    account: str
    customer: str
    channel: str
    recipient: str
    subject: str
    fate: str
    error: str
    reminder: str


def sent_per_day(connection: Connection, *, asked: Asked) -> list[DaySent]:
    """Count what was taken by providers, by day and channel."""
    zones = _zones(connection)
    counts: Counter[tuple[datetime.date, str, str]] = Counter()
    columns = [send_jobs.c[name] for name in ("company", "channel", "occurred_at")]
    for row in connection.execute(_sent(asked, columns)):
        day = _day(row.occurred_at, zones=zones, company=row.company)
        if asked.has(day):
            counts[day, row.channel, row.fate] += 1
    places = sorted({(day, channel) for day, channel, _ in counts})
    return [
        DaySent(
            day=day,
            channel=channel,
            sent=sum(counts[day, channel, each] for each in _RANK),
            delivered=counts[day, channel, "delivered"] + counts[day, channel, "complained"],
            came_back=sum(counts[day, channel, each] for each in _CAME_BACK),
            complained=counts[day, channel, "complained"],
        )
        for day, channel in places
    ]


def errors_per_day(connection: Connection, *, asked: Asked) -> list[DayError]:
    """Count what went wrong, by day, error and channel: at sending, and said later."""
    zones = _zones(connection)
    counts: Counter[tuple[datetime.date, str, str]] = Counter()
    for row in connection.execute(_wrong(asked)):
        company = split_account_id(row.account)[0]
        day = _day(row.occurred_at, zones=zones, company=company)
        if asked.has(day) and asked.company in ("", company):
            counts[day, _error(row), row.channel] += 1
    totals: Counter[datetime.date] = Counter()
    for (day, _, _), count in counts.items():
        totals[day] += count
    return [
        DayError(day=day, error=error, channel=channel, count=count, total=totals[day])
        for (day, error, channel), count in sorted(counts.items())
    ]


def sent_lines(connection: Connection, *, asked: Asked, lines_max: int) -> list[SentLine]:
    """List what was taken by providers, the newest `lines_max`, in the order of time."""
    return list(islice(sent_newest(connection, asked=asked), lines_max))[::-1]


def sent_newest(
    connection: Connection, *, asked: Asked, after: SentPlace | None = None
) -> Iterator[SentLine]:
    """Walk what was taken by providers behind a place, the newest first; some are read at a time, never all."""
    zones = _zones(connection)
    while True:
        rows = connection.execute(_jobs(asked, after=after).limit(_ROWS_AT_ONCE)).all()
        fates = _fates(connection, reminders=[row.reminder for row in rows])
        for row in rows:
            fate, error = fates.get((row.reminder, row.channel), ("accepted", ""))
            day = _day(row.occurred_at, zones=zones, company=row.company)
            if asked.has(day) and asked.fate in ("", fate):
                yield _sent_line(row, day=day, fate=fate, error=error)
        if len(rows) < _ROWS_AT_ONCE:
            return
        after = (rows[-1].occurred_at, rows[-1].reminder, rows[-1].channel)


def _sent_line(row: Any, *, day: datetime.date, fate: str, error: str) -> SentLine:
    content = _decoder.decode(row.reminder_json)
    return SentLine(
        day=day,
        at=row.occurred_at,
        kind=content.step,
        documents=", ".join(each.item for each in content.items),
        document_count=len(content.items) + content.unlisted,
        account=row.account,
        customer=content.customer_name,
        channel=row.channel,
        recipient=row.recipient,
        subject=row.subject,
        fate=fate,
        error=error if fate != "accepted" else "",
        reminder=row.reminder,
    )


def _jobs(asked: Asked, *, after: SentPlace | None) -> Select[Any]:
    """Select deliveries that a provider took, the newest first."""
    jobs = send_jobs.c
    names = ("reminder", "channel", "account", "company", "occurred_at", "recipient", "subject")
    named = {"company": asked.company, "account": asked.account, "channel": asked.channel}
    query = select(*(jobs[name] for name in names), jobs["reminder_json"]).where(
        jobs["state"] == "accepted",
        *(jobs[name] == value for name, value in named.items() if value),
        *_within(jobs["occurred_at"], asked),
    )
    if after is not None:
        at, reminder, channel = after
        later = or_(
            jobs["reminder"] > reminder, and_(jobs["reminder"] == reminder, jobs["channel"] > channel)
        )
        query = query.where(
            jobs["occurred_at"] <= at, or_(jobs["occurred_at"] < at, and_(jobs["occurred_at"] == at, later))
        )
    return query.order_by(jobs["occurred_at"].desc(), jobs["reminder"], jobs["channel"])


def _fates(connection: Connection, *, reminders: Sequence[str]) -> dict[tuple[str, str], tuple[str, str]]:
    """Give the worst that was said of each delivery of some reminders, and its error."""
    query = select(
        outcomes.c["reminder"],
        outcomes.c["channel"],
        outcomes.c["status"],
        outcomes.c["error_type"],
        outcomes.c["record_offset"],
    ).where(outcomes.c["reminder"].in_(reminders))
    # Not by status in SQL: SQLite would go through all of these statuses, for so many reminders.
    counting = [row for row in connection.execute(query) if row.status in _RANK]
    said = sorted(counting, key=lambda row: (_RANK[row.status], row.record_offset))
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for row in said:
        found.setdefault((row.reminder, row.channel), (row.status, row.error_type))
    return found


def _sent(asked: Asked, columns: list[Any]) -> Select[Any]:
    """Select deliveries that a provider took, each with the worst that was said of it."""
    rank = case(_RANK, value=outcomes.c["status"], else_=len(_RANK))
    place = func.row_number().over(
        partition_by=(outcomes.c["reminder"], outcomes.c["channel"]),
        order_by=(rank, outcomes.c["record_offset"]),
    )
    said = (
        select(
            outcomes.c["reminder"],
            outcomes.c["channel"],
            outcomes.c["status"],
            outcomes.c["error_type"],
            place.label("place"),
        )
        .where(outcomes.c["status"].in_(list(_RANK)))
        .subquery("said")
    )
    of_job = and_(
        said.c.reminder == send_jobs.c["reminder"],
        said.c.channel == send_jobs.c["channel"],
        said.c.place == 1,
    )
    named = {"company": asked.company, "account": asked.account, "channel": asked.channel}
    return (
        select(
            *columns,
            func.coalesce(said.c.status, "accepted").label("fate"),
            func.coalesce(said.c.error_type, "").label("error"),
        )
        .select_from(send_jobs.outerjoin(said, of_job))
        .where(
            send_jobs.c["state"] == "accepted",
            *(send_jobs.c[name] == value for name, value in named.items() if value),
            *_within(send_jobs.c["occurred_at"], asked),
        )
    )


def _wrong(asked: Asked) -> Select[Any]:
    named = {"account": asked.account, "channel": asked.channel}
    return select(
        outcomes.c["account"],
        outcomes.c["channel"],
        outcomes.c["status"],
        outcomes.c["error_type"],
        outcomes.c["occurred_at"],
    ).where(
        outcomes.c["status"].in_(_ERRORS),
        *(outcomes.c[name] == value for name, value in named.items() if value),
        *_within(outcomes.c["occurred_at"], asked),
    )


def _error(row: Any) -> str:
    """Name an error; a status that says it by itself needs no error type."""
    said = OutcomeReported(
        company="-", customer="-", occurred_at=row.occurred_at, reminder="-", channel=row.channel,
        status=row.status, error_type=row.error_type,
    )  # fmt: skip
    return error_of(said) or str(row.status)


def _within(column: Any, asked: Asked) -> list[Any]:
    """Leave out what is days away from what is asked for; which day an instant is, its company says."""
    found = []
    if asked.first_on is not None:
        found.append(column >= (asked.first_on - _DAY).isoformat())
    if asked.last_on is not None:
        found.append(column < (asked.last_on + 2 * _DAY).isoformat())
    return found


def _zones(connection: Connection) -> dict[str, str]:
    return {row.company: row.time_zone for row in connection.execute(select(companies))}


def _day(occurred_at: str, *, zones: Mapping[str, str], company: str) -> datetime.date:
    if len(occurred_at) == len("2026-01-31"):
        return datetime.date.fromisoformat(occurred_at)
    at = datetime.datetime.fromisoformat(occurred_at)
    return at.astimezone(ZoneInfo(zones.get(company, "UTC"))).date()

"""The send ledger: one job per (reminder, channel), and every move of it as a compare-and-set.

It owns what has been sent and what may be; it refuses to send, to wait or to look at a clock:
instants are arguments. R32 stands here as SQL, so that the check and the claim are one statement:
between them no newer fact can slip in.
"""

import datetime
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

from msgspec import Struct
from sqlalchemy import ColumnElement, Engine, Row, and_, exists, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from infra.database.engine import reading, writing
from infra.database.send_tables import send_jobs
from infra.database.tables import accounts, clocks
from schemas.fields import Channel
from schemas.outcomes import DeliveryStatus, ErrorType

__all__ = ["Backlog", "Ending", "Job", "NewJob", "SendLedger", "unfinished"]

JobState = Literal["scheduled", "sending", "accepted", "failed", "superseded", "unknown"]
_ENDED: Final = ("accepted", "failed", "superseded", "unknown")


class NewJob(Struct, frozen=True, kw_only=True):
    """A delivery to be recorded; ``partition`` is its account's, ``reminder_json`` the fact itself."""

    reminder: str
    account: str
    company: str
    partition: int
    mode: str
    tick: datetime.datetime
    not_before: datetime.datetime
    decision_version: int
    reminder_json: str


class Job(Struct, frozen=True, kw_only=True):
    """A job as it stands; ``clock_at`` is its partition's newest tick in the read model."""

    reminder: str
    channel: Channel
    account: str
    company: str
    partition: int
    mode: str
    tick: datetime.datetime
    state: JobState
    owner: str
    attempts: int
    reminder_json: str
    recipient: str
    subject: str
    provider_id: str
    error_type: ErrorType
    detail: str
    occurred_at: str
    clock_at: datetime.datetime | None = None


class Ending(Struct, frozen=True, kw_only=True):
    """How a job ends: the columns of its outcome."""

    reminder: str
    status: DeliveryStatus
    occurred_at: str
    provider_id: str = ""
    error_type: ErrorType = ""
    detail: str = ""
    recipient: str = ""
    subject: str = ""


class Backlog(Struct, frozen=True, kw_only=True):
    """What is still to do: jobs that wait for anything, and the next instant of a retry."""

    scheduled: int
    next_retry_at: datetime.datetime | None


class SendLedger:
    """The jobs of one channel, for the worker named ``owner`` (new at each start).

    ``reader_age_s_max``: with a live journal, a read model whose clock is older
    than this is not believed (R32).
    """

    def __init__(self, engine: Engine, *, channel: Channel, owner: str, reader_age_s_max: float) -> None:
        self.engine = self._engine = engine
        self.channel: Channel = channel
        self.owner = owner
        self._reader_age_max = datetime.timedelta(seconds=reader_age_s_max)

    def record(self, jobs: Sequence[NewJob]) -> None:
        """Write jobs that are not there yet; one that is stays as it is."""
        if not jobs:
            return
        insert = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        rows = [_row_of(job, channel=self.channel) for job in jobs]
        with writing(self._engine) as connection:
            connection.execute(insert(send_jobs).on_conflict_do_nothing(), rows)

    def ready(self, *, partitions: Iterable[int], now: datetime.datetime, limit: int) -> list[Job]:
        """List jobs that can be moved now (sent, or superseded), the longest due first."""
        query = (
            select(send_jobs, clocks.c["at"].label("clock_at"))
            .outerjoin(clocks, clocks.c["partition"] == send_jobs.c["partition"])
            .where(
                self._scheduled(partitions),
                or_(send_jobs.c["retry_at"].is_(None), send_jobs.c["retry_at"] <= now),
                or_(_overtaken(), self._fresh(now)),
            )
            .order_by(send_jobs.c["not_before"], send_jobs.c["reminder"])
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return [_job(row) for row in connection.execute(query)]

    def claim(
        self, jobs: Sequence[Job], *, now: datetime.datetime, occurred_at: dict[str, str]
    ) -> tuple[set[str], set[str]]:
        """Take jobs for sending, or end them as superseded: (taken, superseded), by reminder.

        A job is in neither when another worker was first or the read model is not far enough.
        ``occurred_at`` gives each reminder's business time, should it be superseded.
        """
        mine = and_(self._scheduled(None), send_jobs.c["reminder"].in_([job.reminder for job in jobs]))
        taking = (
            update(send_jobs)
            .where(mine, self._fresh(now))
            .values(state="sending", owner=self.owner, attempts=send_jobs.c["attempts"] + 1, retry_at=None)
            .returning(send_jobs.c["reminder"])
        )
        ending = (
            update(send_jobs)
            .where(mine, _overtaken())
            .values(state="superseded", owner=self.owner)
            .returning(send_jobs.c["reminder"])
        )
        with writing(self._engine) as connection:
            superseded = set(connection.execute(ending).scalars())
            taken = set(connection.execute(taking).scalars())
            for reminder in superseded:
                connection.execute(
                    update(send_jobs)
                    .where(self._is(reminder))
                    .values(occurred_at=occurred_at[reminder], detail="the account has changed since")
                )
        return taken, superseded

    def finish(self, endings: Sequence[Ending], *, owner: str | None = None) -> list[str]:
        """End jobs that are being sent by ``owner`` (by default: us); return those that were not.

        Such a job was taken over while we were frozen: whoever has it now says how it ended.
        """
        lost = []
        with writing(self._engine) as connection:
            for ending in endings:
                moved = connection.execute(
                    update(send_jobs)
                    .where(self._is(ending.reminder), self._sending(self.owner if owner is None else owner))
                    .values(
                        state=ending.status,
                        occurred_at=ending.occurred_at,
                        provider_id=ending.provider_id,
                        error_type=ending.error_type,
                        detail=ending.detail,
                        recipient=ending.recipient,
                        subject=ending.subject,
                    )
                )
                if moved.rowcount == 0:
                    lost.append(ending.reminder)
        return lost

    def put_back(
        self, reminder: str, *, retry_at: datetime.datetime | None, detail: str, owner: str | None = None
    ) -> bool:
        """Schedule a job again that was not sent; False when it is not ``owner``'s any more."""
        with writing(self._engine) as connection:
            moved = connection.execute(
                update(send_jobs)
                .where(self._is(reminder), self._sending(self.owner if owner is None else owner))
                .values(state="scheduled", owner="", retry_at=retry_at, detail=detail)
            )
        return moved.rowcount == 1

    def postpone(self, reminder: str, *, until: datetime.datetime, detail: str) -> bool:
        """Schedule a job of ours for a later instant, unsent: it was no attempt. False: it is not ours any more."""
        with writing(self._engine) as connection:
            moved = connection.execute(
                update(send_jobs)
                .where(self._is(reminder), self._sending(self.owner))
                .values(
                    state="scheduled",
                    owner="",
                    retry_at=None,
                    not_before=until,
                    attempts=send_jobs.c["attempts"] - 1,
                    detail=detail,
                )
            )
        return moved.rowcount == 1

    def interrupted(self, *, partitions: Iterable[int]) -> list[Job]:
        """List jobs that another worker left in ``sending`` on partitions that are ours now."""
        return self._select(
            and_(
                send_jobs.c["state"] == "sending",
                send_jobs.c["owner"] != self.owner,
                send_jobs.c["partition"].in_(list(partitions)),
            )
        )

    def unpublished(self, *, partitions: Iterable[int], limit: int) -> list[Job]:
        """List ended jobs whose outcome is not known to be in Kafka."""
        return self._select(
            and_(
                send_jobs.c["published"].is_(False),
                send_jobs.c["state"].in_(_ENDED),
                send_jobs.c["partition"].in_(list(partitions)),
            ),
            limit=limit,
        )

    def mark_published(self, jobs: Sequence[Job]) -> None:
        """Note that the outcomes of these jobs, as they stood, are in Kafka."""
        with writing(self._engine) as connection:
            for job in jobs:
                connection.execute(
                    update(send_jobs)
                    .where(self._is(job.reminder), send_jobs.c["state"] == job.state)
                    .values(published=True)
                )

    def job(self, reminder: str) -> Job | None:
        """Give the job of a reminder on this channel."""
        found = self._select(send_jobs.c["reminder"] == reminder)
        return found[0] if found else None

    def resolve(
        self, reminder: str, *, status: Literal["accepted", "failed", "resend"], occurred_at: str
    ) -> bool:
        """Say what became of an unknown delivery: a person's word. False: it is not unknown."""
        values: dict[str, Any] = {"state": "scheduled", "retry_at": None, "owner": ""}
        if status != "resend":
            values = {
                "state": status,
                "occurred_at": occurred_at,
                "published": False,
                "detail": "said by a person",
            }
        if status == "accepted":
            values["error_type"] = ""
        with writing(self._engine) as connection:
            moved = connection.execute(
                update(send_jobs)
                .where(self._is(reminder), send_jobs.c["state"] == "unknown")
                .values(**values)
            )
        return moved.rowcount == 1

    def backlog(self, *, partitions: Iterable[int]) -> Backlog:
        """Count what is scheduled on these partitions."""
        query = select(func.count(), func.min(send_jobs.c["retry_at"])).where(self._scheduled(partitions))
        with reading(self._engine) as connection:
            scheduled, next_retry_at = connection.execute(query).one()
        return Backlog(scheduled=scheduled, next_retry_at=next_retry_at)

    def _select(self, condition: ColumnElement[bool], *, limit: int | None = None) -> list[Job]:
        query = (
            select(send_jobs, clocks.c["at"].label("clock_at"))
            .outerjoin(clocks, clocks.c["partition"] == send_jobs.c["partition"])
            .where(send_jobs.c["channel"] == self.channel, condition)
            .order_by(send_jobs.c["not_before"], send_jobs.c["reminder"])
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return [_job(row) for row in connection.execute(query)]

    def _is(self, reminder: str) -> ColumnElement[bool]:
        return and_(send_jobs.c["reminder"] == reminder, send_jobs.c["channel"] == self.channel)

    def _sending(self, owner: str) -> ColumnElement[bool]:
        return and_(send_jobs.c["state"] == "sending", send_jobs.c["owner"] == owner)

    def _scheduled(self, partitions: Iterable[int] | None) -> ColumnElement[bool]:
        mine = and_(send_jobs.c["channel"] == self.channel, send_jobs.c["state"] == "scheduled")
        return mine if partitions is None else and_(mine, send_jobs.c["partition"].in_(list(partitions)))

    def _fresh(self, now: datetime.datetime) -> ColumnElement[bool]:
        """R32: the account is as it was judged, its partition's clock has reached what the job needs."""
        same_version = (
            exists()
            .where(
                accounts.c["account"] == send_jobs.c["account"],
                or_(
                    accounts.c["version"] == send_jobs.c["decision_version"],
                    send_jobs.c["decision_version"] < 0,  # it tells what stays true (R33)
                ),
            )
            .correlate(send_jobs)
        )
        played = and_(send_jobs.c["mode"] == "played", clocks.c["at"] >= send_jobs.c["not_before"])
        live = and_(
            send_jobs.c["mode"] == "live",
            send_jobs.c["not_before"] <= now,
            clocks.c["at"] >= now - self._reader_age_max,
        )
        clock = (
            exists()
            .where(
                clocks.c["partition"] == send_jobs.c["partition"],
                clocks.c["at"] >= send_jobs.c["tick"],
                or_(played, live),
            )
            .correlate(send_jobs)
        )
        return and_(same_version, clock)


def unfinished(engine: Engine, *, at: datetime.datetime) -> int:
    """Count jobs of all channels that may run at ``at`` and whose outcome is not in Kafka yet."""
    waiting = and_(send_jobs.c["state"].in_(("scheduled", "sending")), send_jobs.c["not_before"] <= at)
    unsaid = and_(send_jobs.c["state"].in_(_ENDED), send_jobs.c["published"].is_(False))
    with reading(engine) as connection:
        return connection.execute(
            select(func.count()).select_from(send_jobs).where(or_(waiting, unsaid))
        ).scalar_one()


def _overtaken() -> ColumnElement[bool]:
    """R32: the account has changed since the reminder was decided."""
    return (
        exists()
        .where(
            accounts.c["account"] == send_jobs.c["account"],
            send_jobs.c["decision_version"] >= 0,
            accounts.c["version"] > send_jobs.c["decision_version"],
        )
        .correlate(send_jobs)
    )


def _row_of(job: NewJob, *, channel: Channel) -> dict[str, Any]:
    fields: dict[str, Any] = {name: getattr(job, name) for name in job.__struct_fields__}
    return fields | {"channel": channel, "state": "scheduled", "published": False}


def _job(row: Row[Any]) -> Job:
    found = row._mapping  # noqa: SLF001 - the public way to columns by name, underscore or not
    return Job(**{name: found[name] for name in Job.__struct_fields__})

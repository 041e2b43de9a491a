"""The send ledger: one job per (reminder, channel), and every move of it as a compare-and-set.

It owns what has been sent and what may be; it refuses to send, to wait or to look at a clock:
instants are arguments. R32 stands here as SQL, so that the check and the move are one statement:
between them no newer fact can slip in. It is asked twice: when a job is claimed, and when the
intent to hand it over is written, which is the last thing before the provider is called.
"""

import datetime
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from infra.database.engine import again_if_undone, reading, writing
from infra.database.queries.causes import causes
from infra.database.send_conditions import ENDED, HELD, fresh, held_by, overtaken, scheduled
from infra.database.send_days import give_back
from infra.database.send_moves import Moves
from infra.database.send_tables import send_jobs
from infra.database.send_values import Backlog, Claim, Ending, Intended, Job, NewJob, Postponement
from infra.database.send_waits import Waits
from infra.database.tables import clocks
from schemas.fields import Channel

__all__ = [
    "Backlog",
    "Claim",
    "Ending",
    "Intended",
    "Job",
    "NewJob",
    "Postponement",
    "SendLedger",
    "jobs_where",
    "unfinished",
]

_COST: Final = ("cost_currency", "cost_micros", "cost_parts")
_ENDS: Final = (
    "occurred_at",
    "provider_id",
    "error_type",
    "detail",
    "recipient",
    "subject",
    "ask_at",
    *_COST,
)
_WHERETO: Final = ("recipient", "subject", "provider", "endpoint", "mark", *_COST)


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
        self._moves = Moves(channel=channel, owner=owner)
        self.waits = Waits(engine, channel=channel, owner=owner, reader_age_max=self._reader_age_max)
        self._noting_whereto = self._moves.set(_WHERETO)
        self._ending = self._moves.end(_ENDS)

    @again_if_undone
    def record(self, jobs: Sequence[NewJob]) -> None:
        """Write jobs that are not there yet; one that is stays as it is."""
        if not jobs:
            return
        insert = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        rows = [_row_of(job, channel=self.channel) for job in jobs]
        with writing(self._engine) as connection:
            connection.execute(insert(send_jobs).on_conflict_do_nothing(), rows)

    def ready(
        self,
        *,
        partitions: Iterable[int],
        now: datetime.datetime,
        limit: int,
        without: Iterable[str] = (),
    ) -> list[Job]:
        """List jobs that can be moved now (sent, or superseded), the longest due first; ``without`` these companies'."""
        due = or_(send_jobs.c["retry_at"].is_(None), send_jobs.c["retry_at"] <= now)
        movable = or_(overtaken(), self._fresh(now))
        wanted = and_(scheduled(self.channel, partitions), due, movable)
        if left_out := list(without):
            wanted = and_(wanted, send_jobs.c["company"].not_in(left_out))
        with reading(self._engine) as connection:
            return jobs_where(connection, wanted, limit=limit)

    def causes(self, wanted: Mapping[str, Collection[str]]) -> dict[tuple[str, str], str]:
        """Give by account and item the event that made it, of items by account."""
        with reading(self._engine) as connection:
            return causes(connection, wanted)

    def waited_too_long(self, *, partitions: Iterable[int], now: datetime.datetime, limit: int) -> list[Job]:
        """List jobs that have waited until `give_up_at`; see ``Waits.too_long``."""
        with reading(self._engine) as connection:
            wanted = self.waits.too_long(partitions=partitions, now=now)
            return jobs_where(connection, wanted, limit=limit)

    @again_if_undone
    def postpone(self, postponed: Sequence[Postponement]) -> None:
        """Put off jobs that wait, or that are ours: it was no attempt. Others stay as they are."""
        mine = or_(send_jobs.c["state"] == "scheduled", held_by(self.owner))
        unplaced: list[str] = []
        with writing(self._engine) as connection:
            self._lock(connection, postponed)
            for one in postponed:
                instant = "not_before" if one.by == "business" else "retry_at"
                waiting = {"waits_since": one.waits_since, "give_up_at": one.give_up_at}
                moved = connection.execute(
                    update(send_jobs)
                    .where(self._is(one.reminder), mine)
                    .values(
                        {
                            "state": "scheduled",
                            "owner": "",
                            "attempts": _uncounted(),
                            "retry_at": None,
                            "detail": one.detail,
                            "capped_on": one.capped_on,
                            instant: one.until,
                            **(waiting if one.waits_since else {}),
                        }
                    )
                )
                if one.by == "business" and moved.rowcount:
                    unplaced.append(one.reminder)
            # They take places again when they come up, on whichever day that is.
            self._give_back(connection, unplaced)

    @again_if_undone
    def claim(self, claims: Sequence[Claim], *, now: datetime.datetime) -> tuple[set[str], set[str]]:
        """Take jobs for sending, or end them as superseded: (taken, superseded), by reminder.

        A job is in neither when another worker was first or the read model is not far enough.
        What is taken has surely not been handed over: nobody need ask before `intend`.
        """
        with writing(self._engine) as connection:
            self._lock(connection, claims)
            superseded = self._supersede(connection, claims, self._moves.supersede_free)
            taken = self._moved(connection, self._moves.claim, claims, now=now)
            self._note_whereto(connection, [claim for claim in claims if claim.reminder in taken])
            self._give_back(connection, superseded)
        return taken, superseded

    @again_if_undone
    def intend(
        self, claims: Sequence[Claim], *, now: datetime.datetime, endings: Sequence[Ending] = ()
    ) -> Intended:
        """Write that these jobs of ours are handed over from now on, where they are still ours and fresh.

        Args:
            claims: claimed by us; or intended already, to be looked at once more.
            now: the wall clock: what the evidence will say.
            endings: of jobs handed over before, written in the same transaction.
        """
        with writing(self._engine) as connection:
            self._lock(connection, [*claims, *endings])
            ours = self._end(connection, endings, owner=self.owner)
            going = self._moved(connection, self._moves.intend, claims, now=now)
            stale = [claim for claim in claims if claim.reminder not in going]
            superseded = self._supersede(connection, stale, self._moves.supersede_held)
            self._give_back(connection, superseded | _unsent(endings, ours=ours))
        lost = tuple(ending.reminder for ending in endings if ending.reminder not in ours)
        return Intended(going=frozenset(going), superseded=frozenset(superseded), lost=lost)

    @again_if_undone
    def finish(self, endings: Sequence[Ending], *, owner: str | None = None) -> list[str]:
        """End jobs that are held by ``owner`` (by default: us); return those that were not.

        Such a job was taken over while we were frozen: whoever has it now says how it ended.
        """
        if not endings:
            return []
        with writing(self._engine) as connection:
            self._lock(connection, endings)
            ours = self._end(connection, endings, owner=self.owner if owner is None else owner)
            self._give_back(connection, _unsent(endings, ours=ours))
        return [ending.reminder for ending in endings if ending.reminder not in ours]

    @again_if_undone
    def give_up(self, endings: Sequence[Ending]) -> tuple[set[str], set[str]]:
        """End jobs that wait, unsent: (ended, superseded), by reminder; of one that somebody holds, neither."""
        with writing(self._engine) as connection:
            self._lock(connection, endings)
            superseded = self._supersede(connection, endings, self._moves.supersede_free)
            bound = {"among": [ending.reminder for ending in endings]}
            ended = set(connection.execute(self._moves.take, bound).scalars())
            mine = [ending for ending in endings if ending.reminder in ended]
            ours = self._end(connection, mine, owner=self.owner)
            self._give_back(connection, superseded | _unsent(mine, ours=ours))
        return ended, superseded

    @again_if_undone
    def put_back(
        self,
        reminder: str,
        *,
        retry_at: datetime.datetime | None,
        detail: str,
        owner: str | None = None,
        is_attempt: bool = True,
        waits_since: datetime.datetime | None = None,
        give_up_at: datetime.datetime | None = None,
    ) -> bool:
        """Schedule a job again that was not sent; False when it is not ``owner``'s any more.

        ``is_attempt`` False: the provider takes nothing at all, which is not counted among the job's tries.
        ``waits_since``, ``give_up_at``: since when it waits, and until when; one that waits already keeps its instants.
        """
        counted: dict[str, Any] = {} if is_attempt else {"attempts": _uncounted()}
        if waits_since is not None:
            counted["waits_since"] = func.coalesce(send_jobs.c["waits_since"], waits_since)
            counted["give_up_at"] = func.coalesce(send_jobs.c["give_up_at"], give_up_at)
        with writing(self._engine) as connection:
            moved = connection.execute(
                update(send_jobs)
                .where(self._is(reminder), held_by(self.owner if owner is None else owner))
                .values(state="scheduled", owner="", retry_at=retry_at, detail=detail, **counted)
            )
        return moved.rowcount == 1

    @again_if_undone
    def release(self, reminders: Collection[str]) -> set[str]:
        """Give back jobs of ours that were not handed over after all: it was no attempt. Return those that were ours."""
        if not reminders:
            return set()
        mine = and_(held_by(self.owner), send_jobs.c["channel"] == self.channel)
        with writing(self._engine) as connection:
            self._lock(connection, reminders)
            return set(
                connection.execute(
                    update(send_jobs)
                    .where(mine, send_jobs.c["reminder"].in_(list(reminders)))
                    .values(state="scheduled", owner="", attempts=_uncounted())
                    .returning(send_jobs.c["reminder"])
                ).scalars()
            )

    @again_if_undone
    def release_claimed(self, reminders: Sequence[str]) -> list[str]:
        """Take jobs back that another worker has claimed and not begun to hand over: it cannot any more."""
        if not reminders:
            return []
        with writing(self._engine) as connection:
            self._lock(connection, reminders)
            return sorted(
                connection.execute(
                    update(send_jobs)
                    .where(
                        send_jobs.c["channel"] == self.channel,
                        send_jobs.c["state"] == "claimed",
                        send_jobs.c["owner"] != self.owner,
                        send_jobs.c["reminder"].in_(list(reminders)),
                    )
                    .values(state="scheduled", owner="", attempts=_uncounted())
                    .returning(send_jobs.c["reminder"])
                ).scalars()
            )

    def interrupted(self, *, partitions: Iterable[int]) -> list[Job]:
        """List jobs that another worker holds on partitions that are ours now."""
        return self._select(
            and_(
                send_jobs.c["state"].in_(HELD),
                send_jobs.c["owner"] != self.owner,
                send_jobs.c["partition"].in_(list(partitions)),
            )
        )

    def unpublished(self, *, partitions: Iterable[int], limit: int) -> list[Job]:
        """List ended jobs whose outcome is not known to be in Kafka; without their reminders, which it does not tell."""
        return self._select(
            and_(
                send_jobs.c["published"].is_(False),
                send_jobs.c["state"].in_(ENDED),
                send_jobs.c["partition"].in_(list(partitions)),
            ),
            limit=limit,
            with_reminders=False,
        )

    @again_if_undone
    def mark_published(self, jobs: Sequence[Job]) -> None:
        """Note that the outcomes of these jobs, as they stood, are in Kafka."""
        if not jobs:
            return
        by_state: defaultdict[str, list[str]] = defaultdict(list)
        for job in jobs:
            by_state[job.state].append(job.reminder)
        with writing(self._engine) as connection:
            self._lock(connection, jobs)
            for state, reminders in by_state.items():
                connection.execute(
                    update(send_jobs)
                    .where(
                        send_jobs.c["channel"] == self.channel,
                        send_jobs.c["reminder"].in_(reminders),
                        send_jobs.c["state"] == state,
                    )
                    .values(published=True)
                )

    def job(self, reminder: str) -> Job | None:
        """Give the job of a reminder on this channel."""
        found = self._select(send_jobs.c["reminder"] == reminder)
        return found[0] if found else None

    def backlog(self, *, partitions: Iterable[int]) -> Backlog:
        """Count what is scheduled on these partitions."""
        query = select(func.count(), func.min(send_jobs.c["retry_at"])).where(
            scheduled(self.channel, partitions)
        )
        with reading(self._engine) as connection:
            count, next_retry_at = connection.execute(query).one()
        return Backlog(scheduled=count, next_retry_at=next_retry_at)

    def _lock(
        self, connection: Connection, touched: Iterable[str | Claim | Ending | Postponement | Job]
    ) -> None:
        """Hold all that a transaction will touch, by reminder, before it moves any of it; SQLite has one writer anyway."""
        if self._engine.dialect.name == "postgresql":
            names = [one if isinstance(one, str) else one.reminder for one in touched]
            connection.execute(self._moves.lock, {"among": names})

    def _moved(
        self, connection: Connection, moving: Any, claims: Sequence[Claim], *, now: datetime.datetime
    ) -> set[str]:
        """Move those of the jobs that may be, and are fresh (R32)."""
        bound = {
            "among": [claim.reminder for claim in claims],
            "wall": now,
            "reader_since": now - self._reader_age_max,
        }
        return set(connection.execute(moving, bound).scalars())

    def _supersede(
        self, connection: Connection, claims: Sequence[Claim | Ending], superseding: Any
    ) -> set[str]:
        if not claims:
            return set()
        ended = set(
            connection.execute(superseding, {"among": [claim.reminder for claim in claims]}).scalars()
        )
        for claim in claims:
            if claim.reminder in ended:
                connection.execute(
                    update(send_jobs).where(self._is(claim.reminder)).values(occurred_at=claim.occurred_at)
                )
        return ended

    def _note_whereto(self, connection: Connection, claims: Sequence[Claim]) -> None:
        if not claims:
            return
        rows = [
            {"of": claim.reminder} | {f"the_{name}": getattr(claim, name) for name in _WHERETO}
            for claim in claims
        ]
        connection.execute(self._noting_whereto, rows)

    def _end(self, connection: Connection, endings: Sequence[Ending], *, owner: str) -> set[str]:
        """Write how jobs ended that ``owner`` holds; give which those are. Two statements, however many they are."""
        if not endings:
            return set()
        # The first one looks, and holds the rows until the end of the transaction.
        bound = {"among": [ending.reminder for ending in endings], "holder": owner}
        ours = set(connection.execute(self._moves.look, bound).scalars())
        rows = [
            {"of": ending.reminder, "the_state": ending.status, "may_go_on": ending.may_go_on}
            | {f"the_{name}": getattr(ending, name) for name in _ENDS}
            for ending in endings
            if ending.reminder in ours
        ]
        if rows:
            connection.execute(self._ending, rows)
        return ours

    def _give_back(self, connection: Connection, unsent: Iterable[str]) -> None:
        """Give the places back that deliveries had in the day's caps and that were not sent; nothing comes after it."""
        if chosen := list(unsent):
            mine = send_jobs.c["channel"] == self.channel
            give_back(connection, of=and_(mine, send_jobs.c["reminder"].in_(chosen)))

    def _select(
        self, condition: ColumnElement[bool], *, limit: int | None = None, with_reminders: bool = True
    ) -> list[Job]:
        with reading(self._engine) as connection:
            mine = and_(send_jobs.c["channel"] == self.channel, condition)
            return jobs_where(connection, mine, limit=limit, with_reminders=with_reminders)

    def _is(self, reminder: str) -> ColumnElement[bool]:
        return and_(send_jobs.c["reminder"] == reminder, send_jobs.c["channel"] == self.channel)

    def _fresh(self, now: datetime.datetime) -> ColumnElement[bool]:
        return fresh(now=now, reader_since=now - self._reader_age_max)


def jobs_where(
    connection: Connection,
    condition: ColumnElement[bool],
    *,
    limit: int | None,
    with_reminders: bool = True,
) -> list[Job]:
    """List the jobs that meet a condition, the longest due first; without their reminders ``reminder_json`` is ''."""
    columns: list[ColumnElement[Any]] = [
        each if with_reminders or each.name != "reminder_json" else literal("").label("reminder_json")
        for each in send_jobs.c
    ]
    columns += [clocks.c["at"].label("clock_at"), overtaken().label("is_overtaken")]
    query = (
        select(*columns)
        .outerjoin(clocks, clocks.c["partition"] == send_jobs.c["partition"])
        .where(condition)
        .order_by(send_jobs.c["not_before"], send_jobs.c["reminder"])
        .limit(limit)
    )
    return [_job(row) for row in connection.execute(query)]


def unfinished(engine: Engine, *, at: datetime.datetime) -> int:
    """Count jobs of all channels that may run at ``at`` and whose outcome is not in Kafka yet."""
    waiting = and_(send_jobs.c["state"].in_(("scheduled", *HELD)), send_jobs.c["not_before"] <= at)
    unsaid = and_(send_jobs.c["published"].is_(False), send_jobs.c["state"].in_(ENDED))
    with reading(engine) as connection:
        return connection.execute(
            select(func.count()).select_from(send_jobs).where(or_(waiting, unsaid))
        ).scalar_one()


def _uncounted() -> ColumnElement[int]:
    """Give the attempts without the one that was counted when the job was claimed, and was none."""
    counted = send_jobs.c["attempts"]
    return case((send_jobs.c["state"].in_(HELD), counted - 1), else_=counted)


def _unsent(endings: Sequence[Ending], *, ours: Collection[str]) -> set[str]:
    return {each.reminder for each in endings if each.status == "failed" and each.reminder in ours}


def _row_of(job: NewJob, *, channel: Channel) -> dict[str, Any]:
    fields: dict[str, Any] = {name: getattr(job, name) for name in job.__struct_fields__}
    return fields | {"channel": channel, "state": "scheduled", "published": False}


def _job(row: Row[Any]) -> Job:
    found = row._mapping  # noqa: SLF001 - the public way to columns by name, underscore or not
    return Job(**{name: found[name] for name in Job.__struct_fields__})

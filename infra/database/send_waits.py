"""How long deliveries of a channel have waited, and until when they may: every wait has an end.

A wait begins when a provider or a gate puts a delivery off, or when it has been due for an hour without having had
its turn; `waits_since` is that instant, `give_up_at` its end, both on the clock on the wall. It refuses to end any:
that is the send ledger's, by compare-and-set.
"""

import datetime
from collections.abc import Collection, Iterable
from typing import Final

from sqlalchemy import ColumnElement, Engine, and_, bindparam, not_, or_, select, update

from infra.database.engine import again_if_undone, reading, writing
from infra.database.send_conditions import fresh, held_by, overtaken, scheduled
from infra.database.send_moves import hold
from infra.database.send_tables import send_jobs

__all__ = ["UNNOTICED", "Waits"]

# So long a delivery may be due before it counts as one that waits: for its pace, its turn, the read model.
UNNOTICED: Final = datetime.timedelta(hours=1)


class Waits:
    """The waits of one channel, as the worker ``owner`` sees them; ``reader_age_max``: see ``SendLedger``."""

    def __init__(
        self, engine: Engine, *, channel: str, owner: str, reader_age_max: datetime.timedelta
    ) -> None:
        self._engine = engine
        self._channel = channel
        self._owner = owner
        self._reader_age_max = reader_age_max

    def too_long(self, *, partitions: Iterable[int], now: datetime.datetime) -> ColumnElement[bool]:
        """Say of a job that it has waited until `give_up_at`, and that its own instant is there.

        With a live journal also while the read model is behind: what is ended is not sent, and the core, which
        knows better, decides what is next (R19). A played one has no time of its own: its reader is waited for.
        """
        is_there = and_(send_jobs.c["mode"] == "live", send_jobs.c["not_before"] <= now)
        ready = or_(overtaken(), self._fresh(now), is_there)
        return and_(scheduled(self._channel, partitions), send_jobs.c["give_up_at"] <= now, ready)

    def behind(self, reminders: Collection[str], *, now: datetime.datetime) -> set[str]:
        """Give those of these jobs for which the read model is not far enough (R32)."""
        wanted = and_(scheduled(self._channel), send_jobs.c["reminder"].in_(list(reminders)))
        with reading(self._engine) as connection:
            query = select(send_jobs.c["reminder"]).where(wanted, not_(self._fresh(now)))
            return set(connection.execute(query).scalars())

    @again_if_undone
    def begin(self, *, partitions: Collection[int], now: datetime.datetime, days: datetime.timedelta) -> None:
        """Note of what has been due for an hour that it waits, whatever for."""
        unnoticed = and_(
            scheduled(self._channel, partitions),
            send_jobs.c["mode"] == "live",
            send_jobs.c["not_before"] <= now - UNNOTICED,
            send_jobs.c["give_up_at"].is_(None),
        )
        with reading(self._engine) as connection:  # mostly there is none, and nobody is kept from writing
            found = connection.execute(select(send_jobs.c["reminder"]).where(unnoticed).limit(1)).first()
        if found is None:
            return
        since = now - UNNOTICED
        with writing(self._engine) as connection:
            hold(connection, unnoticed)
            noted = {"waits_since": since, "give_up_at": since + days}
            connection.execute(update(send_jobs).where(unnoticed).values(noted))

    @again_if_undone
    def reckon(
        self,
        *,
        partitions: Collection[int],
        now: datetime.datetime,
        days: datetime.timedelta | None,
        turn: datetime.timedelta,
    ) -> None:
        """Have what waits already wait as long as is set now, from when it began; ``days`` None: without end.

        What a gate has put off until later is judged when it comes up; what it has let go meanwhile has a ``turn``
        from now on, once: nobody may have been there to try it.
        """
        jobs = send_jobs.c
        waiting = and_(
            scheduled(self._channel, partitions), jobs["waits_since"].is_not(None), self._may_go(now)
        )
        names = ("reminder", "mode", "not_before", "waits_since", "give_up_at")
        with reading(self._engine) as connection:
            # In the order in which they are moved, and so locked.
            query = select(*(jobs[name] for name in names)).where(waiting).order_by(jobs["reminder"])
            found = connection.execute(query).all()
        changed = []
        for reminder, mode, not_before, since, until in found:
            let_go = not_before if mode == "live" and not_before > since else None
            wanted = None if days is None else _until(since + days, until, let_go=let_go, now=now, turn=turn)
            if wanted != until:
                changed.append({"of": reminder, "since": since, "until": wanted})
        if not changed:
            return
        # Of one row after the other: a list, as that of partitions, is not taken by a statement of many rows.
        still = and_(scheduled(self._channel), self._may_go(now), jobs["waits_since"] == bindparam("since"))
        is_it = and_(jobs["reminder"] == bindparam("of"), still)
        noted = update(send_jobs).where(is_it).values(give_up_at=bindparam("until"))
        with writing(self._engine) as connection:
            connection.execute(noted, changed)

    @again_if_undone
    def wait_with(
        self, of: int | str, *, now: datetime.datetime, give_up_at: datetime.datetime | None
    ) -> None:
        """Note until when what is due of a partition, or of a company, waits with the one that the provider did not take."""
        untried = and_(
            send_jobs.c["channel"] == self._channel, held_by(self._owner)
        )  # its turn does not come
        wanted = and_(
            or_(scheduled(self._channel), untried),
            _of(of),
            self._may_go(now),
            send_jobs.c["give_up_at"].is_(None),
        )
        with writing(self._engine) as connection:
            hold(connection, wanted)
            connection.execute(update(send_jobs).where(wanted).values(waits_since=now, give_up_at=give_up_at))

    @again_if_undone
    def wait_no_more(self, of: int | str, *, now: datetime.datetime, but: Collection[str] = ()) -> None:
        """Note that a provider takes messages of a partition, or of a company, again; ``but`` of these companies.

        What a gate has put off until later waits for that, and has since it began to.
        """
        untried = and_(send_jobs.c["attempts"] == 0, send_jobs.c["waits_since"].is_not(None))
        wanted = and_(scheduled(self._channel), _of(of), untried, self._may_go(now))
        if left_out := list(but):
            wanted = and_(wanted, send_jobs.c["company"].not_in(left_out))
        with writing(self._engine) as connection:
            hold(connection, wanted)
            connection.execute(update(send_jobs).where(wanted).values(waits_since=None, give_up_at=None))

    def _fresh(self, now: datetime.datetime) -> ColumnElement[bool]:
        return fresh(now=now, reader_since=now - self._reader_age_max)

    @staticmethod
    def _may_go(now: datetime.datetime) -> ColumnElement[bool]:
        return or_(send_jobs.c["mode"] != "live", send_jobs.c["not_before"] <= now)


def _of(one: int | str) -> ColumnElement[bool]:
    return send_jobs.c["company" if isinstance(one, str) else "partition"] == one


def _until(
    ends: datetime.datetime,
    noted: datetime.datetime | None,
    *,
    let_go: datetime.datetime | None,
    now: datetime.datetime,
    turn: datetime.timedelta,
) -> datetime.datetime:
    """Give until when one waits whose days end at ``ends``, and that a gate has let go at ``let_go``."""
    if let_go is None:
        return ends
    word = max(ends, let_go + turn)
    wanted = max(word, now + turn)
    # What is noted beyond the gate's word is the turn of an earlier start: who starts again and again gives one.
    return wanted if noted is None or noted <= word else min(noted, wanted)

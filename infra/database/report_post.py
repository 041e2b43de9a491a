"""Mailed reports in SQL: whom they may go to, when they go by themselves, and each mail's way, by compare-and-set.

    waiting ──► making ──► sending ──► sent · failed
       ▲           │           └─────► unknown     (its process is gone: nobody knows whether it went out)
       └───────────┘ (its process is gone, or the carrier cannot take it yet)

A mail is keyed by schedule and day, or by the form that asked for it: asked twice, it is there once.
"""

import datetime
from collections.abc import Sequence
from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import ColumnElement, Engine, and_, delete, exists, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from infra.database.engine import reading, writing
from infra.database.report_tables import report_mailings, report_recipients, report_schedules

__all__ = ["Allowed", "Every", "Mailing", "MailingState", "ReportPost", "Schedule"]

Every = Literal["day", "week", "month"]
MailingState = Literal["waiting", "making", "sending", "sent", "failed", "unknown"]


class Allowed(Struct, frozen=True, kw_only=True):
    """Who may be sent reports: an address, or '@' and a domain; ``company`` '': about any company."""

    company: str
    pattern: str
    allowed_by: str
    allowed_at: datetime.datetime


class Schedule(Struct, frozen=True, kw_only=True):
    """A report that goes by itself; ``number`` is the day of the week (1: Monday) or of the month."""

    schedule: str
    user: str
    report: str
    filters_json: str
    form: str
    every: Every
    number: int
    hour: int
    recipients: str
    made_at: datetime.datetime
    is_ended: bool = False


class Mailing(Struct, frozen=True, kw_only=True):
    """One mail to one recipient; ``on`` '': as of the day on which it is made."""

    mailing: str
    recipient: str
    user: str
    report: str
    filters_json: str
    form: str
    asked_at: datetime.datetime
    changed_at: datetime.datetime
    retry_at: datetime.datetime
    on: str = ""
    schedule: str = ""
    state: MailingState = "waiting"
    held_by: str = ""
    attempts: int = 0
    detail: str = ""
    provider_id: str = ""


class ReportPost:
    """Reads and writes these tables; several threads and processes may use it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert

    # -- recipients --------------------------------------------------------------------

    def allowed(self) -> list[Allowed]:
        """List who may be sent reports."""
        query = select(report_recipients).order_by(*report_recipients.primary_key)
        with reading(self._engine) as connection:
            return [Allowed(**row) for row in connection.execute(query).mappings()]

    def allow(self, allowed: Allowed) -> None:
        """Let somebody be sent reports; again changes nothing."""
        values = {name: getattr(allowed, name) for name in allowed.__struct_fields__}
        with writing(self._engine) as connection:
            connection.execute(self._insert(report_recipients).values(**values).on_conflict_do_nothing())

    def forbid(self, *, company: str, pattern: str) -> None:
        """Take that back."""
        which = and_(report_recipients.c["company"] == company, report_recipients.c["pattern"] == pattern)
        with writing(self._engine) as connection:
            connection.execute(delete(report_recipients).where(which))

    # -- schedules ---------------------------------------------------------------------

    def plan(self, schedule: Schedule) -> None:
        """Keep a schedule; one that is there stays as it is."""
        values = {name: getattr(schedule, name) for name in schedule.__struct_fields__}
        with writing(self._engine) as connection:
            connection.execute(self._insert(report_schedules).values(**values).on_conflict_do_nothing())

    def schedules(self, *, users: Sequence[str] | None = None, limit: int = 1_000) -> list[Schedule]:
        """List the schedules that have not ended, of some users or of all, the oldest first."""
        query = select(report_schedules).where(~report_schedules.c["is_ended"])
        if users is not None:
            query = query.where(report_schedules.c["user"].in_(users))
        ordered = query.order_by(report_schedules.c["made_at"], report_schedules.c["schedule"]).limit(limit)
        with reading(self._engine) as connection:
            return [Schedule(**row) for row in connection.execute(ordered).mappings()]

    def end_schedule(self, schedule: str, *, users: Sequence[str] | None = None) -> bool:
        """End a schedule, if it is one of these users' (None: anybody's); say whether one was ended."""
        which = and_(report_schedules.c["schedule"] == schedule, ~report_schedules.c["is_ended"])
        if users is not None:
            which = and_(which, report_schedules.c["user"].in_(users))
        with writing(self._engine) as connection:
            return (
                connection.execute(update(report_schedules).where(which).values(is_ended=True)).rowcount > 0
            )

    # -- mails -------------------------------------------------------------------------

    def ask(self, mailings: Sequence[Mailing]) -> None:
        """Write mails that are not there yet; one that is stays as it is."""
        rows = [{name: getattr(each, name) for name in each.__struct_fields__} for each in mailings]
        if rows:
            with writing(self._engine) as connection:
                connection.execute(self._insert(report_mailings).on_conflict_do_nothing(), rows)

    def mailings(self, *, users: Sequence[str] | None = None, limit: int) -> list[Mailing]:
        """List mails, the newest first."""
        query = select(report_mailings)
        if users is not None:
            query = query.where(report_mailings.c["user"].in_(users))
        newest = query.order_by(report_mailings.c["asked_at"].desc(), *report_mailings.primary_key)
        return self._found(newest.limit(limit))

    def held(self) -> list[Mailing]:
        """List the mails that some process makes or sends."""
        return self._found(
            select(report_mailings).where(report_mailings.c["state"].in_(("making", "sending")))
        )

    def take(self, *, owner: str, now: datetime.datetime) -> Mailing | None:
        """Take a mail that waits, to make it; None: none does, or another process was faster."""
        ready = and_(report_mailings.c["state"] == "waiting", report_mailings.c["retry_at"] <= now)
        oldest = select(report_mailings).where(ready).order_by(report_mailings.c["retry_at"]).limit(1)
        with writing(self._engine) as connection:
            row = connection.execute(oldest).mappings().first()
            if row is None:
                return None
            found = Mailing(**row)
            values = {
                "state": "making",
                "held_by": owner,
                "changed_at": now,
                "attempts": found.attempts + 1,
            }
            taken = update(report_mailings).where(_is(found), report_mailings.c["state"] == "waiting")
            is_taken = connection.execute(taken.values(values)).rowcount == 1
        return found if is_taken else None

    def intend(self, mailing: Mailing, *, owner: str, now: datetime.datetime) -> bool:
        """Note that it is handed over now: the last thing before the carrier is called. False: it is not ours."""
        return self._move(mailing, owner=owner, was="making", values={"state": "sending", "changed_at": now})

    def end(
        self,
        mailing: Mailing,
        *,
        owner: str,
        state: MailingState,
        now: datetime.datetime,
        detail: str = "",
        provider_id: str = "",
        retry_at: datetime.datetime | None = None,
    ) -> bool:
        """Write what became of it, or when it is tried again (``waiting``); False: it is not ``owner``'s."""
        values = {
            "state": state,
            "held_by": "",
            "changed_at": now,
            "detail": detail,
            "provider_id": provider_id,
            "retry_at": retry_at or mailing.retry_at,
        }
        return self._move(mailing, owner=owner, was=None, values=values)

    def may_go_again(self, *, mailing: str, recipient: str, users: Sequence[str] | None) -> bool:
        """Say whether there is such a mail that failed, or of which nobody knows; `users`: of these."""
        which = _undone(mailing=mailing, recipient=recipient, users=users)
        with reading(self._engine) as connection:
            return connection.execute(select(exists().where(which))).scalar_one()

    def again(
        self, *, mailing: str, recipient: str, users: Sequence[str] | None, now: datetime.datetime
    ) -> bool:
        """Let a mail that failed, or of which nobody knows, go once more; say whether there was one."""
        which = _undone(mailing=mailing, recipient=recipient, users=users)
        values = {"state": "waiting", "retry_at": now, "changed_at": now, "attempts": 0}
        with writing(self._engine) as connection:
            return connection.execute(update(report_mailings).where(which).values(values)).rowcount > 0

    def _move(
        self, mailing: Mailing, *, owner: str, was: MailingState | None, values: dict[str, Any]
    ) -> bool:
        state = report_mailings.c["state"]
        before = or_(state == "making", state == "sending") if was is None else state == was
        statement = update(report_mailings).where(_is(mailing), before, report_mailings.c["held_by"] == owner)
        with writing(self._engine) as connection:
            return connection.execute(statement.values(values)).rowcount == 1

    def _found(self, query: Any) -> list[Mailing]:
        with reading(self._engine) as connection:
            return [Mailing(**row) for row in connection.execute(query).mappings()]


def _undone(*, mailing: str, recipient: str, users: Sequence[str] | None) -> ColumnElement[bool]:
    which = and_(
        report_mailings.c["mailing"] == mailing,
        report_mailings.c["recipient"] == recipient,
        report_mailings.c["state"].in_(("failed", "unknown")),
    )
    return which if users is None else and_(which, report_mailings.c["user"].in_(users))


def _is(mailing: Mailing) -> ColumnElement[bool]:
    return and_(
        report_mailings.c["mailing"] == mailing.mailing, report_mailings.c["recipient"] == mailing.recipient
    )

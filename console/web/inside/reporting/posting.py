"""Mailing reports: those that people asked for, and those that a timetable says; each is made as its user may see it
at that moment, and handed over once.

A mail that was about to be handed over when its process died is in doubt: where the carrier keeps keys, or
can say what it did, the doubt ends; else a person is asked. Nothing is sent twice on a guess.
"""

import datetime
import hashlib
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from msgspec import json
from msgspec.structs import replace
from sqlalchemy import Connection, Engine, func, select

from console.web.inside.access import Person
from console.web.inside.reporting.asking import Filters, ReportAsked
from console.web.inside.reporting.catalogue import REPORTS
from console.web.inside.reporting.making import FORMS, MEDIA, FileForm, file_name, file_of, title_of
from console.web.inside.reporting.printing import TooLongError
from console.web.inside.reporting.recipients import is_allowed
from console.web.inside.reporting.timetable import LATE_MAX, due_day, instant_of
from console.web.inside.reporting.typesetting import TypesettingError
from console.web.inside.showing import words_of
from infra.database.engine import reading
from infra.database.people import PeopleBook
from infra.database.presence import is_gone, present
from infra.database.queries.moment import company_day, company_zone
from infra.database.report_post import Mailing, MailingState, ReportPost, Schedule
from infra.database.tables import companies
from notifiers.channel import (
    Attachment,
    Channel,
    Message,
    PermanentError,
    Sender,
    TemporaryError,
    TracingChannel,
    UncertainError,
    traits_of,
)
from notifiers.retry_after import RETRY_AFTER_S_MAX
from notifiers.writing.figures import day_text
from schemas.events import Contact

__all__ = ["BYTES_MAX", "Poster", "Refused", "mailings_of"]

BYTES_MAX: Final = 10 * 1024 * 1024
_ATTEMPTS_MAX: Final = 8
_RETRY_FIRST: Final = datetime.timedelta(minutes=1)
_LOOK_EVERY_S: Final = 5.0
_MISSED: Final = "missed"
_forms: Final = {str(each): each for each in FORMS}
_log = structlog.get_logger(__name__)
_filters: Final = json.Decoder(Filters)


class Refused(Exception):  # noqa: N818 - it is an answer, no fault
    """A report does not go by mail; ``reason`` is one of the words ``mail_faults``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class _Letter:
    """What is to be handed over, and as of which day it is."""

    message: Message
    on: datetime.date


def mailings_of(schedule: Schedule, *, day: datetime.date, now: datetime.datetime) -> list[Mailing]:
    """Give the mails of a schedule's day: the same ones, however often it is asked for."""
    return [
        Mailing(
            mailing=f"{schedule.schedule}/{day.isoformat()}",
            recipient=recipient,
            user=schedule.user,
            report=schedule.report,
            filters_json=schedule.filters_json,
            form=schedule.form,
            schedule=schedule.schedule,
            asked_at=now,
            changed_at=now,
            retry_at=now,
        )
        for recipient in schedule.recipients.splitlines()
    ]


class Poster:
    """Carries mails of reports out, one after the other; several may run.

    Args:
        engine: of the database.
        channel: carries mail (``notifiers.assembly.open_channel``: sandbox recipients are its business).
        clock: the wall clock, UTC.
        owner: a name that no process will have again.
        retry_after_s_max: a carrier that says how long to wait is heeded for so long at most; 0: not at all (``SendSettings``).
    """

    def __init__(
        self,
        engine: Engine,
        *,
        channel: Channel,
        clock: Callable[[], datetime.datetime],
        owner: str = "",
        retry_after_s_max: float = RETRY_AFTER_S_MAX,
    ) -> None:
        self._retry_after_s_max = retry_after_s_max
        self.owner = owner or f"reports-{uuid.uuid4().hex}"
        self._engine, self._channel, self._clock = engine, channel, clock
        self._post, self._people = ReportPost(engine), PeopleBook(engine)

    def run(self, stopping: threading.Event, *, beat: Callable[[], None] = lambda: None) -> None:
        """Work until told to stop; ``beat`` is called at each round."""
        with present(self._engine, owner=self.owner) as still_present:
            while not stopping.is_set():
                beat()
                still_present()
                self.settle()
                self.plan()
                while not stopping.is_set() and self.carry():
                    beat()
                    still_present()
                stopping.wait(_LOOK_EVERY_S)

    def plan(self) -> None:
        """Ask for the mails of schedules that are due; what was due too long ago is noted as missed."""
        now = self._clock()
        for schedule in self._post.schedules():
            zone = self._zone(_filters.decode(schedule.filters_json))
            day = due_day(schedule, now=now, zone=zone)
            if day is None:
                continue
            found = mailings_of(schedule, day=day, now=now)
            if now - instant_of(day, hour=schedule.hour, zone=zone) > LATE_MAX:
                found = [replace(each, state="failed", detail=_MISSED) for each in found]
            self._post.ask(found)

    def settle(self) -> None:
        """Take up what a process that is gone has left: made again, found out, or in doubt."""
        for each in self._post.held():
            if each.held_by == self.owner or not is_gone(
                self._engine, owner=each.held_by, since=each.changed_at
            ):
                continue
            now = self._clock()
            if each.state == "making" or traits_of(self._channel).is_repeatable:
                self._post.end(each, owner=each.held_by, state="waiting", now=now, retry_at=now)
            else:
                self._ask_carrier(each, now=now)

    def carry(self) -> bool:
        """Carry one mail; False: none waits."""
        mailing = self._post.take(owner=self.owner, now=self._clock())
        if mailing is None:
            return False
        try:
            letter = self._letter(mailing)
        except Refused as error:
            self._end(mailing, "failed", detail=error.reason)
            return True
        if self._post.intend(mailing, owner=self.owner, now=self._clock()):
            self._hand_over(mailing, letter.message)
        return True

    # -- handing over --------------------------------------------------------------------

    def _hand_over(self, mailing: Mailing, message: Message) -> None:
        try:
            receipt = self._channel.send(message)
        except TemporaryError as error:
            self._later(mailing, error)
        except PermanentError as error:
            self._end(mailing, "failed", detail=error.detail)
        except UncertainError as error:
            self._end(mailing, "unknown", detail=error.detail)
        else:
            self._end(mailing, "sent", provider_id=receipt.provider_id)

    def _later(self, mailing: Mailing, error: TemporaryError) -> None:
        attempts = mailing.attempts + 1
        now = self._clock()
        if attempts >= _ATTEMPTS_MAX:
            self._end(mailing, "failed", detail=error.detail)
            return
        asked = datetime.timedelta(seconds=min(self._retry_after_s_max, error.retry_after_s))
        retry_at = now + max(_RETRY_FIRST * 2 ** (attempts - 1), asked)
        self._post.end(
            mailing, owner=self.owner, state="waiting", now=now, detail=error.detail, retry_at=retry_at
        )

    def _end(self, mailing: Mailing, state: MailingState, *, detail: str = "", provider_id: str = "") -> None:
        self._post.end(
            mailing,
            owner=self.owner,
            state=state,
            now=self._clock(),
            detail=detail,
            provider_id=provider_id,
        )
        _log.info("report_mailing", report=mailing.report, state=state, detail=detail)

    def _ask_carrier(self, mailing: Mailing, *, now: datetime.datetime) -> None:
        """End a doubt by the carrier's word, where it has one."""
        receipt, asked = None, False
        if isinstance(self._channel, TracingChannel):
            try:
                receipt, asked = self._channel.find(self._letter(mailing).message), True
            except (TemporaryError, Refused) as error:
                _log.warning("report_mailing_not_asked", report=mailing.report, detail=str(error))
        state: MailingState = "sent" if receipt is not None else "waiting" if asked else "unknown"
        self._post.end(
            mailing,
            owner=mailing.held_by,
            state=state,
            now=now,
            detail="" if state != "unknown" else "interrupted",
            provider_id="" if receipt is None else receipt.provider_id,
            retry_at=now,
        )

    # -- making --------------------------------------------------------------------------

    def _letter(self, mailing: Mailing) -> _Letter:
        """Make a mail as its user may see the report now.

        Raises:
            Refused: he may not any more, nor its recipient; or it cannot be made.
        """
        asked = self._asked(mailing)
        form = _forms.get(mailing.form)
        if mailing.report not in REPORTS or form is None:
            raise Refused("gone")
        content = self._content(mailing.report, asked, form=form)
        words = words_of(asked.person.language)
        day = day_text(asked.on, language=words["language"])
        title = title_of(mailing.report, asked)
        key = hashlib.blake2b(f"{mailing.mailing}\n{mailing.recipient}".encode(), digest_size=16).hexdigest()
        said = words["mail"]["scheduled" if mailing.schedule else "asked"]
        text = f"{title}: {day}\n\n{said.format(user=mailing.user)}\n"
        message = Message(
            reminder=f"report-{key}",
            channel="email",
            account="",
            customer="report",
            step=mailing.report,
            language=words["language"],
            at=self._clock(),
            on=asked.on,
            sender=self._sender(asked),
            contact=Contact(email=mailing.recipient),
            subject=f"{title}: {day}",
            text=text,
            attachments=(
                Attachment(
                    name=file_name(mailing.report, asked, form=form),
                    media_type=MEDIA[form].partition(";")[0],
                    content=content,
                ),
            ),
        )
        return _Letter(message=message, on=asked.on)

    def _asked(self, mailing: Mailing) -> ReportAsked:
        user = self._people.user(mailing.user)
        if user is None or user.is_disabled:
            raise Refused("user")
        person = Person(
            user=user.user,
            role=user.role,
            language=user.language,
            companies=user.companies,
            csrf="",
            session="",
        )
        if not person.may("collector"):
            raise Refused("user")
        filters = _filters.decode(mailing.filters_json)
        on = datetime.date.fromisoformat(mailing.on) if mailing.on else self._today(filters)
        asked = ReportAsked(person=person, on=on, filters=filters)
        if not is_allowed(mailing.recipient, companies=asked.companies, allowed=self._post.allowed()):
            raise Refused("recipient")
        return asked

    def _content(self, report: str, asked: ReportAsked, *, form: FileForm) -> bytes:
        try:
            path = file_of(self._engine, report, asked, form=form)
        except TooLongError as error:
            raise Refused("too_long") from error
        except TypesettingError as error:
            _log.exception("report_not_set", report=report)
            raise Refused("broken") from error
        try:
            if path.stat().st_size > BYTES_MAX:
                raise Refused("too_large")
            return path.read_bytes()
        finally:
            path.unlink()

    def _sender(self, asked: ReportAsked) -> Sender:
        """Give the company that it is from: the one it is about, else the first that has an address."""
        query = select(companies.c["company"], companies.c["name"], companies.c["profile_json"])
        with reading(self._engine) as connection:
            known = [
                row
                for row in connection.execute(query.order_by(companies.c["company"]))
                if asked.sees(row.company)
            ]
        told = [
            Sender(
                company=row.company,
                name=row.name,
                email=(json.decode(row.profile_json) or {}).get("sender_email", ""),
            )
            for row in known
        ]
        plain = Sender(company="reports", name="Cobranza")
        return next((each for each in told if each.email), told[0] if told else plain)

    def _zone(self, filters: Filters) -> ZoneInfo:
        """Give the zone of the company that a report is about."""
        with reading(self._engine) as connection:
            return company_zone(connection, _company_of(connection, filters))

    def _today(self, filters: Filters) -> datetime.date:
        with reading(self._engine) as connection:
            return company_day(connection, _company_of(connection, filters), wall=self._clock())


def _company_of(connection: Connection, filters: Filters) -> str:
    """Give the company whose days a report has: the one that it is about; of several, the first one."""
    named = filters.company or filters.account.partition(":")[0]
    return named or connection.execute(select(func.min(companies.c["company"]))).scalar() or ""

"""Words of people and providers are kept so long and no longer: their text goes, that there was a word stays.

Of the audit what an act set goes, too; who did what, when and about which account stays. What people had done for many
customers at once, and which reports went by mail to whom, goes whole: nothing is known by it any more.

What names a word stays too, so that one which comes again is still known. It knows no clock and no
retention; and it refuses to touch what is not settled: a word that waits, an answer that is not in Kafka,
the evidence of a delivery of which nobody knows.
"""

import datetime
from collections.abc import Iterator
from typing import Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Engine, Table, and_, delete, exists, or_, select, tuple_, update

from infra.database.batch_tables import batch_lines, batches
from infra.database.engine import reading, writing
from infra.database.feedback_tables import feedback_words, suppressions
from infra.database.link_tables import link_answers
from infra.database.people_tables import audit, login_failures, sessions
from infra.database.report_tables import report_mailings, report_schedules
from infra.database.send_tables import send_jobs, send_notes

__all__ = ["trim_words"]

_BATCH: Final = 500
# A session lasts a week at most (``COBRANZA_CONSOLE_SESSION_HOURS``), and who has failed waits for less.
_LOGIN_MAX: Final = datetime.timedelta(days=8)
_LOGINS: Final = (login_failures, sessions)


class _Kind(Struct, frozen=True, kw_only=True):
    """Rows of one table: when each was said, which columns are text of people, and what must be true besides.

    Without such columns the rows go whole, with those of ``parts`` that have their key; ``at_once`` of them in a transaction.
    """

    name: str
    table: Table
    said_at: str
    texts: tuple[str, ...] = ()
    settled: ColumnElement[bool] | None = None
    parts: Table | None = None
    at_once: int | None = None


_IN_DOUBT: Final = (
    exists()
    .where(
        send_jobs.c["reminder"] == send_notes.c["reminder"],
        send_jobs.c["channel"] == send_notes.c["channel"],
        send_jobs.c["state"] == "unknown",
    )
    .correlate(send_notes)
)
_NOT_ASKED: Final = (
    exists()
    .where(batch_lines.c["batch"] == batches.c["batch"], batch_lines.c["is_asked"].is_(False))
    .correlate(batches)
)
# Acts whose detail names our own things only (users, files, fields, plans, reminders): it stays. Of any other act it may
# have a reason or an address in it.
_PLAIN_ACTS: Final = (
    "collections.company.configure.v1",
    "collections.plan.publish.v1",
    "console.texts.logo",
    "console.texts.save",
    "console.user.add",
    "console.user.change",
    "console.user.password",
    "console.what_if.start",
    "console.what_if.stop",
    "delivery.ask",
    "letter.again",
)
_KINDS: Final = (
    _Kind(
        name="feedback",
        table=feedback_words,
        said_at="received_at",
        texts=("address", "detail", "reply"),
        settled=feedback_words.c["state"] != "waiting",
    ),
    _Kind(
        name="answers",
        table=link_answers,
        said_at="given_at",
        texts=("event_json",),
        settled=link_answers.c["published"].is_(True),
    ),
    _Kind(name="notes", table=send_notes, said_at="at", texts=("detail",), settled=~_IN_DOUBT),
    _Kind(name="suppressions", table=suppressions, said_at="since", texts=("detail",)),
    _Kind(
        name="audit",
        table=audit,
        said_at="at",
        texts=("said_json", "detail"),
        settled=audit.c["act"].not_in(_PLAIN_ACTS),
    ),
    _Kind(
        name="audit",
        table=audit,
        said_at="at",
        texts=("said_json",),
        settled=audit.c["act"].in_(_PLAIN_ACTS),
    ),
    # A batch may have thousands of lines; what is not in Kafka yet may still be carried out.
    _Kind(
        name="batches", table=batches, said_at="made_at", settled=~_NOT_ASKED, parts=batch_lines, at_once=1
    ),
    _Kind(
        name="report_mails",
        table=report_mailings,
        said_at="asked_at",
        settled=report_mailings.c["state"].in_(("sent", "failed")),
    ),
    _Kind(
        name="report_schedules",
        table=report_schedules,
        said_at="made_at",
        settled=report_schedules.c["is_ended"],
    ),
    # Their names are users and addresses of the network.
    _Kind(name="login_failures", table=login_failures, said_at="last_at"),
    _Kind(name="sessions", table=sessions, said_at="seen_at"),
)


def trim_words(
    engine: Engine, *, before: datetime.datetime, now: datetime.datetime
) -> Iterator[tuple[str, int]]:
    """Empty the texts that were said before an instant, or remove them whole; give after each lot its kind and how many rows it had.

    Kinds: what providers told (``feedback``: address, words, replies), what readers answered by links
    (``answers``), what was noted of deliveries (``notes``), why an address is suppressed
    (``suppressions``), what users set and why (``audit``). Whole: what was asked for many customers (``batches``), mails of reports that have gone
    or failed (``report_mails``), timetables that were ended (``report_schedules``), logins that failed (``login_failures``)
    or were left open (``sessions``), but none that may still count. A lot is a transaction of its own, so that
    nobody waits for long.
    """
    logins_before = min(before, now - _LOGIN_MAX)
    for kind in _KINDS:
        yield from _trim(
            engine, kind, before=logins_before if any(kind.table is each for each in _LOGINS) else before
        )


def _trim(engine: Engine, kind: _Kind, *, before: datetime.datetime) -> Iterator[tuple[str, int]]:
    table = kind.table
    keys = [table.c[column.name] for column in table.primary_key]
    wanted = [table.c[kind.said_at] < before]
    if kind.texts:
        wanted.append(or_(*(table.c[name] != "" for name in kind.texts)))
    if kind.settled is not None:
        wanted.append(kind.settled)
    after: tuple[object, ...] | None = None
    while True:
        beyond = [] if after is None else [tuple_(*keys) > tuple_(*after)]
        query = select(*keys).where(and_(*wanted), *beyond).order_by(*keys).limit(kind.at_once or _BATCH)
        with reading(engine) as connection:
            found = [tuple(row) for row in connection.execute(query)]
        if not found:
            return
        these = and_(tuple_(*keys).in_(found), *wanted)
        with writing(engine) as connection:
            if kind.parts is not None:
                named = [kind.parts.c[each.name] for each in keys]
                connection.execute(delete(kind.parts).where(tuple_(*named).in_(found)))
            if kind.texts:
                emptying = update(table).where(these).values(dict.fromkeys(kind.texts, ""))
                count = connection.execute(emptying).rowcount
            else:
                count = connection.execute(delete(table).where(these)).rowcount
        yield kind.name, count
        after = found[-1]

"""Words of people and providers are kept so long and no longer: their text goes, that there was a word stays.

Of the audit what an act set goes, too; who did what, when and about which account stays.

What names a word stays too, so that one which comes again is still known. It knows no clock and no
retention; and it refuses to touch what is not settled: a word that waits, an answer that is not in Kafka,
the evidence of a delivery of which nobody knows.
"""

import datetime
from collections.abc import Iterator
from typing import Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Engine, Table, and_, exists, or_, select, tuple_, update

from infra.database.engine import reading, writing
from infra.database.feedback_tables import feedback_words, suppressions
from infra.database.link_tables import link_answers
from infra.database.people_tables import audit
from infra.database.send_tables import send_jobs, send_notes

__all__ = ["trim_words"]

_BATCH: Final = 500


class _Kind(Struct, frozen=True, kw_only=True):
    """Rows of one table: when each was said, which columns are text of people, and what must be true besides."""

    name: str
    table: Table
    said_at: str
    texts: tuple[str, ...]
    settled: ColumnElement[bool] | None = None


_IN_DOUBT: Final = (
    exists()
    .where(
        send_jobs.c["reminder"] == send_notes.c["reminder"],
        send_jobs.c["channel"] == send_notes.c["channel"],
        send_jobs.c["state"] == "unknown",
    )
    .correlate(send_notes)
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
)


def trim_words(engine: Engine, *, before: datetime.datetime) -> Iterator[tuple[str, int]]:
    """Empty the texts that were said before an instant; give after each batch its kind and how many rows it had.

    Kinds: what providers told (``feedback``: address, words, replies), what readers answered by links
    (``answers``), what was noted of deliveries (``notes``), why an address is suppressed
    (``suppressions``), what users set and why (``audit``). A batch is a transaction of its own, so that nobody waits for long.
    """
    for kind in _KINDS:
        yield from _trim(engine, kind, before=before)


def _trim(engine: Engine, kind: _Kind, *, before: datetime.datetime) -> Iterator[tuple[str, int]]:
    table = kind.table
    keys = [table.c[column.name] for column in table.primary_key]
    has_text = or_(*(table.c[name] != "" for name in kind.texts))
    wanted = [table.c[kind.said_at] < before, has_text]
    if kind.settled is not None:
        wanted.append(kind.settled)
    after: tuple[object, ...] | None = None
    while True:
        beyond = [] if after is None else [tuple_(*keys) > tuple_(*after)]
        query = select(*keys).where(and_(*wanted), *beyond).order_by(*keys).limit(_BATCH)
        with reading(engine) as connection:
            found = [tuple(row) for row in connection.execute(query)]
        if not found:
            return
        emptying = update(table).where(tuple_(*keys).in_(found), *wanted)
        with writing(engine) as connection:
            count = connection.execute(emptying.values(dict.fromkeys(kind.texts, ""))).rowcount
        yield kind.name, count
        after = found[-1]

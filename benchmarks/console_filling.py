"""A read model of a size: records of ``benchmarks.console_records``, written by the projection itself.

So the rows are those that the projector writes, with everything that it keeps beside them. What others
than the projector write (send jobs, tasks, audit, the user who looks) is put in as they would.
"""

import argparse
import datetime
import time
from collections.abc import Iterable, Iterator
from typing import Any, Final

from sqlalchemy import Engine, insert

from benchmarks.console_records import NOW, PARTITIONS, AccountRecords, Size, records, shared_rows
from console.web.inside.access import digest_of, hash_password
from infra.database.batches import Batch as BatchAsked
from infra.database.batches import BatchBook, BatchLine
from infra.database.bulk import write
from infra.database.engine import open_engine, writing
from infra.database.migrate import upgrade
from infra.database.people import AuditEntry, PeopleBook, Session, User
from infra.database.people_tables import audit
from infra.database.send_tables import send_jobs, tasks
from infra.projection.batch import Batch
from infra.projection.facts import project_fact, project_outcome
from infra.projection.rows import project_row
from schemas.codec import encode, type_of
from schemas.envelope import Envelope, to_headers
from schemas.facts import LedgerFact, ReminderDecided, ReminderEnded
from schemas.outcomes import OutcomeReported
from schemas.rows import encode_key, encode_row

__all__ = ["BATCH", "LANGUAGE", "TOKEN", "fill", "main"]

TOKEN: Final = "benchmark"  # noqa: S105 - of a session on made-up data
LANGUAGE: Final = "es"
BATCH: Final = "of-many"  # one that the user has asked for
_BATCH_LINES: Final = 2_000
_BATCH: Final = 20_000
_SAID: Final = '{"set":{"kind":"call_attempt","text":"Nobody answered; tried the mobile, too."}}'


def main() -> None:
    """Fill the database of a URL."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("url")
    arguments.add_argument("--accounts", type=int, default=10_000)
    arguments.add_argument("--items", type=int, default=1_000_000)
    given = arguments.parse_args()
    engine = open_engine(given.url, rebuildable=True)
    began = time.monotonic()
    fill(engine, size=Size(given.accounts, given.items))
    engine.dispose()
    print(f"{time.monotonic() - began:.1f} s")


def fill(engine: Engine, *, size: Size, seed: int = 1) -> int:
    """Make the tables and fill them; return how many records were projected."""
    upgrade(engine)
    batch, projected, offset = Batch(), 0, 0
    jobs: list[dict[str, Any]] = []
    names: list[str] = []
    for partition in range(PARTITIONS):
        for key, row in shared_rows():
            project_row(batch, key=encode_key(key), value=encode_row(row), partition=partition)
    for number, each in enumerate(records(size, seed=seed)):
        offset = _project(batch, each, partition=number % PARTITIONS, offset=offset)
        names.append(each.account)
        jobs += _jobs(each.facts, partition=number % PARTITIONS)
        projected += len(each.rows) + len(each.facts)
        if batch.records >= _BATCH:
            _write(engine, batch, jobs)
            batch, jobs = Batch(), []
    _write(engine, batch, jobs)
    _write_others(engine, names)
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM ANALYZE")
    return projected


def _project(batch: Batch, each: AccountRecords, *, partition: int, offset: int) -> int:
    for key, row in each.rows:
        project_row(batch, key=encode_key(key), value=encode_row(row), partition=partition)
    for fact in each.facts:
        offset += 1
        project_fact(batch, value=encode(fact), offset=offset, recorded_at=NOW)
        if isinstance(fact, ReminderEnded):
            _outcome(batch, fact, partition=partition, offset=offset)
    batch.records += len(each.rows) + len(each.facts)
    return offset


def _outcome(batch: Batch, fact: ReminderEnded, *, partition: int, offset: int) -> None:
    company, _, customer = fact.account.partition(":")
    said = OutcomeReported(
        company=company, customer=customer, occurred_at=fact.tick.isoformat(), reminder=fact.reminder,
        channel="email", status="accepted" if fact.status == "sent" else "bounced",
        error_type="" if fact.status == "sent" else "address_bounced",
    )  # fmt: skip
    headers = to_headers(Envelope(id=str(offset), source="/benchmark", type=type_of(said)))
    project_outcome(batch, headers=headers, value=encode(said), partition=partition, offset=offset)


def _jobs(facts: Iterable[LedgerFact], *, partition: int) -> Iterator[dict[str, Any]]:
    """Give the send ledger's rows of what was decided."""
    for each in facts:
        if isinstance(each, ReminderDecided):
            yield {
                "reminder": each.id,
                "channel": "email",
                "account": each.account,
                "company": each.company,
                "partition": partition,
                "mode": each.mode,
                "tick": each.tick,
                "not_before": each.tick,
                "decision_version": each.decision_version,
                "reminder_json": encode(each).decode(),
                "state": "accepted",
                "attempts": 1,
                "recipient": each.deliveries[0].contact.email,
                "subject": "Recordatorio",
                "provider_id": each.id,
                "occurred_at": each.tick.isoformat(),
                "published": True,
                "provider": "smtp",
                "cost_currency": "USD",
                "cost_micros": 100,
            }


def _write(engine: Engine, batch: Batch, jobs: list[dict[str, Any]]) -> None:
    with writing(engine) as connection:
        batch.apply(connection)
        if jobs:
            connection.execute(insert(send_jobs), jobs)


def _write_others(engine: Engine, names: list[str]) -> None:
    """Write listed tasks, the audit, a viewer of everything who is logged in, and a batch of his."""
    listed = [
        (f"{name}/r0", 0, name, *name.split(":"), "first", "call", "Call them", "ana", NOW.date(), "open")
        for name in names[::20]
    ]
    people = PeopleBook(engine)
    user = User(
        user="bench", role="administrator", password_hash=hash_password("benchmark only"), language=LANGUAGE
    )
    people.put(user, at=NOW)
    people.begin(Session(session=digest_of(TOKEN), user="bench", csrf="csrf", begun_at=NOW, seen_at=NOW))
    lines = [
        BatchLine(account=names[place % len(names)], commands=(f"{BATCH}/{place}",))
        for place in range(_BATCH_LINES)
    ]
    batch = BatchAsked(batch=BATCH, user="bench", made_at=NOW, asked_json='{"verb":"log"}')
    BatchBook(engine).keep(batch, lines)
    hour = datetime.timedelta(hours=1)
    with writing(engine) as connection:
        write(connection, table=tasks, rows=listed, known="left")
        entries = [
            AuditEntry(
                entry=f"{name}/n{number}", at=NOW - (place % 5_000) * hour, user="ana",
                act="collections.note.add.v1", account=name, said_json=_SAID,
            )
            for place, name in enumerate(names) for number in range(2)
        ]  # fmt: skip
        fields = AuditEntry.__struct_fields__
        connection.execute(
            insert(audit), [{name: getattr(each, name) for name in fields} for each in entries]
        )


if __name__ == "__main__":
    main()

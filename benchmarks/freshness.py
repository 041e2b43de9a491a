"""How long after its publication a payment stops a mail (R32), measured with all processes of an installation.

    payment ─► broker ─► intake ─► journal ─► ledger ─► projector ─► account's version in SQL
                                                                          │ asked in the statement
    reminder, decided before ─► notifier ─────────────────────────────────┴─► before each call ─► SMTP

Mails go out one after the other, to a server that takes its time; meanwhile customers whose mail has
not gone yet pay. Two figures come of it. *Stopped after*: from just before the payment is handed to the
broker until its account's new version is in SQL, from where on the notifier's next look stops the mail.
*Sent although paid*: of the mails that went out after their payment was acknowledged, how long after.
"""

import argparse
import asyncio
import os
import random
import re
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import Engine, select

from benchmarks.end_to_end import Pipeline, open_pipeline, run_command
from benchmarks.figures import Figure, save
from benchmarks.observers import customer_of
from benchmarks.workload import COMPANY
from infra.database.engine import open_engine, reading
from infra.database.send_tables import send_jobs
from infra.database.tables import accounts
from infra.ports import free_port
from schemas.events import PaymentLine, PaymentReceived
from schemas.fields import account_id

__all__ = ["main"]

_REMINDER: Final = re.compile(rb"(?mi)^X-Cobranza-Reminder: *(\S+)")
_MAIL_S: Final = 0.03
_POLL_S: Final = 0.002
_S_MAX: Final = 180.0


class SlowServer:
    """Takes each mail after a while; ``called_at``: when each began, by reminder (epoch seconds). A context."""

    def __init__(self) -> None:
        self.port = free_port()
        self.called_at: dict[str, float] = {}
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Take a mail."""
        content = envelope.content
        found = _REMINDER.search(content if isinstance(content, bytes) else str(content).encode())
        assert found is not None
        self.called_at[found[1].decode()] = time.time()
        await asyncio.sleep(_MAIL_S)
        return "250 2.0.0 taken"


class _Watch:
    """Customers that pay, and when each payment was published, acknowledged, and known where it stops a mail."""

    def __init__(self, pipeline: Pipeline, *, engine: Engine, chance: random.Random) -> None:
        self.published_s: dict[str, float] = {}
        self.acknowledged_s: dict[str, float] = {}
        self.known_s: dict[str, float] = {}
        self._pipeline = pipeline
        self._engine = engine
        self._chance = chance
        self._before: dict[str, int] = self._versions([])

    def pay(self, number: int) -> None:
        """Publish the payment of an invoice."""
        account = account_id(company=COMPANY, customer=customer_of(number))
        paid = PaymentReceived(
            company=COMPANY,
            customer=customer_of(number),
            occurred_at=time.strftime("%Y-%m-%d", time.gmtime()),
            payment=f"PAY-{number:08d}",
            currency="USD",
            amount="120.50",
            lines=(PaymentLine(document=f"INV-{number:08d}", amount="120.50"),),
        )
        self._before |= self._versions([account])
        self.published_s[account] = time.time()
        self._pipeline.send(paid, id=f"p-{number}").get(timeout=30)
        self.acknowledged_s[account] = time.time()

    def look(self) -> bool:
        """Note which payments are known by now, and say whether all were before."""
        open_ = [each for each in self.acknowledged_s if each not in self.known_s]
        if not open_:
            return True
        versions, now_s = self._versions(open_), time.time()
        self.known_s |= {each: now_s for each in open_ if versions[each] > self._before[each]}
        return False

    def _versions(self, names: Sequence[str]) -> dict[str, int]:
        query = select(accounts.c.account, accounts.c.version).where(accounts.c.account.in_(names))
        with reading(self._engine) as connection:
            return {row[0]: row[1] for row in connection.execute(query)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print both figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=800)
    parser.add_argument("--payments", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args(arguments)
    chance = random.Random(chosen.seed)  # noqa: S311 - who pays, no secret
    with SlowServer() as server, open_pipeline() as pipeline:
        os.environ |= _mail_settings(server)
        load = pipeline.publish(chosen.mails, rate=0)
        pipeline.see(load, deadline_s=_S_MAX)
        engine = open_engine(pipeline.settings.database)
        watch = _Watch(pipeline, engine=engine, chance=chance)
        with run_command(("notifier", "--channel", "email"), pipeline.settings):
            _pay_while_sending(
                watch, server, numbers=sorted(load.due_s), payments=chosen.payments, chance=chance
            )
            jobs = _await_jobs(engine, count=chosen.mails)
        figures = _figures(watch, server, jobs=jobs)
        engine.dispose()
    save(figures, file=chosen.json)


def _pay_while_sending(
    watch: _Watch, server: SlowServer, *, numbers: Sequence[int], payments: int, chance: random.Random
) -> None:
    """Have customers pay whose turn comes soon, at an even pace over the time that the mails take."""
    _until(lambda: len(server.called_at) >= 10)
    left = list(numbers[20:])
    chance.shuffle(left)
    pace_s = len(numbers) * _MAIL_S / payments
    for number in left[:payments]:
        watch.pay(number)
        until_s = time.time() + pace_s
        while time.time() < until_s:
            watch.look()
            time.sleep(_POLL_S)
    _until(watch.look)


def _await_jobs(engine: Engine, *, count: int) -> dict[str, tuple[str, str]]:
    """Wait until every mail has ended; give state and reminder by account."""
    query = select(send_jobs.c.account, send_jobs.c.state, send_jobs.c.reminder)

    def ended() -> dict[str, tuple[str, str]]:
        with reading(engine) as connection:
            found = connection.execute(query).all()
        return {row[0]: (row[1], row[2]) for row in found if row[1] in ("accepted", "superseded", "failed")}

    _until(lambda: len(ended()) >= count)
    return ended()


def _figures(watch: _Watch, server: SlowServer, *, jobs: dict[str, tuple[str, str]]) -> list[Figure]:
    stopped = [watch.known_s[each] - watch.published_s[each] for each in watch.known_s]
    states = {each: jobs[each] for each in watch.known_s if each in jobs}
    late = [
        server.called_at[reminder] - watch.acknowledged_s[each]
        for each, (state, reminder) in states.items()
        if state == "accepted" and server.called_at[reminder] > watch.acknowledged_s[each]
    ]
    beyond = [
        each
        for each, (state, reminder) in states.items()
        if state == "accepted" and server.called_at[reminder] > watch.known_s[each] + _MAIL_S
    ]
    superseded = sum(state == "superseded" for state, _ in states.values())
    note = f"{len(stopped):,} payments, {superseded:,} mails stopped by them"
    cuts = statistics.quantiles(stopped, n=100)
    return [
        Figure(
            name="payment published to sending stopped, p50", unit="ms", values=[cuts[49] * 1e3], note=note
        ),
        Figure(
            name="payment published to sending stopped, p99", unit="ms", values=[cuts[98] * 1e3], note=note
        ),
        Figure(
            name="longest after its payment that a mail went out",
            unit="ms",
            values=[max(late, default=0.0) * 1e3],
            note=f"{len(late)} mails of customers who had paid; {len(beyond)} after the payment was known",
        ),
    ]


def _mail_settings(server: SlowServer) -> dict[str, str]:
    given = {
        "EMAIL": "smtp",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(server.port),
        "SMTP_SECURITY": "none",
        "SMTP_SENDER": "desk@company.example",
        "SMTP_CONNECTIONS": "1",
    }
    return {f"COBRANZA_SEND_{name}": value for name, value in given.items()}


def _until(condition: Any) -> None:
    deadline_s = time.monotonic() + _S_MAX
    while not condition():
        if time.monotonic() > deadline_s:
            raise TimeoutError("what was waited for does not come")
        time.sleep(_POLL_S)


if __name__ == "__main__":
    main()

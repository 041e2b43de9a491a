"""The journal that every system of the comparison folds: invoices, payments, days that pass.

It is made from a seed alone, so each run and each system has the same records in the same
order. Half of the events are invoices, 35 % payments that name an item (whole, a half, a
tenth too much), 15 % payments that name none. A day has as many events as there are
accounts and ends with a tick, on which the ledger takes its decisions; a company and its
plan stand at the beginning. Only schemas are imported: the peers' environment reads it too.
"""

import datetime
import random
from collections.abc import Iterator
from typing import NamedTuple

from schemas.commands import ConfigureCompany, PublishPlan
from schemas.events import InvoiceIssued, PaymentLine, PaymentReceived
from schemas.fields import account_id
from schemas.journal import BROADCAST_KEY, JournalEntry, JournalEvent, TickPassed, encode_entry
from schemas.plans import Action, Plan, Step

__all__ = ["ACCOUNTS", "COMPANY", "PLAN", "PROFILE", "Told", "encoded", "journal"]

ACCOUNTS = 20_000
COMPANY = "acme"
_FIRST_DAY = datetime.date(2026, 1, 5)
_INVOICE_SHARE, _NAMED_SHARE = 0.50, 0.35
_TERM_DAYS_MAX = 20
_SEED = 20_260_105

# The sample plan of S0-23, as `cobranza plan publish default` says it.
PLAN = PublishPlan(
    company=COMPANY,
    occurred_at="2026-01-01",
    command="plan-1",
    plan=Plan(
        id="default",
        version=1,
        steps=(
            Step(name="courtesy", offset_days=-3, actions=(Action(channel="email"),)),
            Step(name="first", offset_days=0, actions=(Action(channel="email"), Action(channel="letter"))),
            Step(name="second", offset_days=15, actions=(Action(channel="email"), Action(channel="task"))),
            Step(name="third", offset_days=60, actions=(Action(channel="email"), Action(channel="letter"))),
        ),
    ),
)
PROFILE = ConfigureCompany(
    company=COMPANY,
    occurred_at="2026-01-01",
    command="profile-1",
    name="Acme Ltd",
    time_zone="UTC",
    currency="USD",
)


class Told(NamedTuple):
    """A journal entry and its record key; ``BROADCAST_KEY``: it goes to every partition."""

    key: bytes
    entry: JournalEntry


class _Invoice(NamedTuple):
    """An invoice that no payment has named yet."""

    customer: str
    document: str
    amount_minor: int


def journal(*, events: int, accounts: int = ACCOUNTS) -> Iterator[Told]:
    """Tell ``events`` facts of accounts, and what is said to all: company, plan and a tick per day."""
    yield _to_all(PROFILE, id="profile-1")
    yield _to_all(PLAN, id="plan-1")
    chance = random.Random(_SEED)  # noqa: S311 - a workload, no secret
    unnamed: list[_Invoice] = []
    for number in range(events):
        on = _FIRST_DAY + datetime.timedelta(days=number // accounts)
        event = _fact(number, on=on, accounts=accounts, chance=chance, unnamed=unnamed)
        key = account_id(COMPANY, event.customer).encode()
        yield Told(key, JournalEntry(event, f"e-{number:08d}", "billing"))
        if (number + 1) % accounts == 0:
            yield _tick(on)


def encoded(*, events: int, partitions: int, accounts: int = ACCOUNTS) -> Iterator[tuple[int, bytes, bytes]]:
    """Give (partition, key, value) of each record, in order; the same accounts always go together."""
    for key, entry in journal(events=events, accounts=accounts):
        value = encode_entry(entry)
        if key == BROADCAST_KEY:
            yield from ((partition, key, value) for partition in range(partitions))
        else:
            yield int(key.rpartition(b"-")[2]) % partitions, key, value


def _fact(
    number: int, *, on: datetime.date, accounts: int, chance: random.Random, unnamed: list[_Invoice]
) -> InvoiceIssued | PaymentReceived:
    drawn = chance.random()
    if drawn < _INVOICE_SHARE or not unnamed:
        invoice = _Invoice(
            f"C-{chance.randrange(accounts):06d}", f"INV-{number:08d}", 1_000 + chance.randrange(99_000)
        )
        unnamed.append(invoice)
        due_on = on + datetime.timedelta(days=chance.randrange(_TERM_DAYS_MAX + 1))
        return InvoiceIssued(
            company=COMPANY,
            customer=invoice.customer,
            occurred_at=on.isoformat(),
            document=invoice.document,
            currency="USD",
            amount=_text(invoice.amount_minor),
            due_date=due_on,
        )
    place = chance.randrange(len(unnamed))
    invoice = unnamed[place]
    named = drawn < _INVOICE_SHARE + _NAMED_SHARE
    if named:
        unnamed[place] = unnamed[-1]
        unnamed.pop()
    return PaymentReceived(
        company=COMPANY,
        customer=invoice.customer,
        occurred_at=on.isoformat(),
        payment=f"PAY-{number:08d}",
        currency="USD",
        amount=_text(_paid_minor(invoice.amount_minor, chance=chance)),
        lines=(PaymentLine(document=invoice.document),) if named else (),
    )


def _paid_minor(amount_minor: int, *, chance: random.Random) -> int:
    drawn = chance.random()
    if drawn < 0.15:
        return amount_minor // 2
    return amount_minor if drawn < 0.85 else amount_minor + amount_minor // 10


def _tick(on: datetime.date) -> Told:
    at = datetime.datetime.combine(on, datetime.time(18), datetime.UTC)
    return _to_all(TickPassed(at=at, mode="played"), id=f"tick/{on}")


def _to_all(event: JournalEvent, *, id: str) -> Told:  # noqa: A002 - the envelope's word
    return Told(BROADCAST_KEY, JournalEntry(event, id, "billing"))


def _text(amount_minor: int) -> str:
    return f"{amount_minor // 100}.{amount_minor % 100:02d}"

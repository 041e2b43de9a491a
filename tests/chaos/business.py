"""A business made up from a seed, as journal entries: who is billed, who pays, and days that pass.

Pure. Invoices, payments that name them and payments that do not (oldest first), reversals,
amendments, credit notes and cancellations on many accounts; invoices that are re-assigned and money
that pays another customer's, so that accounts of other partitions are told; a played tick to every
partition whenever its day has come, so that reminders and decisions flow as well.
"""

import datetime
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from console.plan_files import find_plan, publish_plan_command
from schemas.commands import ConfigureCompany, TransferItem, TransferPayment
from schemas.events import (
    Contact,
    CreditNoteIssued,
    CustomerUpserted,
    InvoiceAmended,
    InvoiceCancelled,
    InvoiceIssued,
    PaymentLine,
    PaymentReceived,
    PaymentReversed,
)
from schemas.fields import account_id
from schemas.journal import BROADCAST_KEY, JournalEntry, JournalEvent, TickPassed, encode_entry
from streams.intake import place

__all__ = ["Entry", "business", "later_tick"]

_COMPANY = "acme"
_FIRST_DAY = datetime.date(2026, 1, 5)
_DAYS = 96
_SOURCE = "chaos"
_KEPT = 12  # open documents and payments that an account's next events may speak of
_MOVED = 0.015  # of the events are for another customer
_LETTERS_ONLY = 10  # one in so many customers has no e-mail


class Entry(NamedTuple):
    """One record for the journal."""

    partition: int
    key: bytes
    value: bytes


@dataclass(slots=True)
class _Customer:
    """What the next events about an account may speak of."""

    name: str
    partition: int
    key: bytes
    documents: deque[tuple[str, int]] = field(default_factory=lambda: deque(maxlen=_KEPT))
    payments: deque[str] = field(default_factory=lambda: deque(maxlen=_KEPT))


def business(*, seed: int, events: int, accounts: int, ticks: int, partitions: int) -> Iterator[Entry]:
    """Give `events` entries about accounts, and before and between them the company's and the clock's.

    Args:
        seed: of everything that is made up.
        events: entries about accounts, the customers' own among them.
        accounts: how many there are.
        ticks: how many times the clock ticks, spread over the events; the last one is the last entry.
        partitions: of the journal.
    """
    chance = random.Random(seed)  # noqa: S311 - a made-up business, no secret
    customers = [_customer(number, partitions=partitions) for number in range(accounts)]
    yield from _opening(partitions)
    for number, customer in enumerate(customers[:events]):
        yield _entry(_upserted(customer, number=number), customer=customer, number=number)
    begins, left = accounts, max(1, events - accounts)
    ticked = 0
    for number in range(begins, events):
        day = _FIRST_DAY + datetime.timedelta(days=_DAYS * (number - begins) // left)
        customer = customers[int(chance.random() * accounts)]
        if chance.random() < _MOVED:
            other = customers[int(chance.random() * accounts)]
            event = _moved(customer, other, day=day, number=number)
        else:
            event = _event(customer, day=day, number=number, chance=chance)
        yield _entry(event, customer=customer, number=number)
        if (number - begins + 1) * ticks // left > ticked:
            ticked += 1
            yield from _tick(day, number=ticked, partitions=partitions)


def _customer(number: int, *, partitions: int) -> _Customer:
    name = f"C-{number:06d}"
    account = account_id(_COMPANY, name)
    return _Customer(name, place(account, partitions=partitions), account.encode())


def _entry(event: JournalEvent, *, customer: _Customer, number: int) -> Entry:
    return Entry(customer.partition, customer.key, encode_entry(JournalEntry(event, f"e-{number}", _SOURCE)))


def _everywhere(event: JournalEvent, *, number: str, partitions: int) -> Iterator[Entry]:
    value = encode_entry(JournalEntry(event, number, _SOURCE))
    for partition in range(partitions):
        yield Entry(partition, BROADCAST_KEY, value)


def _opening(partitions: int) -> Iterator[Entry]:
    profile = ConfigureCompany(
        company=_COMPANY,
        occurred_at="2026-01-01",
        command="profile",
        name="Acme Tools",
        time_zone="UTC",
        currency="USD",
        sender_email="accounts@acme.example",
        payment_instructions="By transfer, naming the invoice.",
    )
    plan = publish_plan_command(
        find_plan("default"), company=_COMPANY, occurred_at="2026-01-01", author=_SOURCE
    )
    yield from _everywhere(profile, number="profile", partitions=partitions)
    yield from _everywhere(plan, number="plan", partitions=partitions)


def _tick(day: datetime.date, *, number: int, partitions: int) -> Iterator[Entry]:
    noon = datetime.datetime.combine(day, datetime.time(12), tzinfo=datetime.UTC)
    # Two ticks of one day still differ, and go forward.
    at = noon + datetime.timedelta(seconds=number)
    yield from _everywhere(TickPassed(at=at, mode="played"), number=f"tick-{number}", partitions=partitions)


def later_tick(after: datetime.datetime, *, partitions: int) -> Iterator[Entry]:
    """Give one more tick, a second later, to every partition: each has something to commit."""
    at = after + datetime.timedelta(seconds=1)
    yield from _everywhere(
        TickPassed(at=at, mode="played"), number=f"tick-{at.isoformat()}", partitions=partitions
    )


def _upserted(customer: _Customer, *, number: int) -> CustomerUpserted:
    email = "" if number % _LETTERS_ONLY == 0 else f"payables-{number}@customers.example.test"
    contact = Contact(name="Accounts payable", email=email, address=(f"Example Street {number}", "Dublin"))
    return CustomerUpserted(
        company=_COMPANY,
        customer=customer.name,
        occurred_at="2026-01-01",
        name=f"Customer {number}",
        kind="business",
        language="en",
        contacts=(contact,),
    )


def _event(customer: _Customer, *, day: datetime.date, number: int, chance: random.Random) -> JournalEvent:
    draw = chance.random()
    if not customer.documents or draw < 0.46:
        return _invoice(customer, day=day, number=number, chance=chance)
    if draw < 0.90:
        return _payment(customer, day=day, number=number, chance=chance)
    if draw < 0.94 and customer.payments:
        return PaymentReversed(
            company=_COMPANY,
            customer=customer.name,
            occurred_at=day.isoformat(),
            payment=customer.payments.pop(),
            reason="bounced",
        )
    return _correction(customer, day=day, number=number, chance=chance)


def _invoice(customer: _Customer, *, day: datetime.date, number: int, chance: random.Random) -> InvoiceIssued:
    document, cents = f"INV-{number:08d}", chance.randrange(5_00, 900_00)
    customer.documents.append((document, cents))
    return InvoiceIssued(
        company=_COMPANY,
        customer=customer.name,
        occurred_at=day.isoformat(),
        document=document,
        currency="USD",
        amount=_text(cents),
        due_date=day + datetime.timedelta(days=chance.randrange(1, 25)),
    )


def _payment(
    customer: _Customer, *, day: datetime.date, number: int, chance: random.Random
) -> PaymentReceived:
    """Name an invoice (whole, or in part) in four of five cases; else the oldest are paid."""
    payment = f"PAY-{number:08d}"
    document, cents = customer.documents.popleft()
    named = chance.random() < 0.8
    paid = cents if chance.random() < 0.85 else cents // 2
    customer.payments.append(payment)
    return PaymentReceived(
        company=_COMPANY,
        customer=customer.name,
        occurred_at=day.isoformat(),
        payment=payment,
        currency="USD",
        amount=_text(paid),
        lines=(PaymentLine(document=document),) if named else (),
    )


def _moved(customer: _Customer, other: _Customer, *, day: datetime.date, number: int) -> JournalEvent:
    """Re-assign the newest invoice, or let the newest payment pay another's; what follows there names it."""
    when = day.isoformat()
    if number % 2 and customer.payments:
        return TransferPayment(
            company=_COMPANY,
            customer=customer.name,
            occurred_at=when,
            command=f"transfer-{number}",
            author=_SOURCE,
            payment=customer.payments[-1],
            to_customer=other.name,
            amount="1.00",
        )
    if not customer.documents:
        customer.documents.append(
            (f"INV-{number:08d}", 5_00)
        )  # of which nobody has heard: refused, and told to people
    document, cents = customer.documents.pop()
    other.documents.append((document, cents))
    return TransferItem(
        company=_COMPANY,
        customer=customer.name,
        occurred_at=when,
        command=f"transfer-{number}",
        author=_SOURCE,
        document=document,
        to_customer=other.name,
    )


def _correction(
    customer: _Customer, *, day: datetime.date, number: int, chance: random.Random
) -> JournalEvent:
    document, cents = chance.choice(customer.documents)
    which = chance.randrange(3)
    when = day.isoformat()
    if which == 0:
        return InvoiceAmended(
            company=_COMPANY,
            customer=customer.name,
            occurred_at=when,
            document=document,
            revision=number,
            amount=_text(cents + 1_00),
        )
    if which == 1:
        return InvoiceCancelled(
            company=_COMPANY, customer=customer.name, occurred_at=when, document=document, reason="returned"
        )
    return CreditNoteIssued(
        company=_COMPANY,
        customer=customer.name,
        occurred_at=when,
        document=f"CN-{number:08d}",
        currency="USD",
        amount=_text(max(1, cents // 4)),
        invoice=document,
    )


def _text(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"

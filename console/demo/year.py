"""What happens in the demo's year: invoices and their fates, event by event.

A function of the seed: the same seed gives the same year, so that playing the
demo twice changes nothing.
"""

import datetime
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from console.demo.companies import COMPANIES, Creditor, Debtor, debtors
from console.importing import Fact, fact_of
from console.plan_files import find_plan, publish_plan_command
from console.publishing import Outgoing, outgoing
from processors.calendar import zone_of
from processors.money import to_text
from schemas.commands import AddNote, PlaceHold, ReleaseHold
from schemas.events import (
    BillingEvent,
    CreditNoteIssued,
    InvoiceAmended,
    InvoiceCancelled,
    InvoiceIssued,
    PaymentLine,
    PaymentReceived,
    PaymentReversed,
    RefundPaid,
    WriteOffBooked,
)
from schemas.journal import SourceEvent

__all__ = ["CUSTOMERS_PER_COMPANY", "FIRST_DAY", "LAST_DAY", "profiles", "year"]

FIRST_DAY = datetime.date(2025, 1, 1)
LAST_DAY = datetime.date(2025, 12, 31)
CUSTOMERS_PER_COMPANY = 100
SOURCE = "cobranza/demo"
_TERM_DAYS = 30


def profiles() -> list[Outgoing]:
    """Give the companies' profiles and plans: what must be there before any fact."""
    found = []
    for creditor in COMPANIES:
        plan = find_plan(creditor.plan)
        company = creditor.profile.company
        command = publish_plan_command(plan, company=company, occurred_at="2025-01-01", author="demo")
        found += [outgoing(creditor.profile, source=SOURCE), outgoing(command, source=SOURCE)]
    return found


def year(*, seed: int, customers: int = CUSTOMERS_PER_COMPANY) -> list[Fact]:
    """Make up the facts of the year, sorted by day; some are dated after it."""
    facts = []
    for creditor in COMPANIES:
        chance = random.Random(f"{seed} {creditor.profile.company}")  # noqa: S311 - made-up business, no secret
        zone = zone_of(creditor.profile.time_zone)
        for number, debtor in enumerate(debtors(creditor, count=customers, chance=chance)):
            story = _Story(creditor=creditor, debtor=debtor, chance=chance)
            for index, event in enumerate(story.events(number)):
                facts.append(fact_of(event, source=SOURCE, zone=zone, order=(number, index)))
    return sorted(facts, key=lambda fact: (fact.day, fact.record.key, fact.order))


@dataclass(slots=True, kw_only=True)
class _Story:
    """One customer's year."""

    creditor: Creditor
    debtor: Debtor
    chance: random.Random
    documents: int = 0
    payments: int = 0

    def events(self, number: int) -> Iterator[SourceEvent]:
        yield self.debtor.upserted
        for month in range(1, 13):
            for _ in range(self._invoices_this_month()):
                day = datetime.date(2025, month, self.chance.randint(1, 28))
                yield from self._invoice(day)
        yield from self._conversation(number)

    def _invoices_this_month(self) -> int:
        whole: int = int(self.debtor.invoices_a_month)
        return whole + int(self.chance.random() < self.debtor.invoices_a_month - whole)

    def _invoice(self, day: datetime.date) -> Iterator[BillingEvent]:
        amount = self._amount()
        invoice = InvoiceIssued(
            **self._at(day),
            document=self._document("F"),
            currency=self.creditor.profile.currency,
            amount=self._text(amount),
            due_date=day + datetime.timedelta(days=_TERM_DAYS),
            reference=f"{self.creditor.profile.name} {day:%Y-%m}",
        )
        yield invoice
        fate = self.chance.random()
        if fate < 0.015:
            yield InvoiceCancelled(
                **self._at(_after(day, 6)), document=invoice.document, reason="issued twice"
            )
            return
        if fate < 0.035:
            due = day + datetime.timedelta(days=_TERM_DAYS + 15)
            yield InvoiceAmended(
                **self._at(_after(day, 10)), document=invoice.document, revision=1, due_date=due
            )
        elif fate < 0.075:
            credited = amount // 5
            amount -= credited
            yield self._credit_note(
                _after(day, 12), credited, invoice=None if fate < 0.045 else invoice.document
            )
        paid_on = _after(day, _TERM_DAYS + self.debtor.days_late + self.chance.randint(-4, 12))
        if self.debtor.days_late > 90 and self.chance.random() < 0.4:
            return  # it is never paid
        yield from self._payments(paid_on, amount, invoice=invoice.document)

    def _payments(self, day: datetime.date, amount: int, *, invoice: str) -> Iterator[BillingEvent]:
        fate = self.chance.random()
        if fate < self.debtor.splits and amount > 10:
            part = amount * self.chance.randint(4, 8) // 10
            yield self._payment(day, part, invoice=invoice)
            yield self._payment(_after(day, self.chance.randint(12, 40)), amount - part, invoice=invoice)
        elif fate > 0.985:
            bounced = self._payment(day, amount, invoice=invoice)
            yield bounced
            yield PaymentReversed(**self._at(_after(day, 5)), payment=bounced.payment, reason="bounced")
            yield self._payment(_after(day, 25), amount, invoice=invoice)
        elif fate > 0.965:
            too_much = amount // 10
            paid = self._payment(day, amount + too_much, invoice=invoice)
            yield paid
            if too_much and self.chance.random() < 0.5:
                yield self._refund(_after(day, 9), too_much, payment=paid.payment)
        elif fate > 0.955 and amount > 100:
            yield self._payment(day, amount - 3, invoice=invoice)
            yield self._write_off(_after(day, 20), 3, invoice=invoice)
        else:
            yield self._payment(day, amount, invoice=invoice)

    def _payment(self, day: datetime.date, amount: int, *, invoice: str) -> PaymentReceived:
        self.payments += 1
        named = self.chance.random() < self.debtor.names_invoices
        return PaymentReceived(
            **self._at(day),
            payment=f"{self.debtor.upserted.customer}-P{self.payments:03d}",
            currency=self.creditor.profile.currency,
            amount=self._text(amount),
            lines=(PaymentLine(document=invoice),) if named else (),
        )

    def _credit_note(self, day: datetime.date, amount: int, *, invoice: str | None) -> CreditNoteIssued:
        return CreditNoteIssued(
            **self._at(day),
            document=self._document("N"),
            currency=self.creditor.profile.currency,
            amount=self._text(amount),
            invoice=invoice,
            reference="returned goods",
        )

    def _refund(self, day: datetime.date, amount: int, *, payment: str) -> RefundPaid:
        return RefundPaid(
            **self._at(day),
            refund=f"R-{payment}",
            credit=payment,
            currency=self.creditor.profile.currency,
            amount=self._text(amount),
        )

    def _write_off(self, day: datetime.date, amount: int, *, invoice: str) -> WriteOffBooked:
        return WriteOffBooked(
            **self._at(day),
            write_off=f"W-{invoice}",
            document=invoice,
            currency=self.creditor.profile.currency,
            amount=self._text(amount),
            reason="small rest",
        )

    def _conversation(self, number: int) -> Iterator[SourceEvent]:
        """Give what people do about this customer: notes and holds, for some."""
        month = 3 + number % 8
        if number % 17 == 4:
            yield AddNote(
                **self._command(datetime.date(2025, month, 12), "note"),
                kind="conversation",
                text="Will pay with the next transfer.",
            )
        if number % 23 == 7:
            until = datetime.date(2025, month + 1, 5)
            yield PlaceHold(
                **self._command(datetime.date(2025, month, 3), "snooze"),
                kind="snoozed",
                reason="agreed by phone",
                until=until,
            )
        if number % 41 == 11:
            yield PlaceHold(
                **self._command(datetime.date(2025, month, 7), "block"),
                kind="blocked",
                reason="contract in dispute",
            )
            yield ReleaseHold(**self._command(datetime.date(2025, month + 2, 7), "unblock"), kind="blocked")
        if number == 60:
            yield PlaceHold(
                **self._command(datetime.date(2025, 2, 1), "stop"),
                kind="do_not_contact",
                reason="asked not to be contacted",
                review_on=datetime.date(2026, 1, 15),
            )

    def _amount(self) -> int:
        """Make up an amount in minor units: many small ones, few large ones."""
        smallest, largest = self.creditor.smallest, self.creditor.largest
        whole: int = smallest + int((largest - smallest) * self.chance.random() ** 3)
        if not self.creditor.decimals:
            return whole
        return whole * 100 + self.chance.randint(0, 99)

    def _text(self, amount_minor: int) -> str:
        return to_text(amount_minor, currency=self.creditor.profile.currency)

    def _document(self, kind: str) -> str:
        self.documents += 1
        return f"{kind}-{self.debtor.upserted.customer}-{self.documents:03d}"

    def _at(self, day: datetime.date) -> dict[str, Any]:
        customer = self.debtor.upserted
        return {"company": customer.company, "customer": customer.customer, "occurred_at": day.isoformat()}

    def _command(self, day: datetime.date, what: str) -> dict[str, Any]:
        return {**self._at(day), "command": f"{what} {self.debtor.upserted.customer}", "author": "desk 1"}


def _after(day: datetime.date, days: int) -> datetime.date:
    return day + datetime.timedelta(days=max(days, 0))

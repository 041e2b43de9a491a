"""A story about one account: events in a controller's words, invariants checked after each."""

import datetime
from collections.abc import Iterable

from msgspec.structs import replace

from processors.account import Account, AccountRows
from processors.company import Company
from processors.fold import fold
from processors.invariants import check
from schemas.commands import ConfigureCompany
from schemas.events import (
    CreditNoteCancelled,
    CreditNoteIssued,
    DebitNoteIssued,
    InvoiceAmended,
    InvoiceCancelled,
    InvoiceIssued,
    ItemOpened,
    PaymentLine,
    PaymentReceived,
    PaymentReversed,
    ReconciliationLine,
    ReconciliationRecorded,
    RefundPaid,
    WriteOffBooked,
    WriteOffReversed,
)
from schemas.facts import ExceptionRaised, LedgerFact, Movement
from schemas.journal import AccountEvent
from schemas.rows import Row, decode_key, decode_row

COMPANY = "acme"
CUSTOMER = "c-1"
ACCOUNT = f"{COMPANY}:{CUSTOMER}"
PROFILE = ConfigureCompany(
    company=COMPANY, occurred_at="2024-01-01", command="profile", name="Acme", time_zone="UTC", currency="USD"
)


def company(*, auto_apply: bool = True, time_zone: str = "UTC", payment_terms_days: int = 30) -> Company:
    """Make a creditor without plans."""
    made = Company(COMPANY)
    made.apply(
        replace(PROFILE, auto_apply=auto_apply, time_zone=time_zone, payment_terms_days=payment_terms_days)
    )
    return made


def rows_of(account: Account) -> dict[bytes, bytes]:
    """Give all rows of an account, encoded: what the compacted topic must hold."""
    rows: list[AccountRows] = [
        account.row,
        *([account.customer] if account.customer is not None else []),
        *account.items.values(),
        *account.credits.values(),
        *(row for by_credit in account.applications.values() for row in by_credit.values()),
        *account.holds.values(),
        *account.reminders.values(),
        *account.tasks.values(),
        *account.seen.values(),
        *(row for waiting in account.waiting.values() for row in waiting.values()),
    ]
    whole = Account(account.id)
    for row in rows:
        whole.touch(row)
    return {key: value for key, value in changes_of(whole).items() if value is not None}


def changes_of(account: Account) -> dict[bytes, bytes | None]:
    """Give what is written of an account since ``forget_changes``, by key: of two of one key the newer stands."""
    changes: list[tuple[bytes, bytes | None]] = []
    account.encode_changes(changes)
    return dict(changes)


def restored(stored: dict[bytes, bytes]) -> Account:
    """Build the account from encoded rows, as a worker that takes over does."""
    rows: list[Row] = [decode_row(value) for value in stored.values()]
    assert all(decode_key(key).owner == ACCOUNT for key in stored)
    return Account.restore(ACCOUNT, rows=rows)


def write_changes(account: Account, stored: dict[bytes, bytes]) -> None:
    """Let the compacted topic hold what has changed."""
    for key, value in changes_of(account).items():
        if value is None:
            stored.pop(key, None)
        else:
            stored[key] = value
    account.forget_changes()


class Story:
    """One account of one company; each method tells an event and gives the facts that it led to.

    Days are ``MM-DD`` of 2024; amounts are text; ``all`` keeps every fact.
    """

    def __init__(self, *, auto_apply: bool = True, currency: str = "USD") -> None:
        self.company = company(auto_apply=auto_apply)
        self.account = Account(ACCOUNT)
        self.currency = currency
        self.all: list[LedgerFact] = []
        self._count = 0

    def tell(self, event: AccountEvent, *, cause: str = "") -> list[LedgerFact]:
        """Fold one event and check the whole account."""
        self._count += 1
        facts = fold(self.account, event, cause=cause or f"e{self._count}", company=self.company)
        check(self.account)
        self.all += facts
        return facts

    def invoice(
        self, document: str, amount: str, *, on: str = "01-01", due: str = "", currency: str = ""
    ) -> list[LedgerFact]:
        """An invoice is issued."""
        return self.tell(
            InvoiceIssued(
                company=COMPANY,
                customer=CUSTOMER,
                occurred_at=_day(on),
                document=document,
                currency=currency or self.currency,
                amount=amount,
                due_date=datetime.date.fromisoformat(_day(due)) if due else None,
            )
        )

    def debit_note(self, document: str, amount: str, *, on: str = "01-01") -> list[LedgerFact]:
        """A debit note is issued."""
        return self.tell(
            DebitNoteIssued(
                company=COMPANY,
                customer=CUSTOMER,
                occurred_at=_day(on),
                document=document,
                currency=self.currency,
                amount=amount,
            )
        )

    def opened(
        self, document: str, amount: str, *, left: str, issued: str, due: str, on: str
    ) -> list[LedgerFact]:
        """An existing receivable is brought in."""
        return self.tell(
            ItemOpened(
                company=COMPANY,
                customer=CUSTOMER,
                occurred_at=_day(on),
                document=document,
                currency=self.currency,
                amount=amount,
                open_amount=left,
                issue_date=datetime.date.fromisoformat(_day(issued)),
                due_date=datetime.date.fromisoformat(_day(due)),
            )
        )

    def amend(
        self, document: str, revision: int, *, on: str, amount: str | None = None, due: str = ""
    ) -> list[LedgerFact]:
        """An invoice is amended."""
        return self.tell(
            InvoiceAmended(
                company=COMPANY,
                customer=CUSTOMER,
                occurred_at=_day(on),
                document=document,
                revision=revision,
                amount=amount,
                due_date=datetime.date.fromisoformat(_day(due)) if due else None,
            )
        )

    def cancel(self, document: str, *, on: str) -> list[LedgerFact]:
        """An invoice is cancelled."""
        return self.tell(
            InvoiceCancelled(company=COMPANY, customer=CUSTOMER, occurred_at=_day(on), document=document)
        )

    def credit_note(
        self, document: str, amount: str, *, on: str, invoice: str | None = None
    ) -> list[LedgerFact]:
        """A credit note is issued."""
        return self.tell(
            CreditNoteIssued(
                company=COMPANY,
                customer=CUSTOMER,
                occurred_at=_day(on),
                document=document,
                currency=self.currency,
                amount=amount,
                invoice=invoice,
            )
        )

    def cancel_credit_note(self, document: str, *, on: str) -> list[LedgerFact]:
        """A credit note is cancelled."""
        return self.tell(
            CreditNoteCancelled(company=COMPANY, customer=CUSTOMER, occurred_at=_day(on), document=document)
        )

    def pay(
        self, payment: str, amount: str, *lines: str, on: str, order: str = "", currency: str = ""
    ) -> list[LedgerFact]:
        """Money comes in; lines are ``A`` or ``A=50.00``."""
        return self.tell(
            PaymentReceived(
                company=COMPANY,
                customer=CUSTOMER,
                occurred_at=_day(on),
                payment=payment,
                currency=currency or self.currency,
                amount=amount,
                lines=tuple(_line(line) for line in lines),
                order_reference=order,
            )
        )

    def reverse(self, payment: str, *, on: str) -> list[LedgerFact]:
        """A payment bounces."""
        return self.tell(
            PaymentReversed(company=COMPANY, customer=CUSTOMER, occurred_at=_day(on), payment=payment)
        )

    def refund(
        self, refund: str, amount: str, *, payment: str = "", note: str = "", on: str, currency: str = ""
    ) -> list[LedgerFact]:
        """Money is paid back."""
        return self.tell(
            RefundPaid(
                company=COMPANY,
                customer=CUSTOMER,
                occurred_at=_day(on),
                refund=refund,
                of="payment" if payment else "credit_note",
                credit=payment or note,
                currency=currency or self.currency,
                amount=amount,
            )
        )

    def write_off(self, write_off: str, amount: str, *, item: str, on: str) -> list[LedgerFact]:
        """Part of an item is given up."""
        return self.tell(
            WriteOffBooked(
                company=COMPANY,
                customer=CUSTOMER,
                occurred_at=_day(on),
                write_off=write_off,
                document=item,
                currency=self.currency,
                amount=amount,
            )
        )

    def reverse_write_off(self, write_off: str, *, on: str) -> list[LedgerFact]:
        """A write-off is taken back."""
        return self.tell(
            WriteOffReversed(company=COMPANY, customer=CUSTOMER, occurred_at=_day(on), write_off=write_off)
        )

    def reconcile(self, reconciliation: str, payment: str, *lines: str, on: str) -> list[LedgerFact]:
        """The bank speaks; lines are ``+A``, ``+A=50.00``, ``-A`` or ``-A=50.00``."""
        return self.tell(
            ReconciliationRecorded(
                company=COMPANY,
                customer=CUSTOMER,
                occurred_at=_day(on),
                reconciliation=reconciliation,
                payment=payment,
                lines=tuple(_instruction(line) for line in lines),
            )
        )

    def open(self, document: str) -> int:
        """Give an item's open amount in minor units."""
        return self.account.items[document].open_minor

    def left(self, credit: str) -> int:
        """Give what is left of a credit, such as ``payment/P``."""
        return self.account.credits[credit].rest_minor

    def settled(self, credit: str) -> dict[str, int]:
        """Give what a credit settles, by item."""
        rows = self.account.applied.get(credit, {})
        return {item: rows[item].amount_minor for item in sorted(rows)}

    def as_of(self, day: str) -> dict[str, int]:
        """Add up movements dated until a day: open amounts and credits that are not zero."""
        return as_of(self.all, datetime.date.fromisoformat(_day(day)))


def movements(facts: Iterable[LedgerFact]) -> list[Movement]:
    """Keep the movements."""
    return [fact for fact in facts if isinstance(fact, Movement)]


def exceptions(facts: Iterable[LedgerFact]) -> list[ExceptionRaised]:
    """Keep the exceptions."""
    return [fact for fact in facts if isinstance(fact, ExceptionRaised)]


def said(facts: Iterable[LedgerFact]) -> list[tuple[str, str, int, str]]:
    """Write movements short: (kind, item or credit, amount, ``MM-DD``)."""
    return [
        (fact.kind, fact.item or fact.credit, fact.amount_minor, fact.business_date.isoformat()[5:])
        for fact in movements(facts)
    ]


def as_of(facts: Iterable[LedgerFact], day: datetime.date) -> dict[str, int]:
    """Add up movements dated until a day, by item and credit; what is zero is left out."""
    sums: dict[str, int] = {}
    for fact in movements(facts):
        if fact.business_date <= day:
            name = fact.item or fact.credit
            sums[name] = sums.get(name, 0) + fact.amount_minor
    return {name: amount for name, amount in sums.items() if amount}


def _day(on: str) -> str:
    return on if len(on) > 5 else f"2024-{on}"


def _line(text: str) -> PaymentLine:
    document, _, amount = text.partition("=")
    return PaymentLine(document=document, amount=amount or None)


def _instruction(text: str) -> ReconciliationLine:
    document, _, amount = text[1:].partition("=")
    return ReconciliationLine(
        action="apply" if text[0] == "+" else "unapply", document=document, amount=amount or None
    )

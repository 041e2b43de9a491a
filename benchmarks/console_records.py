"""Records of a company's size, as the ledger writes them: what the console's benchmark fills a read model with.

Made by a seed, in the order of accounts; the first account is the largest. It refuses to know SQL: the
projection makes rows of it (``benchmarks.console_filling``).
"""

import datetime
import random
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from notifiers.writing.samples import sample_reminder
from schemas.arrangement_rows import DisputeRow, PromiseRow
from schemas.commands import AddNote, ConfigureCompany
from schemas.contacts import ContactRow
from schemas.events import Contact, CustomerUpserted, InvoiceIssued, PaymentReceived
from schemas.facts import (
    Delivery,
    LedgerFact,
    Movement,
    ReminderDecided,
    ReminderEnded,
    ReminderItem,
    ReminderProposed,
    ReminderWithheld,
    Total,
    Withheld,
)
from schemas.plans import Action, Plan, Step
from schemas.reminder_rows import TaskRow
from schemas.rows import (
    AccountRow,
    ApplicationRow,
    Balance,
    ClockRow,
    CompanyRow,
    CreditRow,
    CustomerRow,
    HoldRow,
    ItemRow,
    PlanRow,
    Row,
    RowKey,
    SeenRow,
)

__all__ = [
    "COMPANIES",
    "LARGEST_ITEMS",
    "NOW",
    "PARTITIONS",
    "AccountRecords",
    "Size",
    "records",
    "shared_rows",
]

NOW: Final = datetime.datetime(2026, 3, 2, 9, tzinfo=datetime.UTC)
PARTITIONS: Final = 4
COMPANIES: Final = ("acme", "beta", "gamma")
LARGEST_ITEMS: Final = 5_000
_SHARES: Final = (60, 25, 15)
_TODAY: Final = NOW.date()
_DAY: Final = datetime.timedelta(days=1)
_PEOPLE: Final = ("", "ana", "ben", "carla", "dora")
_STEPS: Final = ("first", "second", "third")
_Made = Row | LedgerFact


class Size(NamedTuple):
    """How many accounts, and how many open items all of them have."""

    accounts: int
    items: int


class AccountRecords(NamedTuple):
    """All that is known of an account: rows by key, facts in the order of the log."""

    account: str
    rows: list[tuple[RowKey, Row]]
    facts: list[LedgerFact]


class _Account(NamedTuple):
    number: int
    name: str
    company: str
    customer: str
    dice: random.Random

    @property
    def currency(self) -> str:
        """Most owe in one currency, every twentieth in another."""
        return "EUR" if self.number % 20 == 7 else "USD"


def shared_rows() -> Iterator[tuple[RowKey, Row]]:
    """Give what each partition has: its clock, companies and their plans."""
    yield RowKey("clock", "", ""), ClockRow(at=NOW, mode="played", journal_offset=1)
    for company in COMPANIES:
        profile = ConfigureCompany(
            company=company,
            occurred_at="2025-01-01",
            command="profile",
            name=company.title(),
            time_zone="America/Santiago",
            currency="USD",
        )
        yield RowKey("company", company, ""), CompanyRow(company=company, version=1, profile=profile)
        steps = tuple(
            Step(name=name, offset_days=15 * place, actions=(Action(channel="email"),))
            for place, name in enumerate(_STEPS)
        )
        plan = Plan(id="default", version=1, name="Default", steps=steps)
        yield RowKey("plan", company, "default/1"), PlanRow(company=company, plan=plan)


def records(size: Size, *, seed: int) -> Iterator[AccountRecords]:
    """Make all accounts, the largest first."""
    for number in range(size.accounts):
        dice = random.Random(f"{seed}/{number}")  # noqa: S311 - made-up data
        company = dice.choices(COMPANIES, weights=_SHARES)[0] if number else COMPANIES[0]
        customer = f"C{number:05d}"
        each = _Account(number, f"{company}:{customer}", company, customer, dice)
        yield _account(each, items=_item_count(size, number, dice))


def _item_count(size: Size, number: int, dice: random.Random) -> int:
    largest = min(LARGEST_ITEMS, size.items // 2)
    if number == 0:
        return largest
    rest = size.items - largest
    # A tenth of the accounts has half of the items.
    share = rest / 2 / (size.accounts / 10) if number % 10 == 1 else rest / 2 / (size.accounts * 0.9)
    return max(0, round(share * dice.uniform(0.5, 1.5)))


def _account(of: _Account, *, items: int) -> AccountRecords:
    rows: list[tuple[RowKey, Row]] = []
    facts: list[LedgerFact] = []
    open_items = list(_open_items(of, items))
    rows += [(RowKey("item", of.name, each.item), each) for each in open_items]
    facts += [_issued(of, each, place) for place, each in enumerate(open_items)]
    for number in range(max(1, items // 10)):
        _settled(of, number, rows, facts)
    rows += _master_data(of, open_items)
    rows += _arranged(of, open_items)
    rows += _log(of)
    decided = list(_reminders(of, open_items))
    facts += decided
    return AccountRecords(of.name, [_on_its_way(each, decided) for each in rows], facts)


def _on_its_way(keyed: tuple[RowKey, Row], decided: list[LedgerFact]) -> tuple[RowKey, Row]:
    """Let an account's row name a reminder that was decided today, as the ledger's does until all of it has a fate."""
    key, row = keyed
    if not isinstance(row, AccountRow):
        return keyed
    today = (each.id for each in decided if isinstance(each, ReminderDecided) and each.tick == NOW)
    return key, replace(row, open_reminder=next(today, ""))


def _open_items(of: _Account, count: int) -> Iterator[ItemRow]:
    for number in range(count):
        due_on = _TODAY + of.dice.randint(-90, 45) * _DAY
        minor = of.dice.randint(1_000, 2_000_000)
        item = f"F{of.number:05d}-{number:06d}"
        yield ItemRow(
            account=of.name,
            item=item,
            document=InvoiceIssued(
                company=of.company,
                customer=of.customer,
                occurred_at=(due_on - 30 * _DAY).isoformat(),
                document=item,
                currency=of.currency,
                amount=f"{minor / 100:.2f}",
                due_date=due_on,
            ),
            currency=of.currency,
            amount_minor=minor,
            open_minor=minor,
            issued_on=due_on - 30 * _DAY,
            due_on=due_on,
            plan="default",
            plan_version=1,
            step=0 if due_on < _TODAY else -1,
            sent_level_on=due_on + _DAY if due_on < _TODAY - _DAY else None,
            order=number,
        )


def _issued(of: _Account, row: ItemRow, place: int) -> Movement:
    return _movement(
        of, f"i{place}", "issued", row.amount_minor, row.issued_on, item=row.item, due_on=row.due_on
    )


def _movement(
    of: _Account,
    name: str,
    kind: Any,
    minor: int,
    on: datetime.date,
    *,
    item: str = "",
    credit: str = "",
    counterpart: str = "",
    due_on: datetime.date | None = None,
) -> Movement:
    return Movement(
        id=f"{of.name}/{name}",
        account=of.name,
        currency=of.currency,
        kind=kind,
        amount_minor=minor,
        business_date=on,
        cause="bench",
        item=item,
        credit=credit,
        counterpart=counterpart,
        due_on=due_on,
    )


def _settled(of: _Account, number: int, rows: list[tuple[RowKey, Row]], facts: list[LedgerFact]) -> None:
    """Add an invoice of last year and the payment that settled it."""
    issued_on = _TODAY - of.dice.randint(100, 400) * _DAY
    due_on, paid_on = issued_on + 30 * _DAY, issued_on + of.dice.randint(10, 60) * _DAY
    minor = of.dice.randint(1_000, 2_000_000)
    item, payment = f"S{of.number:05d}-{number:06d}", f"P{of.number:05d}-{number:06d}"
    credit, amount = f"payment/{payment}", f"{minor / 100:.2f}"
    said: dict[str, Any] = {
        "company": of.company,
        "customer": of.customer,
        "currency": of.currency,
        "amount": amount,
    }
    invoice = InvoiceIssued(**said, occurred_at=issued_on.isoformat(), document=item, due_date=due_on)
    money = PaymentReceived(**said, occurred_at=paid_on.isoformat(), payment=payment)
    common: dict[str, Any] = {"account": of.name, "currency": of.currency, "amount_minor": minor}
    late = (paid_on - due_on).days
    rows += [
        (
            RowKey("item", of.name, item),
            ItemRow(
                **common, item=item, document=invoice, open_minor=0, issued_on=issued_on, due_on=due_on,
                status="settled", plan="default", plan_version=1, closed_on=paid_on, late_days=max(0, late),
            ),
        ),
        (
            RowKey("credit", of.name, credit),
            CreditRow(
                **common, credit=credit, credit_kind="payment", document=money, effective_minor=minor,
                rest_minor=0, received_on=paid_on,
            ),
        ),
        (
            RowKey("application", of.name, f"{credit}|{item}"),
            ApplicationRow(
                account=of.name, credit=credit, item=item, amount_minor=minor, applied_on=paid_on
            ),
        ),
    ]  # fmt: skip
    applied: dict[str, Any] = {"kind": "applied", "minor": -minor, "on": paid_on}
    facts += [
        _movement(of, f"s{number}", "issued", minor, issued_on, item=item, due_on=due_on),
        _movement(of, f"r{number}", "received", minor, paid_on, credit=credit),
        _movement(of, f"a{number}", **applied, item=item, counterpart=credit),
        _movement(of, f"b{number}", **applied, credit=credit, counterpart=item),
    ]


def _master_data(of: _Account, open_items: list[ItemRow]) -> Iterator[tuple[RowKey, Row]]:
    dice = of.dice
    said = CustomerUpserted(
        company=of.company,
        customer=of.customer,
        occurred_at="2025-01-01",
        name=f"Panadería {of.number:05d} Ñandú SpA",
        tax_id=f"{76_000_000 + of.number}-K",
        responsible=dice.choice(_PEOPLE),
        contacts=(Contact(name="Cuentas por pagar", email=f"desk{of.number}@customer{of.number}.example"),),
    )
    yield RowKey("customer", of.name, ""), CustomerRow(account=of.name, customer=said)
    overdue = [each.due_on for each in open_items if each.due_on < _TODAY]
    touched = _TODAY - dice.randint(0, 40) * _DAY if dice.random() < 0.7 else None
    yield (
        RowKey("account", of.name, ""),
        AccountRow(
            account=of.name,
            version=len(open_items),
            sequence=3 * len(open_items),
            balances={of.currency: Balance(open_minor=sum(each.open_minor for each in open_items))},
            wake_at_s=int(NOW.timestamp()) + dice.randint(1, 40) * 86_400,
            last_contact_on=touched,
            episode_opened_on=min(overdue, default=None),
            trust=dice.choices(("good", "normal", "bad"), weights=(20, 70, 10))[0],
            proposal=f"{of.name}/p" if open_items and of.number % 10 == 0 else "",
            failed_channels=("email/address_bounced",) if of.number % 50 == 3 else (),
            is_all_held=of.number % 100 == 9,
            last_note_on=_TODAY - dice.randint(0, 60) * _DAY if dice.random() < 0.3 else None,
            last_call_on=_TODAY - dice.randint(0, 60) * _DAY if dice.random() < 0.2 else None,
            paid_items=dice.randint(0, 100),
        ),
    )


def _arranged(of: _Account, open_items: list[ItemRow]) -> Iterator[tuple[RowKey, Row]]:
    dice, number = of.dice, of.number
    if number % 20 == 0 and open_items:
        until = _TODAY - dice.randint(-10, 20) * _DAY
        row = PromiseRow(
            account=of.name, promise=f"p{number}", currency=of.currency, amount_minor=10_000,
            made_on=until - 10 * _DAY, due_on=until, until=until, order=1, by="Luz", author="ana",
            status="broken" if until < _TODAY else "open",
        )  # fmt: skip
        yield RowKey("promise", of.name, row.promise), row
    for place, each in enumerate(open_items[: number % 3]):
        held = HoldRow(
            account=of.name, hold="excluded", item=each.item, reason="wrong price", author="ben",
            review_on=_TODAY + dice.randint(-20, 40) * _DAY, placed_at="2026-02-01T10:00:00Z",
        )  # fmt: skip
        yield RowKey("hold", of.name, f"excluded/{place}"), held
    if number % 25 == 4:
        on = _TODAY + dice.randint(-10, 20) * _DAY
        held = HoldRow(account=of.name, hold="snoozed", author="ana", until=on, by_hand=number % 50 == 4)
        yield RowKey("hold", of.name, "snoozed"), held
    if number % 40 == 2 and open_items:
        disputed = DisputeRow(
            account=of.name, dispute=f"d{number}", item=open_items[0].item, order=1, opened_on=_TODAY,
            reason="goods not received", review_on=_TODAY + dice.randint(-5, 20) * _DAY,
        )  # fmt: skip
        yield RowKey("dispute", of.name, disputed.dispute), disputed
    if number % 30 == 5:
        task = TaskRow(
            account=of.name, task=f"t{number}", task_type="call", opened_on=_TODAY, due_on=_TODAY,
            summary="Call them", responsible=dice.choice(_PEOPLE),
        )  # fmt: skip
        yield RowKey("task", of.name, task.task), task


def _log(of: _Account) -> Iterator[tuple[RowKey, Row]]:
    """Give what people wrote down, and the contacts that were made."""
    for number in range(200 if of.number == 0 else 3):
        on = _TODAY - (number % 60) * _DAY
        note = AddNote(
            company=of.company, customer=of.customer, occurred_at=f"{on}T{9 + number % 9:02d}:30:00Z",
            command=f"n{number}", author="ana", text="Promised to look into it.", responsible="ben",
        )  # fmt: skip
        yield (
            RowKey("seen", of.name, f"command/n{number}"),
            SeenRow(account=of.name, key=f"command/n{number}", event=note),
        )
        contact = ContactRow(
            account=of.name, contact=f"note/n{number}", channel="call", contact_kind="conversation", on=on,
            occurred_at=note.occurred_at, until=on + 400 * _DAY,
        )  # fmt: skip
        yield RowKey("contact", of.name, contact.contact), contact


_SAMPLE: Final = sample_reminder(kind="second", language="es")


def _reminders(of: _Account, open_items: list[ItemRow]) -> Iterator[LedgerFact]:
    for number in range(200 if of.number == 0 else 10):
        tick = NOW - of.dice.randint(0, 300) * _DAY
        some = open_items[3 * number : 3 * number + 3] or open_items[:3]
        if not some:
            return
        reminder = _reminder(of, f"{of.name}/r{number}", some, tick=tick)
        yield reminder
        # Every fiftieth fails; what was decided today has no end yet.
        if tick != NOW:
            status = "failed" if of.dice.random() < 0.02 else "sent"
            yield ReminderEnded(
                id=f"{of.name}/e{number}", account=of.name, reminder=reminder.id, tick=tick,
                status=status, on=tick.date(),  # type: ignore[arg-type]  # one of two words
                consumed=tuple((each.item, reminder.step) for each in some) if status == "sent" else (),
            )  # fmt: skip
        yield ReminderWithheld(
            id=f"{of.name}/w{number}", account=of.name, tick=tick, decision_version=number,
            items=(Withheld(item=some[0].item, step="second", reason="excluded"),),
        )  # fmt: skip
    if of.number % 10 == 0:
        content = _reminder(of, f"{of.name}/p", open_items[:20], tick=NOW)
        yield ReminderProposed(
            id=f"{of.name}/q",
            account=of.name,
            reminder=content.id,
            revision=1,
            because="customer",
            content=content,
        )


def _reminder(of: _Account, name: str, some: list[ItemRow], *, tick: datetime.datetime) -> ReminderDecided:
    step = of.dice.choice(_STEPS)
    contact = Contact(name="Cuentas por pagar", email=f"desk{of.number}@customer{of.number}.example")
    listed = tuple(
        ReminderItem(
            item=each.item, currency=each.currency, amount_minor=each.amount_minor, open_minor=each.open_minor,
            issued_on=each.issued_on, due_on=each.due_on, days_overdue=max(1, (_TODAY - each.due_on).days),
            step=step, step_index=0, plan="default", plan_version=1,
        )
        for each in some
    )  # fmt: skip
    return replace(
        _SAMPLE,
        id=name,
        account=of.name,
        company=of.company,
        customer=of.customer,
        customer_name=f"Panadería {of.number:05d}",
        tick=tick,
        mode="played",
        step=step,
        template=step,
        items=listed,
        totals=(Total(currency=of.currency, amount_minor=sum(each.open_minor for each in some)),),
        others=(),
        credits=(),
        credit_totals=(),
        deliveries=(Delivery(channel="email", not_before=tick, contact=contact),),
        pay_by_on=tick.date() + 7 * _DAY,
    )

"""Rows and facts become SQL: each kind in its columns, the last word wins, the same twice is once."""

import datetime
from typing import Any

import pytest
from msgspec import Raw
from sqlalchemy import Engine, Table, func, select

from infra.database import tables
from infra.database.engine import reading, writing
from infra.projection.batch import Batch
from infra.projection.facts import project_fact, project_outcome
from infra.projection.rows import project_row
from schemas.codec import encode, type_of
from schemas.commands import ConfigureCompany
from schemas.contacts import ContactRow
from schemas.envelope import Envelope, UnreadableName, to_headers
from schemas.events import Contact, CreditNoteIssued, CustomerUpserted, InvoiceIssued
from schemas.facts import (
    Delivery,
    ExceptionRaised,
    LedgerFact,
    Movement,
    PlanFinished,
    ReminderDecided,
    ReminderEnded,
    ReminderItem,
    ReminderWithheld,
    Total,
    Withheld,
)
from schemas.outcomes import OutcomeReported
from schemas.plans import Action, Plan, Step
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
    PromiseRow,
    Row,
    RowKey,
    SeenRow,
    TaskRow,
    encode_key,
    encode_row,
)

AT = datetime.datetime(2026, 3, 2, 12, tzinfo=datetime.UTC)
DAY = datetime.date(2026, 3, 2)
ACCOUNT = "acme:C1"
INVOICE = InvoiceIssued(
    company="acme", customer="C1", occurred_at="2026-03-02", document="I1", currency="USD", amount="10.00"
)
ITEM = ItemRow(
    account=ACCOUNT,
    item="I1",
    document=INVOICE,
    currency="USD",
    amount_minor=1000,
    open_minor=400,
    issued_on=DAY,
    due_on=DAY,
    revision=2**70,
)
NOTE = CreditRow(
    account=ACCOUNT,
    credit="credit_note/N1",
    credit_kind="credit_note",
    document=CreditNoteIssued(
        company="acme", customer="C1", occurred_at="2026-03-02", document="N1", currency="USD", amount="6"
    ),
    currency="USD",
    amount_minor=600,
    effective_minor=600,
    rest_minor=0,
    received_on=DAY,
)
PROFILE = ConfigureCompany(
    company="acme",
    occurred_at="2026-03-02",
    command="c1",
    name="Acme",
    time_zone="America/Santiago",
    currency="CLP",
)
PLAN = Plan(
    id="default", version=3, steps=(Step(name="first", offset_days=1, actions=(Action(channel="email"),)),)
)
ROWS: list[tuple[RowKey, Row]] = [
    (
        RowKey("account", ACCOUNT, ""),
        AccountRow(
            account=ACCOUNT,
            version=4,
            sequence=9,
            wake_at_s=1_772_452_800,
            balances={"USD": Balance(open_minor=400), "EUR": Balance(credit_minor=7)},
        ),
    ),
    (
        RowKey("customer", ACCOUNT, ""),
        CustomerRow(
            account=ACCOUNT,
            customer=CustomerUpserted(
                company="acme",
                customer="C1",
                occurred_at="2026-03-02",
                name="Ñandú & Cía.",
                contacts=(Contact(email="a@example.test"),),
            ),
        ),
    ),
    (RowKey("item", ACCOUNT, "I1"), ITEM),
    (RowKey("credit", ACCOUNT, "credit_note/N1"), NOTE),
    (
        RowKey("application", ACCOUNT, "credit_note/N1|I1"),
        ApplicationRow(account=ACCOUNT, credit="credit_note/N1", item="I1", amount_minor=600, applied_on=DAY),
    ),
    (
        RowKey("hold", ACCOUNT, "excluded/I1"),
        HoldRow(account=ACCOUNT, hold="excluded", item="I1", reason="agreed", until=DAY),
    ),
    (
        RowKey("promise", ACCOUNT, "word"),
        PromiseRow(
            account=ACCOUNT,
            promise="word",
            currency="USD",
            amount_minor=400,
            made_on=DAY,
            due_on=DAY,
            until=DAY,
            order=3,
            by="Ana",
            how="by transfer",
            author="eva",
        ),
    ),
    (
        RowKey("task", ACCOUNT, "call/I1"),
        TaskRow(account=ACCOUNT, task="call/I1", task_type="call", opened_on=DAY, due_on=DAY, items=["I1"]),
    ),
    (
        RowKey("contact", ACCOUNT, "note/call-1"),
        ContactRow(
            account=ACCOUNT,
            contact="note/call-1",
            channel="call",
            contact_kind="call_attempt",
            on=DAY,
            occurred_at=DAY.isoformat(),
            until=DAY,
        ),
    ),
    (RowKey("company", "acme", ""), CompanyRow(company="acme", version=2, profile=PROFILE)),
    (RowKey("plan", "acme", "default/3"), PlanRow(company="acme", plan=PLAN)),
    (RowKey("clock", "", ""), ClockRow(at=AT, mode="played", journal_offset=77)),
]
MIRRORED = {
    "account": tables.accounts,
    "customer": tables.customers,
    "item": tables.items,
    "credit": tables.account_credits,
    "application": tables.applications,
    "hold": tables.holds,
    "promise": tables.arrangements,
    "task": tables.open_tasks,
    "contact": tables.contacts,
    "company": tables.companies,
    "plan": tables.plans,
}


def put(batch: Batch, *rows: tuple[RowKey, Row | None], partition: int = 0) -> Batch:
    """Put rows (None: tombstones) into a batch as records of ``ledger.account``."""
    for key, row in rows:
        value = None if row is None else encode_row(row)
        project_row(batch, key=encode_key(key), value=value, partition=partition)
    return batch


def add(batch: Batch, *facts: LedgerFact) -> Batch:
    """Put facts into a batch, at offsets 0, 1, …."""
    for offset, fact in enumerate(facts):
        project_fact(batch, value=encode(fact), offset=offset, recorded_at=AT)
    return batch


def apply(engine: Engine, batch: Batch) -> None:
    """Write a batch in a transaction of its own."""
    with writing(engine) as connection:
        batch.apply(connection)


def everything(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Read the whole read model, to compare."""
    with reading(engine) as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in tables.PROJECTED
        }


def count(engine: Engine, table: Table) -> int:
    """Count a table's rows."""
    with reading(engine) as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_rows_of_every_kind_have_their_columns(engine: Engine) -> None:
    """What reports need is there: amounts, dates, names, versions; UTC instants."""
    apply(engine, put(Batch(), *ROWS))
    found = everything(engine)
    wake = datetime.datetime(2026, 3, 2, 12, tzinfo=datetime.UTC)
    dunning = ("automatic", wake, None, None, "", "", "", "")
    trust = ("normal", False, 0, 0, 0, 0, None, None)
    header = (ACCOUNT, "acme", "C1", 0, 4, 9, *dunning, *trust, False)
    assert [header] == found["accounts"]
    assert [(ACCOUNT, "EUR", 0, 7), (ACCOUNT, "USD", 400, 0)] == found["balances"]
    assert "Ñandú & Cía." == found["customers"][0][3]
    assert '[{"email":"a@example.test"}]' == found["customers"][0][-1]
    largest = 2**63 - 1
    assert [(ACCOUNT, "I1", "acme", type_of(INVOICE), "USD", 1000, 400, DAY, DAY, "open", largest)] == [
        row[:11] for row in found["items"]
    ]
    assert [(ACCOUNT, "credit_note/N1", "acme", "credit_note", "USD", 600, 600, 0, 0, 0, DAY, None)] == found[
        "credits"
    ]
    assert [(ACCOUNT, "credit_note/N1|I1", "credit_note/N1", "I1", 600, DAY, False)] == found["applications"]
    assert [(ACCOUNT, "excluded/I1", "excluded", "I1", "agreed", "", DAY, None, "", False)] == found["holds"]
    assert [("acme", 2, "Acme", "America/Santiago", "CLP", "en")] == [row[:6] for row in found["companies"]]
    assert [("acme", "default/3", "default", 3)] == [row[:4] for row in found["plans"]]
    assert [(0, AT, "played", 77)] == found["clocks"]


def test_writing_twice_is_writing_once(engine: Engine) -> None:
    """The same records again, in the same batch or another, change nothing."""
    apply(engine, put(Batch(), *ROWS))
    before = everything(engine)
    apply(engine, put(put(Batch(), *ROWS), *ROWS))
    assert before == everything(engine)


def test_the_last_row_of_a_key_stands(engine: Engine) -> None:
    """Within a batch and over batches the newest row of a key is what is read."""
    key = RowKey("account", ACCOUNT, "")
    rows = [(key, AccountRow(account=ACCOUNT, version=number)) for number in range(1, 5)]
    apply(engine, put(Batch(), *rows[:2]))
    apply(engine, put(Batch(), *rows[2:]))
    with reading(engine) as connection:
        assert [4] == connection.execute(select(tables.accounts.c.version)).scalars().all()


@pytest.mark.parametrize("kind", MIRRORED)
def test_a_tombstone_deletes(engine: Engine, kind: str) -> None:
    """A row that is gone from the topic is gone from SQL, in one batch or over two."""
    ((key, row),) = [each for each in ROWS if each[0].kind == kind]
    apply(engine, put(Batch(), (key, row)))
    assert 1 == count(engine, MIRRORED[kind])
    apply(engine, put(Batch(), (key, row), (key, None)))
    assert 0 == count(engine, MIRRORED[kind])
    assert 0 == count(engine, tables.balances)
    apply(engine, put(Batch(), (key, None), (key, row)))
    assert 1 == count(engine, MIRRORED[kind])


def test_what_every_partition_has_is_taken_from_one(engine: Engine) -> None:
    """Companies and plans come from partition 0, so that a late partition cannot bring old ones back."""
    old = (RowKey("company", "acme", ""), CompanyRow(company="acme", version=1))
    apply(engine, put(Batch(), *ROWS))
    batch = put(Batch(), old, partition=1)
    apply(engine, batch)
    with reading(engine) as connection:
        assert [2] == connection.execute(select(tables.companies.c.version)).scalars().all()
    assert 1 == batch.skipped["not_projected"]


def test_rows_that_only_the_ledger_needs_are_skipped() -> None:
    """Seen, waiting and reminder rows leave nothing, and are counted."""
    seen = SeenRow(account=ACCOUNT, key="invoice/I1", event=INVOICE)
    batch = put(
        Batch(), (RowKey("seen", ACCOUNT, "invoice/I1"), seen), (RowKey("waiting", ACCOUNT, "x"), None)
    )
    assert 2 == batch.skipped["not_projected"]


REMINDER = ReminderDecided(
    id="r1",
    account=ACCOUNT,
    company="acme",
    customer="C1",
    tick=AT,
    mode="played",
    decision_version=4,
    step="first",
    offset_days=1,
    template="reminder",
    language="es",
    items=(
        ReminderItem(
            item="I1",
            currency="USD",
            amount_minor=1000,
            open_minor=400,
            issued_on=DAY,
            due_on=DAY,
            days_overdue=1,
            step="first",
            step_index=0,
            step_due_on=DAY,
            plan="default",
            plan_version=3,
        ),
    ),
    others=(
        ReminderItem(
            item="I2",
            currency="USD",
            amount_minor=5,
            open_minor=5,
            issued_on=DAY,
            due_on=DAY,
            days_overdue=-3,
        ),
    ),
    totals=(Total(currency="USD", amount_minor=400),),
    deliveries=(Delivery(channel="email", not_before=AT, contact=Contact(email="a@example.test")),),
    pay_by_on=DAY,
    company_name="Acme",
    customer_name="C",
    unlisted=2,
)
FACTS: list[LedgerFact] = [
    Movement(
        id=f"{ACCOUNT}/1",
        account=ACCOUNT,
        currency="USD",
        kind="issued",
        amount_minor=1000,
        business_date=DAY,
        cause="e1",
        item="I1",
        due_on=DAY,
    ),
    REMINDER,
    ReminderWithheld(
        id="w1",
        account=ACCOUNT,
        tick=AT,
        decision_version=4,
        items=(Withheld(item="I2", step="first", reason="gap", until=DAY, values={"days": "3"}),),
    ),
    ReminderEnded(
        id="e1", account=ACCOUNT, reminder="r1", tick=AT, status="sent", on=DAY, consumed=(("I1", "first"),)
    ),
    PlanFinished(id="p1", account=ACCOUNT, item="I1", plan="default", plan_version=3),
    ExceptionRaised(
        id="x1",
        account=ACCOUNT,
        reason="conflict",
        key="invoice/I1",
        first=Raw(b'{"a":1}'),
        second=Raw(b'{"a":2}'),
    ),
]


def test_facts_have_their_columns(engine: Engine) -> None:
    """Movements, reminders with items and deliveries, noes, ends, consumed steps, exceptions."""
    apply(engine, add(Batch(), *FACTS))
    found = everything(engine)
    assert [
        (ACCOUNT, f"{ACCOUNT}/1", "acme", "USD", "issued", 1000, DAY, "I1", "", "", DAY, "e1", 0)
    ] == found["movements"]
    assert [("r1", ACCOUNT, "acme", "C1", AT, "played", 4, "first", 1, "reminder", "es", 3, 2, DAY)] == [
        row[:14] for row in found["reminders"]
    ]
    assert [("r1", "I1", "first"), ("r1", "I2", "")] == [
        (row[0], row[1], row[9]) for row in found["reminder_items"]
    ]
    assert [("r1", "email", ACCOUNT, AT, '{"email":"a@example.test"}')] == [
        row[:5] for row in found["deliveries"]
    ]
    assert [(ACCOUNT, "w1", "I2", "first", "acme", AT, "gap", 4, None, DAY, '{"days":"3"}')] == found[
        "withheld"
    ]
    assert [("r1", ACCOUNT, AT, "sent", DAY)] == found["reminder_ends"]
    assert [(ACCOUNT, "I1", "first", "r1", DAY)] == found["consumed_steps"]
    assert [(ACCOUNT, "p1", "plan_finished", "", "I1")] == [row[:5] for row in found["decisions"]]
    assert [("x1", ACCOUNT, "ledger", "conflict", "invoice/I1", "", '{"a":1}', '{"a":2}', AT)] == found[
        "exceptions"
    ]
    apply(engine, add(Batch(), *FACTS))
    assert found == everything(engine)


def project_reported(batch: Batch, outcome: OutcomeReported, *, offset: int, event_type: str = "") -> None:
    """Put an outcome into a batch as a record of its topic."""
    envelope = Envelope(id=f"o{offset}", source="/notifier", type=event_type or type_of(outcome))
    project_outcome(batch, headers=to_headers(envelope), value=encode(outcome), partition=0, offset=offset)


OUTCOME = OutcomeReported(
    company="acme",
    customer="C1",
    occurred_at="2026-03-02T12:00:00Z",
    reminder="r1",
    channel="email",
    status="accepted",
    provider_id="m1",
)


def test_outcomes_are_kept_once_per_status(engine: Engine) -> None:
    """(reminder, channel, status) is the natural key: a repeated report is the first one."""
    batch = Batch()
    project_reported(batch, OUTCOME, offset=0)
    project_reported(batch, OUTCOME, offset=1)
    apply(engine, batch)
    assert [("r1", "email", "accepted", ACCOUNT, "2026-03-02T12:00:00Z", "m1", "", "", 0, 0)] == everything(
        engine
    )["outcomes"]


def test_what_others_write_wrongly_does_not_stop_the_projector() -> None:
    """An outcome that breaks its contract is skipped and counted; intake dead-letters it."""
    batch = Batch()
    project_reported(batch, OUTCOME, offset=0, event_type="notify.outcome.reported.v9")
    project_outcome(batch, headers=[], value=b"{}", partition=0, offset=1)
    project_outcome(
        batch,
        headers=to_headers(Envelope(id="1", source="s", type=type_of(OUTCOME))),
        value=b"no",
        partition=0,
        offset=2,
    )
    project_outcome(
        batch,
        headers=to_headers(Envelope(id="1", source="s", type=type_of(INVOICE))),
        value=encode(INVOICE),
        partition=0,
        offset=3,
    )
    project_outcome(
        batch,
        headers=[
            *to_headers(Envelope(id="1", source="s", type=type_of(OUTCOME))),
            (UnreadableName(r"se\xf1al"), b"1"),
        ],
        value=encode(OUTCOME),
        partition=0,
        offset=4,
    )
    assert 5 == batch.skipped["invalid_outcome"]

"""Rows of ``ledger.account`` as rows of SQL: the columns that reports need.

Kinds that only the ledger needs (waiting, reminder, what banks said) are skipped; a reminder is read from
its own facts, which are never deleted. Rows that every partition has (companies, plans) are
taken from partition 0, so that one writer's order decides.
"""

import datetime
from typing import Final, assert_never

from msgspec import json

from infra.database import tables
from infra.projection.arrangements import project_arrangement
from infra.projection.batch import Batch
from infra.projection.live import keep_live
from infra.projection.requests import project_request
from schemas.codec import type_of
from schemas.contacts import ContactRow
from schemas.fields import split_account_id
from schemas.message_rows import MessageRow
from schemas.rows import (
    AccountRow,
    ApplicationRow,
    BankAlertRow,
    BankLineRow,
    BankRow,
    ChildRow,
    ClockRow,
    CompanyRow,
    CreditRow,
    CustomerRow,
    DisputeRow,
    GateOverrideRow,
    HoldRow,
    InstrumentRow,
    ItemRow,
    PaymentPlanRow,
    PlanRow,
    PromiseRow,
    ReminderRow,
    RowKey,
    SeenRow,
    TaskRow,
    WaitingRow,
    decode_key,
    decode_row,
)

__all__ = ["project_row"]

_SKIPPED: Final = frozenset(
    {"child", "message", "waiting", "reminder", "bank", "bank_alert", "bank_line", "gate_override"}
)
_SHARED: Final = frozenset({"company", "plan"})
# What a BIGINT holds; contracts have no upper limit for revisions and versions.
_BIGGEST: Final = 2**63 - 1
_TABLES: Final = {
    "account": (tables.accounts, tables.balances),
    "customer": (tables.customers,),
    "item": (tables.items,),
    "credit": (tables.account_credits,),
    "application": (tables.applications,),
    "hold": (tables.holds,),
    "promise": (tables.arrangements,),
    "dispute": (tables.arrangements,),
    "instrument": (tables.arrangements,),
    "payment_plan": (tables.arrangements,),
    "task": (tables.open_tasks,),
    "contact": (tables.contacts,),
    "company": (tables.companies,),
    "plan": (tables.plans,),
}


def project_row(batch: Batch, *, key: bytes, value: bytes | None, partition: int) -> None:
    """Put one record of ``ledger.account`` into the batch; None as value deletes.

    Raises:
        msgspec.DecodeError: the record is not what this version writes.
    """
    name = decode_key(key)
    keep_live(batch, name=name, value=value, partition=partition)
    if name.kind == "seen":
        project_request(batch, name=name, value=value)
    elif name.kind in _SKIPPED or (name.kind in _SHARED and partition != 0):
        batch.skipped["not_projected"] += 1
    elif value is None:
        _forget(batch, name)
    else:
        _place(batch, name, value, partition)


def _forget(batch: Batch, name: RowKey) -> None:
    for table in _TABLES[name.kind]:
        own = f"{name.kind}/{name.id}" if table is tables.arrangements else name.id
        batch.forget(table, key=(name.owner, own)[: 2 if name.id else 1])


def _place(batch: Batch, name: RowKey, value: bytes, partition: int) -> None:
    match row := decode_row(value):
        case AccountRow():
            _account(batch, row, partition)
        case CustomerRow():
            _customer(batch, row)
        case ItemRow() | CreditRow() | ApplicationRow():
            _money(batch, name, row)
        case HoldRow():
            _hold(batch, name, row)
        case PromiseRow() | DisputeRow() | InstrumentRow() | PaymentPlanRow():
            project_arrangement(batch, name, row)
        case TaskRow():
            _task(batch, name, row)
        case ContactRow():
            key = (name.owner, name.id)
            said = (row.channel, row.contact_kind, row.on, row.occurred_at)
            batch.put(tables.contacts, key=key, row=(*key, *said))
        case CompanyRow():
            _company(batch, row)
        case PlanRow():
            _plan(batch, name, row)
        case ClockRow():
            batch.put(tables.clocks, key=(partition,), row=(partition, row.at, row.mode, row.journal_offset))
        case (
            ReminderRow()
            | MessageRow()
            | SeenRow()
            | WaitingRow()
            | ChildRow()
            | BankRow()
            | BankAlertRow()
            | BankLineRow()
            | GateOverrideRow()
        ):
            raise TypeError(f"a row under key {name} says that it is a {type(row).__name__}")
        case _:
            assert_never(row)


def _money(batch: Batch, name: RowKey, row: ItemRow | CreditRow | ApplicationRow) -> None:
    match row:
        case ItemRow():
            _item(batch, row)
        case CreditRow():
            _credit(batch, row)
        case ApplicationRow():
            _application(batch, name, row)


def _account(batch: Batch, row: AccountRow, partition: int) -> None:
    wake_at = None
    if row.wake_at_s is not None:
        wake_at = datetime.datetime.fromtimestamp(row.wake_at_s, datetime.UTC)
    batch.put(
        tables.accounts,
        key=(row.account,),
        row=(
            row.account,
            *split_account_id(row.account),
            partition,
            row.version,
            row.sequence,
            row.mode,
            wake_at,
            row.last_contact_on,
            row.episode_opened_on,
            row.open_reminder,
            row.quarantined,
            ", ".join(dict.fromkeys("/".join(each.split("/", 2)[:2]) for each in row.failed_channels)),
            row.proposal,
            row.trust,
            row.trust_set is not None,
            row.paid_items,
            row.late_items,
            row.late_days,
            row.broken_promises,
            row.last_note_on,
            row.last_call_on,
            row.is_all_held,
        ),
    )
    for currency, sums in row.balances.items():
        key = (row.account, currency)
        batch.put(tables.balances, key=key, row=(*key, sums.open_minor, sums.credit_minor))


def _customer(batch: Batch, row: CustomerRow) -> None:
    said = row.customer
    batch.put(
        tables.customers,
        key=(row.account,),
        row=(
            row.account,
            said.company,
            said.customer,
            said.name,
            said.tax_id,
            said.kind,
            said.language,
            said.time_zone,
            said.country,
            said.group,
            said.payment_terms_days,
            said.plan,
            row.responsible(),
            json.encode(said.contacts).decode(),
        ),
    )


def _item(batch: Batch, row: ItemRow) -> None:
    key = (row.account, row.item)
    batch.put(
        tables.items,
        key=key,
        row=(
            *key,
            row.document.company,
            type_of(row.document),
            row.currency,
            row.amount_minor,
            row.open_minor,
            row.issued_on,
            row.due_on,
            row.status,
            min(row.revision, _BIGGEST),
            row.reference,
            row.plan,
            min(row.plan_version, _BIGGEST),
            row.step,
            row.sent_level_on,
            row.pay_by_on,
            row.plan_finished,
        ),
    )


def _credit(batch: Batch, row: CreditRow) -> None:
    key = (row.account, row.credit)
    batch.put(
        tables.account_credits,
        key=key,
        row=(
            *key,
            row.document.company,
            row.credit_kind,
            row.currency,
            row.amount_minor,
            row.effective_minor,
            row.rest_minor,
            row.reserved_minor,
            row.refunded_minor,
            row.received_on,
            row.ended_on,
        ),
    )


def _application(batch: Batch, name: RowKey, row: ApplicationRow) -> None:
    key = (name.owner, name.id)
    batch.put(
        tables.applications,
        key=key,
        row=(*key, row.credit, row.item, row.amount_minor, row.applied_on, row.automatic),
    )


def _hold(batch: Batch, name: RowKey, row: HoldRow) -> None:
    key = (name.owner, name.id)
    batch.put(
        tables.holds,
        key=key,
        row=(
            *key,
            row.hold,
            row.item,
            row.reason,
            row.author,
            row.until,
            row.review_on,
            row.placed_at,
            row.by_hand,
        ),
    )


def _task(batch: Batch, name: RowKey, row: TaskRow) -> None:
    key = (name.owner, name.id)
    said = (row.task_type, row.summary, row.responsible, row.opened_on, row.due_on, row.blocking)
    batch.put(
        tables.open_tasks,
        key=key,
        row=(*key, *split_account_id(name.owner), *said, json.encode(row.items).decode()),
    )


def _company(batch: Batch, row: CompanyRow) -> None:
    profile = row.profile
    said = (
        (profile.name, profile.time_zone, profile.currency, profile.language)
        if profile
        else ("", "UTC", "", "")
    )
    batch.put(
        tables.companies,
        key=(row.company,),
        row=(row.company, row.version, *said, json.encode(profile).decode()),
    )


def _plan(batch: Batch, name: RowKey, row: PlanRow) -> None:
    key = (name.owner, name.id)
    version = min(row.plan.version, _BIGGEST)
    batch.put(
        tables.plans,
        key=key,
        row=(*key, row.plan.id, version, row.plan.name, json.encode(row.plan).decode()),
    )

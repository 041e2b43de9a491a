"""Facts as rows of SQL: movements, reminders, decisions, exceptions, outcomes. Append-only.

A fact's id is a function of the log, so the same fact is one row however often it is read.
"""

import datetime
from typing import Final, assert_never

from msgspec import json

from infra.database import tables
from infra.projection.batch import Batch
from schemas.charges import ClaimCorrected, ClaimRaised
from schemas.codec import ContractError, decode_source
from schemas.envelope import EnvelopeError, from_headers
from schemas.facts import (
    AccountQuarantined,
    AccountReleased,
    AccountTold,
    AnswerGiven,
    ConditionalPaymentChanged,
    CreditLimitCrossed,
    DisputeOpened,
    DisputeRuled,
    ExceptionRaised,
    ItemHandedOver,
    LedgerFact,
    LevelTakenOver,
    MessageDecided,
    MessageEnded,
    Movement,
    PaymentPlanEnded,
    PaymentPlanMade,
    PlanFinished,
    PromiseJudged,
    PromiseMade,
    ReminderDecided,
    ReminderEnded,
    ReminderItem,
    ReminderProposed,
    ReminderRetracted,
    ReminderWasWrong,
    ReminderWithheld,
    TaskClosed,
    TaskOpened,
    TransferSent,
)
from schemas.fields import split_account_id
from schemas.outcomes import OutcomeReported

__all__ = ["RAISED_BY_LEDGER", "project_fact", "project_outcome"]

RAISED_BY_LEDGER: Final = "ledger"
_decoder: json.Decoder[LedgerFact] = json.Decoder(LedgerFact)
_TYPE_NAMES: Final = {
    PlanFinished: "plan_finished",
    ReminderRetracted: "retracted",
    ReminderWasWrong: "was_wrong",
    ClaimRaised: "claim_raised",
    ClaimCorrected: "claim_corrected",
    AccountQuarantined: "quarantined",
    AccountReleased: "released",
    ReminderProposed: "proposed",
    MessageDecided: "message_decided",
    MessageEnded: "message_ended",
    ItemHandedOver: "handed_over",
    LevelTakenOver: "level_taken_over",
    TaskOpened: "task_opened",
    TaskClosed: "task_closed",
    PromiseMade: "promise_made",
    PromiseJudged: "promise_judged",
    DisputeOpened: "dispute_opened",
    DisputeRuled: "dispute_ruled",
    AccountTold: "account_told",
    CreditLimitCrossed: "credit_limit_crossed",
    TransferSent: "transfer_sent",
    AnswerGiven: "answer_given",
    PaymentPlanMade: "payment_plan_made",
    PaymentPlanEnded: "payment_plan_ended",
    ConditionalPaymentChanged: "conditional_payment_changed",
}


def project_fact(batch: Batch, *, value: bytes, offset: int, recorded_at: datetime.datetime) -> None:
    """Put one record of ``ledger.movement`` or ``collections.*`` into the batch.

    Args:
        batch: what it is put into.
        value: the record's value.
        offset: the record's offset: within an account, the order of its movements.
        recorded_at: the record's time.

    Raises:
        msgspec.DecodeError: the record is not what this version writes.
    """
    match fact := _decoder.decode(value):
        case Movement():
            _movement(batch, fact, offset)
        case ReminderDecided():
            _reminder(batch, fact)
        case ReminderWithheld():
            _withheld(batch, fact)
        case ReminderEnded():
            _reminder_end(batch, fact)
        case ReminderRetracted() | ReminderWasWrong() | ClaimRaised():
            _decision(batch, fact, reminder=fact.reminder, item=fact.item, value=value)
        case MessageDecided():
            _decision(batch, fact, reminder=fact.content.id, item="", value=value)
        case ReminderProposed() | AnswerGiven():
            _decision(batch, fact, reminder=fact.reminder, item="", value=value)
        case (
            PlanFinished()
            | ItemHandedOver()
            | LevelTakenOver()
            | ClaimCorrected()
            | DisputeOpened()
            | DisputeRuled()
            | PaymentPlanMade()
            | PaymentPlanEnded()
        ):
            _decision(batch, fact, reminder="", item=fact.item, value=value)
        case (
            ConditionalPaymentChanged()
            | PromiseMade()
            | TransferSent()
            | AccountTold()
            | CreditLimitCrossed()
            | PromiseJudged()
            | TaskOpened()
            | MessageEnded()
            | AccountQuarantined()
            | AccountReleased()
        ):
            _decision(batch, fact, reminder="", item="", value=value)
        case TaskClosed():
            _task_closed(batch, fact, value=value)
        case ExceptionRaised():
            _exception(batch, fact, recorded_at)
        case _:
            assert_never(fact)


def project_outcome(
    batch: Batch, *, headers: list[tuple[str, bytes]], value: bytes | None, partition: int, offset: int
) -> None:
    """Put one record of ``notify.outcome.v1`` into the batch.

    Others may write there: what breaks the contract is skipped here, and dead-lettered by intake.
    """
    try:
        envelope, data = from_headers(headers, value)
        outcome = decode_source(envelope.type, data)
    except (EnvelopeError, ContractError):
        batch.skipped["invalid_outcome"] += 1
        return
    if not isinstance(outcome, OutcomeReported):
        batch.skipped["invalid_outcome"] += 1
        return
    key = (outcome.reminder, outcome.channel, outcome.status)
    batch.add(
        tables.outcomes,
        key=key,
        row=(
            *key,
            f"{outcome.company}:{outcome.customer}",
            outcome.occurred_at,
            outcome.provider_id,
            outcome.error_type,
            outcome.detail,
            partition,
            offset,
        ),
    )


def _movement(batch: Batch, fact: Movement, offset: int) -> None:
    key = (fact.account, fact.id)
    batch.add(
        tables.movements,
        key=key,
        row=(
            *key,
            split_account_id(fact.account)[0],
            fact.currency,
            fact.kind,
            fact.amount_minor,
            fact.business_date,
            fact.item,
            fact.credit,
            fact.counterpart,
            fact.due_on,
            fact.cause,
            offset,
        ),
    )


def _reminder(batch: Batch, fact: ReminderDecided) -> None:
    batch.add(
        tables.reminders,
        key=(fact.id,),
        row=(
            fact.id,
            fact.account,
            fact.company,
            fact.customer,
            fact.tick,
            fact.mode,
            fact.decision_version,
            fact.step,
            fact.offset_days,
            fact.template,
            fact.language,
            len(fact.items) + fact.unlisted,
            fact.unlisted,
            fact.pay_by_on,
            json.encode(fact.totals).decode(),
        ),
    )
    for item in (*fact.items, *fact.others):
        _reminder_item(batch, fact, item)
    for each in fact.deliveries:
        key = (fact.id, each.channel)
        contact = json.encode(each.contact).decode()
        batch.add(
            tables.deliveries,
            key=key,
            row=(
                *key,
                fact.account,
                each.not_before,
                contact,
                each.task_type,
                each.summary,
                each.responsible,
            ),
        )


def _reminder_item(batch: Batch, fact: ReminderDecided, item: ReminderItem) -> None:
    key = (fact.id, item.item)
    batch.add(
        tables.reminder_items,
        key=key,
        row=(
            *key,
            fact.account,
            item.currency,
            item.amount_minor,
            item.open_minor,
            item.issued_on,
            item.due_on,
            item.days_overdue,
            item.step,
            item.step_index,
            item.step_due_on,
            item.plan,
            min(item.plan_version, 2**63 - 1),
        ),
    )


def _withheld(batch: Batch, fact: ReminderWithheld) -> None:
    company = split_account_id(fact.account)[0]
    for each in fact.items:
        key = (fact.account, fact.id, each.item, each.step)
        values = json.encode(each.values).decode()
        batch.add(
            tables.withheld,
            key=key,
            row=(
                *key,
                company,
                fact.tick,
                each.reason,
                fact.decision_version,
                each.step_due_on,
                each.until,
                values,
            ),
        )


def _reminder_end(batch: Batch, fact: ReminderEnded) -> None:
    # One that was sent fails later where it reached nobody (R19); no other end comes after an end.
    write = batch.put if fact.status == "failed" else batch.add
    write(
        tables.reminder_ends,
        key=(fact.reminder,),
        row=(fact.reminder, fact.account, fact.tick, fact.status, fact.on),
    )
    for item, step in fact.given_back:
        batch.forget(tables.consumed_steps, key=(fact.account, item, step, fact.reminder))
    for item, step in fact.consumed:
        key = (fact.account, item, step, fact.reminder)
        batch.add(tables.consumed_steps, key=key, row=(*key, fact.on))


def _task_closed(batch: Batch, fact: TaskClosed, *, value: bytes) -> None:
    """Keep the end of a task: of one that a reminder carried under that reminder, with its own id beside it."""
    of_reminder, _, rest = fact.task.partition("/")
    reminder = rest.rpartition("/")[0] if of_reminder == "reminder" else ""
    _decision(batch, fact, reminder=reminder, item=fact.task if reminder else "", value=value)


def _decision(
    batch: Batch,
    fact: LedgerFact,
    *,
    reminder: str,
    item: str,
    value: bytes,
) -> None:
    key = (fact.account, fact.id)
    batch.add(tables.decisions, key=key, row=(*key, _TYPE_NAMES[type(fact)], reminder, item, value.decode()))


def _exception(batch: Batch, fact: ExceptionRaised, recorded_at: datetime.datetime) -> None:
    batch.add(
        tables.exceptions,
        key=(fact.id,),
        row=(
            fact.id,
            fact.account,
            RAISED_BY_LEDGER,
            fact.reason,
            fact.key,
            fact.detail,
            bytes(fact.first).decode(),
            bytes(fact.second).decode(),
            recorded_at,
        ),
    )

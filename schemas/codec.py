"""Which struct an event type is, which topic it belongs to, and how it is read and written.

The one register of event types: intake, ``publish``, ``validate``, the JSON
Schema export and the examples all go through it.
"""

from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct, json

from schemas import charges, commands, events, facts, outcomes
from schemas.bank import BANK_FACTS
from schemas.journal import SourceEvent

__all__ = [
    "FACT_TYPES",
    "SOURCE_TYPES",
    "TOPIC_OF_TYPE",
    "ContractError",
    "decode_source",
    "encode",
    "encode_all",
    "type_of",
]


class ContractError(ValueError):
    """An event breaks its contract; ``reason`` is a label for headers and metrics."""

    def __init__(self, *, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def type_of(event: Struct | type[Struct]) -> str:
    """Give the event type (the tag) of an event or of its struct."""
    return str(event.__struct_config__.tag)


_TOPICS: dict[str, tuple[type[Struct], ...]] = {
    "billing.invoice.v1": (
        events.InvoiceIssued,
        events.InvoiceAmended,
        events.InvoiceCancelled,
        events.CreditNoteIssued,
        events.CreditNoteCancelled,
        events.DebitNoteIssued,
        events.ItemOpened,
        events.ReminderSentElsewhere,
    ),
    "billing.payment.v1": (
        events.PaymentReceived,
        events.PaymentReversed,
        events.PaymentStateChanged,
        events.RefundPaid,
        events.WriteOffBooked,
        events.WriteOffReversed,
    ),
    "billing.reconciliation.v1": (events.ReconciliationRecorded, *BANK_FACTS),
    "billing.customer.v1": (events.CustomerUpserted, events.CustomerMerged),
    "collections.command.v1": tuple(each for each in commands.Command.__args__ if each not in BANK_FACTS),
    "notify.outcome.v1": (outcomes.OutcomeReported,),
    "ledger.movement": (facts.Movement,),
    "collections.reminder.v1": (facts.ReminderDecided, facts.MessageDecided),
    "collections.decision.v1": (
        facts.ReminderProposed,
        facts.MessageEnded,
        facts.LevelTakenOver,
        facts.ReminderWithheld,
        facts.ReminderEnded,
        facts.ReminderRetracted,
        facts.ReminderWasWrong,
        charges.ClaimRaised,
        charges.ClaimCorrected,
        facts.PlanFinished,
        facts.ItemHandedOver,
        facts.TaskOpened,
        facts.TaskClosed,
        facts.PromiseMade,
        facts.PromiseJudged,
        facts.DisputeOpened,
        facts.DisputeRuled,
        facts.ConditionalPaymentChanged,
        facts.TransferSent,
        facts.AnswerGiven,
        facts.AccountTold,
        facts.CreditLimitCrossed,
        facts.PaymentPlanMade,
        facts.PaymentPlanEnded,
        facts.AccountQuarantined,
        facts.AccountReleased,
    ),
    "collections.exception.v1": (facts.ExceptionRaised,),
}
TOPIC_OF_TYPE: dict[str, str] = {type_of(each): topic for topic, types in _TOPICS.items() for each in types}
SOURCE_TYPES: dict[str, type[Struct]] = {
    type_of(each): each
    for topic, types in _TOPICS.items()
    for each in types
    if topic.startswith("billing.") or topic in ("collections.command.v1", "notify.outcome.v1")
}
FACT_TYPES: dict[str, type[Struct]] = {type_of(each): each for each in facts.LedgerFact.__args__}

_decoders = {name: json.Decoder(struct) for name, struct in SOURCE_TYPES.items()}
_encoder = json.Encoder()


# Writes an event's data as JSON; not a function of ours, since it is called for each fact.
encode: Callable[[Struct], bytes] = _encoder.encode


def encode_all(events: Sequence[Struct]) -> list[bytes]:
    """Write the data of many events, as ``encode`` each; in one buffer, which costs less than one for each."""
    values = _encoder.encode_lines(events).split(b"\n")
    values.pop()
    # Contents that are carried as they came may hold line breaks between their fields.
    return values if len(values) == len(events) else [encode(event) for event in events]


def decode_source(event_type: str, data: bytes) -> SourceEvent:
    """Read the data of an event that others publish.

    Raises:
        ContractError: ``unknown_type`` (a future version among them, which is
            said), ``not_json`` or ``invalid`` with the path of the field.
    """
    decoder = _decoders.get(event_type)
    if decoder is None:
        raise ContractError(reason=_unknown_reason(event_type), detail=_unknown_detail(event_type))
    try:
        return decoder.decode(data)  # type: ignore[return-value]  # one of SourceEvent by construction
    except msgspec.ValidationError as error:
        raise ContractError(reason="invalid", detail=str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ContractError(reason="not_json", detail=str(error)) from error


def _versions_of(event_type: str) -> list[str]:
    stem, _, _ = event_type.rpartition(".v")
    return sorted(name for name in _decoders if stem and name.rpartition(".v")[0] == stem)


def _unknown_reason(event_type: str) -> str:
    return "unknown_version" if _versions_of(event_type) else "unknown_type"


def _unknown_detail(event_type: str) -> str:
    known = _versions_of(event_type)
    if known:
        return f"event type {event_type!r} is of a version not known here; known: {', '.join(known)}"
    return f"event type {event_type!r} is unknown"

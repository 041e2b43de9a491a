"""Messages other than reminders: invoice issued, payment received, statements, corrections (R13, R30, R33, S4-07 … S4-11).

What a customer has answered (S4-17) goes to the company's own desk the same way: once, and to be
replayed. It is no contact with the customer: neither holds nor the law keep it back.

Each has its own switch in the company's profile, and costs an account nothing
while that is off. They consume no level and neither wait for nor start the
minimum gap; the law counts them like everything that is written (section 5).

::

    planned ──its day──► open ──first delivery accepted──► sent
       └─► needless, held, no_address    └──all failed──► failed     (superseded: planned again; a correction: another one)
"""

import datetime
import hashlib

import msgspec

from processors.account import Account
from processors.addressing import (
    address_for,
    contacts_for,
    deliveries_for,
    is_address_bad,
    remember_failure,
    unusable_channels,
    written_to,
)
from processors.afterwards import heed_stop, mend_address, take_afterword
from processors.calendar import epoch_s
from processors.circumstances import Circumstances
from processors.company import Company
from processors.context import FoldContext
from processors.fates import ADDRESS_ERRORS, REACHED, error_of, is_afterword, word
from processors.holds import account_hold
from processors.law.register import register
from processors.reminder import aged_totals, fitting_items, listed_item, totals_of, write_content
from processors.wake import AT_NEXT_TICK_S, set_wake
from schemas.answers import GiveAnswer
from schemas.events import Contact, InvoiceIssued, PaymentReceived
from schemas.facts import Delivery, LedgerFact, MessageDecided, MessageEnded, ReminderDecided, Total
from schemas.message_rows import MessageEnd, MessageKind, MessageRow
from schemas.outcomes import OutcomeReported
from schemas.plans import Action
from schemas.rows import ItemRow

__all__ = [
    "UNBOUND",
    "announce_invoice",
    "correct_reminder",
    "has_planned_correction",
    "next_statement_on",
    "previous_statement_on",
    "report",
    "schedule_statement",
    "send",
    "send_statement",
    "tell_desk",
    "thank_for_payment",
    "told_of",
]

UNBOUND = -1  # a decision version that no change of the account overtakes (R32)
NEWS_DAYS = 7  # what is older is history that was brought in, and no news to the customer
_CHANNELS = (Action(channel="email"),)
_UNRESOLVED = frozenset({"dispatched", "unknown"})


# -- what is planned -----------------------------------------------------------


def announce_invoice(account: Account, event: InvoiceIssued, *, context: FoldContext) -> None:
    """Plan to tell a customer of a new invoice (S4-07)."""
    if context.company.profile.invoice_messages:
        _plan(account, kind="invoice_issued", subject=event.document, context=context)


def thank_for_payment(account: Account, event: PaymentReceived, *, context: FoldContext) -> None:
    """Plan to thank a customer for a payment (S4-10)."""
    if context.company.profile.payment_messages:
        _plan(account, kind="payment_received", subject=event.payment, context=context)


def correct_reminder(account: Account, reminder: str, *, context: FoldContext) -> None:
    """Plan to tell a customer what a sent reminder named in error (R13, R30), in one message as long as none has gone out.

    What is found later has a message of its own: of the one before it an outcome may still come.
    """
    if has_planned_correction(account, reminder):
        return
    row = MessageRow(
        account=account.id,
        message=_correction(reminder, number=len(_corrections(account, reminder)) + 1),
        message_kind="correction",
        subject=reminder,
        due_on=context.today(),
    )
    _keep(account, row)
    account.advance()  # whatever told of it: the account is to be looked at


def has_planned_correction(account: Account, reminder: str) -> bool:
    """Say whether a customer will be told what a reminder named in error, and has not been yet."""
    return any(each.status == "planned" for each in _corrections(account, reminder))


def told_of(account: Account, reminder: str) -> set[str]:
    """Give what corrections of a reminder have told the customer, or are on their way to."""
    said = (each.named for each in _corrections(account, reminder) if each.status in ("open", "sent"))
    return set().union(*said)


def _corrections(account: Account, reminder: str) -> list[MessageRow]:
    """Give the corrections of a reminder, the first first."""
    found: list[MessageRow] = []
    while (row := account.messages.get(_correction(reminder, number=len(found) + 1))) is not None:
        found.append(row)
    return found


def _correction(reminder: str, *, number: int) -> str:
    return f"correction/{reminder}" + (f"/{number}" if number > 1 else "")


def tell_desk(account: Account, *, answer: str, context: FoldContext) -> None:
    """Plan to mail an answer to each address that the company wants it at (S4-17)."""
    for position, desk in enumerate(context.company.profile.answers_to, start=1):
        row = MessageRow(
            account=account.id,
            message=f"answer/{answer}/{position}",
            message_kind="answer",
            subject=answer,
            due_on=context.today(),
            desk=desk,
        )
        _keep(account, row)
        set_wake(account, AT_NEXT_TICK_S)  # an answer by itself changes nothing that is decided


def _plan(account: Account, *, kind: MessageKind, subject: str, context: FoldContext) -> None:
    """Plan a message, unless what it would tell is history (before the first tick all is)."""
    if context.now is None or context.day < context.today() - datetime.timedelta(days=NEWS_DAYS):
        return
    due_on = max(context.day, context.today())
    row = MessageRow(
        account=account.id, message=f"{kind}/{subject}", message_kind=kind, subject=subject, due_on=due_on
    )
    _keep(account, row)


def _keep(account: Account, row: MessageRow) -> None:
    account.messages[row.message] = row
    account.alarms.set(f"message/{row.message}", row.due_on)
    account.touch(row)
    account.touch(account.row)


# -- statements on a schedule --------------------------------------------------


def schedule_statement(account: Account, *, company: Company, today: datetime.date) -> None:
    """Note the day of an account's next statement, where the company sends any and none is noted (S1-24)."""
    if company.profile.statements == "off" or account.row.statement_on is not None:
        return
    _note_statement(account, next_statement_on(company, after=today - datetime.timedelta(days=1)))


def send_statement(account: Account, _: str, *, context: FoldContext) -> list[LedgerFact]:
    """Plan and send the statement of a day, and note the next (an alarm); with nothing open none is sent."""
    company = context.company
    if company.profile.statements == "off":
        _note_statement(account, None)
        return []
    _note_statement(account, next_statement_on(company, after=context.day))
    if not any(sums.open_minor for sums in account.row.balances.values()):
        return []
    subject = context.day.isoformat()
    row = MessageRow(
        account=account.id,
        message=f"statement/{subject}",
        message_kind="statement",
        subject=subject,
        due_on=context.day,
    )
    _keep(account, row)
    return send(account, row.message, context=context)


def next_statement_on(company: Company, *, after: datetime.date) -> datetime.date:
    """Give the company's first day of statements after a day: a weekday (1 is Monday), or a day of the month."""
    profile = company.profile
    day = after + datetime.timedelta(days=1)
    if profile.statements == "weekly":
        return day + datetime.timedelta(days=(profile.statement_day - day.isoweekday()) % 7)
    wanted = min(profile.statement_day, 28)
    if day.day > wanted:
        day = (day.replace(day=1) + datetime.timedelta(days=32)).replace(day=1)
    return day.replace(day=wanted)


def previous_statement_on(company: Company, *, before: datetime.date) -> datetime.date:
    """Give the company's last day of statements before one: from its morning on the next one tells what moved."""
    if company.profile.statements == "weekly":
        return before - datetime.timedelta(
            days=(before.isoweekday() - company.profile.statement_day) % 7 or 7
        )
    wanted = min(company.profile.statement_day, 28)
    if before.day <= wanted:
        before = before.replace(day=1) - datetime.timedelta(days=1)
    return before.replace(day=wanted)


def _note_statement(account: Account, on: datetime.date | None) -> None:
    account.row.statement_on = on
    account.alarms.set("statement/", on)
    account.touch(account.row)


# -- sent ----------------------------------------------------------------------


def send(account: Account, message: str, *, context: FoldContext) -> list[LedgerFact]:
    """Decide a message on its day (an alarm), or say why it is not sent."""
    row = account.messages[message]
    account.alarms.set(f"message/{message}", None)
    if context.tick is None:
        raise AssertionError(f"{message}: messages are decided on ticks")
    not_enrolled = context.company.profile.enrolment == "selected" and not account.row.enrolled
    if not row.desk and (not_enrolled or account_hold(account, context.day) is not None):
        return [_end(account, row, status="held", context=context)]
    at = Circumstances(account, context.company, context.tick, context.day)
    content = _content(at, row)
    if isinstance(content, str):
        return [_end(account, row, status=content, context=context)]
    row.status, row.sent_as = "open", content.id
    row.deliveries = {each.channel: "dispatched" for each in content.deliveries}
    if row.message_kind == "correction":
        row.named = [each.item for each in content.items]
        row.written_to = written_to(content.deliveries[0])
    account.messages_sent_as[row.sent_as] = row.message
    account.touch(row)
    return [
        MessageDecided(
            id=content.id,
            account=account.id,
            message_kind=row.message_kind,
            subject=row.subject,
            content=content,
        )
    ]


def _content(at: Circumstances, row: MessageRow) -> ReminderDecided | MessageEnd:
    """Write a message; or say what keeps it from being sent."""
    if row.desk:
        return _answered(at, row)
    items: list[ItemRow] = []
    totals: tuple[Total, ...] = ()
    match row.message_kind:
        case "invoice_issued":
            item = at.account.items.get(row.subject)
            items = [item] if item is not None and item.status == "open" else []
        case "statement":
            open_items = (each for each in at.account.items.values() if each.open_minor > 0)
            items = sorted(open_items, key=lambda each: (each.due_on, each.item))
        case "correction":
            items = _named_in_error(at, row.subject)
        case "payment_received":
            payment = at.account.credits.get(f"payment/{row.subject}")
            if payment is not None and payment.ended_on is None:
                totals = (Total(currency=payment.currency, amount_minor=payment.amount_minor),)
    if not items and not totals:
        return "needless"
    deliveries = _deliveries(at, items)
    if not deliveries:
        return "no_address"
    return _written(at, row, items=items, totals=totals or totals_of(at, items), deliveries=deliveries)


def _named_in_error(at: Circumstances, reminder: str) -> list[ItemRow]:
    """List what a sent reminder named in error, and no correction has told the customer or is on its way to."""
    corrected = at.account.reminders.get(reminder)
    if corrected is None:
        return []
    names = {*corrected.retracted, *corrected.wrong} - told_of(at.account, reminder)
    known = (at.account.items[name] for name in sorted(names) if name in at.account.items)
    return [item for item in known if not item.open_minor or at.residual(item) is not None]


def _deliveries(at: Circumstances, items: list[ItemRow]) -> tuple[Delivery, ...]:
    """Give by which channels it goes: mail, else a letter; what nobody can be told is no task for a person."""
    planned = deliveries_for(
        _CHANNELS,
        contacts=contacts_for(at.account, items=items[:1], role="billing"),
        failed=unusable_channels(at.account),
        not_before=at.tick.at,
        language=at.company.profile.language,
    )
    return at.permits().plan((each for each in planned if each.channel != "task"), at=at.tick.at)


def _written(
    at: Circumstances,
    row: MessageRow,
    *,
    items: list[ItemRow],
    totals: tuple[Total, ...],
    deliveries: tuple[Delivery, ...],
) -> ReminderDecided:
    listed = fitting_items([listed_item(at, each) for each in items])
    written = write_content(
        at,
        reminder=_id(at, row),
        step=row.message_kind,
        offset_days=0,
        template=row.message_kind,
        attach_invoices=True,
        pay_by_on=items[0].due_on if len(items) == 1 else at.day,
        deliveries=deliveries,
        listed=listed,
        totals=totals,
        unlisted=len(items) - len(listed),
        others=(),
    )
    if len(listed) < len(items):
        written = msgspec.structs.replace(written, aging=aged_totals(at, items))
    if row.message_kind == "statement":
        if not at.company.profile.statement_pdf:
            return written
        begins_on = previous_statement_on(at.company, before=datetime.date.fromisoformat(row.subject))
        return msgspec.structs.replace(written, statement_from=begins_on)
    return msgspec.structs.replace(written, decision_version=UNBOUND, credits=(), credit_totals=())


def _answered(at: Circumstances, row: MessageRow) -> ReminderDecided | MessageEnd:
    """Tell the company's desk what a customer has answered: in its language, under no law, about the documents named."""
    seen = at.account.seen.get(f"command/{row.subject}")
    if seen is None or not isinstance(seen.event, GiveAnswer):
        return "needless"
    said = seen.event.said
    items = [at.account.items[name] for name in said.documents if name in at.account.items]
    listed = fitting_items([listed_item(at, each) for each in items])
    contact = Contact(name=at.company.profile.name, email=row.desk)
    written = write_content(
        at,
        reminder=_id(at, row),
        step=row.message_kind,
        offset_days=0,
        template=row.message_kind,
        attach_invoices=False,
        pay_by_on=at.day,
        deliveries=(Delivery(channel="email", not_before=at.tick.at, contact=contact),),
        listed=listed,
        totals=totals_of(at, items),
        unlisted=len(items) - len(listed),
        others=(),
    )
    return msgspec.structs.replace(
        written,
        decision_version=UNBOUND,
        language=at.company.profile.language,
        credits=(),
        credit_totals=(),
        payment_instructions="",
        law=None,
        legal_texts=(),
        answer=said,
    )


def _id(at: Circumstances, row: MessageRow) -> str:
    content = msgspec.json.encode([at.account.id, row.message, epoch_s(at.tick.at), at.tick.at.microsecond])
    return hashlib.blake2s(content, digest_size=16).hexdigest()


# -- what became of it ---------------------------------------------------------


def report(account: Account, event: OutcomeReported, *, context: FoldContext) -> list[LedgerFact]:
    """Take the fate of one delivery of a message; what a new state of the account overtook is written anew."""
    row = account.messages[account.messages_sent_as[event.reminder]]
    before = row.deliveries.get(event.channel)
    if before is None:
        return []
    if is_afterword(event.status, before=before):
        return _report_afterword(account, row, event, before=before, context=context)
    if before == event.status or before not in _UNRESOLVED:
        return []
    return _take(account, row, event, context=context)


def _take(
    account: Account, row: MessageRow, event: OutcomeReported, *, context: FoldContext
) -> list[LedgerFact]:
    """Take what a sender says of its delivery."""
    row.deliveries[event.channel] = event.status
    account.touch(row)
    if not row.desk:  # else nobody of the customer's was written to
        _register(account, event, context=context)
    fates = set(row.deliveries.values())
    if _UNRESOLVED & fates or row.status != "open":
        return []
    if fates == {"superseded"}:
        _again(account, row, context=context)
        return []
    if REACHED & fates:
        return [_end(account, row, status="sent", context=context)]
    ended = _end(account, row, status="failed", context=context)
    return [ended, *_by_another_way(account, row, event, context=context)]


def _register(account: Account, event: OutcomeReported, *, context: FoldContext) -> None:
    contact = f"{event.reminder}/{event.channel}"
    if event.status in ("accepted", "unknown"):
        register(
            account,
            contact=contact,
            channel=event.channel,
            kind="delivery",
            occurred_at=event.occurred_at,
            context=context,
        )
    elif (known := account.contacts.pop(contact, None)) is not None:
        account.remove(known)  # it may have gone out, and has not


def _report_afterword(
    account: Account, row: MessageRow, event: OutcomeReported, *, before: str, context: FoldContext
) -> list[LedgerFact]:
    """Take what a provider says later (R19): a message that came back has failed, and its address is to be mended."""
    if before == "superseded" or word(event) in row.told:
        return []
    facts: list[LedgerFact] = []
    if before in _UNRESOLVED:
        accepted = msgspec.structs.replace(event, status="accepted", error_type="", detail="")
        facts += _take(account, row, accepted, context=context)
    items = [row.subject] if row.message_kind == "invoice_issued" else row.named
    take_afterword(account, row, event=event, items=items, is_customers=not row.desk)
    if not row.desk:
        facts += heed_stop(account, event, context=context)
    if event.status == "failed" and not row.desk:
        _register(account, event, context=context)
    fates = set(row.deliveries.values())
    if row.status == "sent" and not (_UNRESOLVED | REACHED) & fates:
        facts.append(_end(account, row, status="failed", context=context))
        _correct_again(account, row, event, context=context)
    return facts if row.desk else facts + mend_address(account, event, context=context)


def _by_another_way(
    account: Account, row: MessageRow, event: OutcomeReported, *, context: FoldContext
) -> list[LedgerFact]:
    """Let a correction that a provider did not take because of its address go by another way, and have the address mended."""
    if row.message_kind != "correction" or error_of(event) not in ADDRESS_ERRORS:
        return []
    remember_failure(account, event, items=row.named)
    _correct_again(account, row, event, context=context)
    return mend_address(account, event, context=context)


def _correct_again(
    account: Account, row: MessageRow, event: OutcomeReported, *, context: FoldContext
) -> None:
    """Plan a correction anew that has reached nobody (R19): what we said in error is to be mended, by an address that is not bad.

    An address that is not his any more is not marked as bad: whoever is written to now gets it. Where that is the one that was
    written to, the error is of another (a forwarder's), and would come again each time.
    """
    items = [account.items[name] for name in row.named if name in account.items]
    has_changed = address_for(account, "email", items=items[:1], role="billing") != row.written_to
    if row.message_kind == "correction" and (
        is_address_bad(account, event) or (error_of(event) in ADDRESS_ERRORS and has_changed)
    ):
        correct_reminder(account, row.subject, context=context)


def _again(account: Account, row: MessageRow, *, context: FoldContext) -> None:
    del account.messages_sent_as[row.sent_as]
    row.status, row.sent_as, row.deliveries, row.due_on = "planned", "", {}, context.today()
    row.named = []
    _keep(account, row)


def _end(account: Account, row: MessageRow, *, status: MessageEnd, context: FoldContext) -> MessageEnded:
    row.status, row.ended_on = status, context.today()
    account.touch(row)
    account.touch(account.row)
    account.keep_until(row.ended_on + context.company.retention, kind="message", key=row.message)
    return MessageEnded(
        id=f"{account.id}/{account.next_sequence()}",
        account=account.id,
        message_kind=row.message_kind,
        subject=row.subject,
        status=status,
        message=row.sent_as,
    )

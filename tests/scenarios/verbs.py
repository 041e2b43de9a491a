"""The verbs of a scenario: each makes one event from the words of its line."""

from collections.abc import Callable
from typing import Any, cast

import msgspec

from schemas import commands, events
from schemas.fields import Channel
from schemas.journal import SourceEvent
from schemas.plans import Action, Plan, Step
from schemas.reminder_commands import UndoReminder
from tests.scenarios.answering import ANSWERING
from tests.scenarios.arranging import ARRANGING
from tests.scenarios.law import chosen_law
from tests.scenarios.money_verbs import MONEY_MAKERS
from tests.scenarios.plan_lines import after_last
from tests.scenarios.telling import Line, Teller
from tests.scenarios.words import ScenarioError, Words

__all__ = ["LATEST", "VERBS", "Teller"]

LATEST = "latest"  # the reminder that a command speaks of: the account's newest, decided or proposed

_PROFILE_NUMBERS = {
    "min-days": "min_days_between_contacts",
    "decision-hour": "decision_hour",
    "bank-hour": "bank_alert_hour",
    "terms": "payment_terms_days",
    "promise-tolerance": "promise_tolerance_days",
    "next-action-days": "next_action_days",
    "answer-rest": "answer_rest_days",
    "answer-promise": "answer_promise_days",
}
_PROFILE_DAYS = {"past-from": "past_from", "new-from": "new_from"}
_PROFILE_TEXTS = {
    "zone": "time_zone",
    "country": "country",
    "language": "language",
    "plan": "plan",
    "enrolment": "enrolment",
    "currency": "currency",
    "credits": "credit_policy",
    "charges": "late_charges",
    "money-pays": "money_pays",
}
_PROFILE_SWITCHES = {
    "currencies-apart": "currencies_apart",
    "raise-all": "raise_all_to_max",
    "automatic": "automatic",
    "courtesies": "courtesies",
    "auto-apply": "auto_apply",
    "invoice-messages": "invoice_messages",
    "payment-messages": "payment_messages",
    "correction-messages": "correction_messages",
    "answer-disputes": "answer_disputes",
}


def _contact(line: Line) -> events.Contact:
    return events.Contact(email=line.words.take("an e-mail address"))


def _invoice(line: Line) -> SourceEvent:
    document = line.text()
    amount, currency = line.words.amount(currency=line.currency)
    said = line.options(
        due=line.words.day, plan=line.text, contact=lambda: _contact(line), discount=lambda: _discount(line)
    )
    return events.InvoiceIssued(
        **line.whose,
        document=document,
        amount=amount,
        currency=currency,
        due_date=said.get("due"),
        plan=said.get("plan", ""),
        contact=said.get("contact"),
        discount=said.get("discount"),
    )


def _discount(line: Line) -> events.DiscountTerm:
    """Read ``discount 2 2026-01-15``: a percentage, and the last day on which it may be deducted."""
    return events.DiscountTerm(percent=line.text(), until=line.words.day())


def _debit_note(line: Line) -> SourceEvent:
    document = line.text()
    amount, currency = line.words.amount(currency=line.currency)
    due = line.options(due=line.words.day).get("due")
    return events.DebitNoteIssued(
        **line.whose, document=document, amount=amount, currency=currency, due_date=due
    )


def _opened(line: Line) -> SourceEvent:
    document = line.text()
    amount, currency = line.words.amount(currency=line.currency)
    said = line.options(
        issued=line.words.day,
        due=line.words.day,
        left=line.text,
        level=line.text,
        reminded=line.words.day,
        contacted=line.words.day,
    )
    return events.ItemOpened(
        **line.whose,
        document=document,
        amount=amount,
        open_amount=said.get("left", amount),
        currency=currency,
        issue_date=said["issued"],
        due_date=said["due"],
        level=said.get("level", ""),
        last_reminder_on=said.get("reminded"),
        last_contact_on=said.get("contacted"),
    )


def _amend(line: Line) -> SourceEvent:
    document = line.text()
    revisions = line.teller.revisions
    revisions[document] = revisions.get(document, 0) + 1
    said = line.options(
        amount=line.text,
        due=line.words.day,
        plan=line.text,
        contact=lambda: _contact(line),
        revision=line.words.number,
    )
    return events.InvoiceAmended(
        **line.whose,
        document=document,
        revision=said.get("revision", revisions[document]),
        amount=said.get("amount"),
        due_date=said.get("due"),
        plan=said.get("plan"),
        contact=said.get("contact"),
    )


def _credit_note(line: Line) -> SourceEvent:
    document = line.text()
    amount, currency = line.words.amount(currency=line.currency)
    invoice = line.text() if line.words.take_if("for") else None
    return events.CreditNoteIssued(
        **line.whose, document=document, amount=amount, currency=currency, invoice=invoice
    )


def _payment(line: Line) -> SourceEvent:
    payment = line.text()
    amount, currency = line.words.amount(currency=line.currency)
    named = line.words.until_word("short", "as") if line.words.take_if("for") else []
    lines = []
    for word in named:
        word, _, customer = word.partition(">")  # noqa: PLW2901 - ``INV-2=60.00>C2`` is customer C2's
        document, _, part = word.partition("=")
        lines.append(
            events.PaymentLine(
                document=document, amount=part or None, customer=customer or None, **_short(line)
            )
        )
    return events.PaymentReceived(
        **line.whose, payment=payment, amount=amount, currency=currency, lines=tuple(lines)
    )


def _short(line: Line) -> dict[str, Any]:
    """Read ``short 12.00 bank_fee``: what was kept back on the way; ``as 100.00 EUR``: the same in its currency."""
    if line.words.take_if("as"):
        amount, currency = line.words.amount(currency="")
        return {"item_amount": amount, "item_currency": currency}
    if not line.words.take_if("short"):
        return {}
    return {"short": line.text(), "short_for": cast("Any", line.text())}


def _note(kind: str) -> Callable[[Line], SourceEvent]:
    return lambda line: msgspec.convert(
        {"type": "collections.note.add.v1", **line.asked, "kind": kind, "text": line.text()}, commands.AddNote
    )


def _mode(line: Line) -> SourceEvent:
    manual = line.text() == "manual"
    return commands.SetMode(**line.asked, mode="manual" if manual else "automatic")


def _task(outcome: str) -> Callable[[Line], SourceEvent]:
    return lambda line: msgspec.convert(
        {"type": "collections.task.complete.v1", **line.asked, "task": line.text(), "outcome": outcome},
        commands.CompleteTask,
    )


def _approve(line: Line) -> SourceEvent:
    said = line.options(because=line.text, revision=line.words.number, edits=line.words.number)
    return commands.ApproveReminder(
        **line.asked,
        reminder=LATEST,
        revision=said.get("revision"),
        edits=said.get("edits"),
        now_because=said.get("because", ""),
    )


def _edit(line: Line) -> SourceEvent:
    said = line.options(
        channels=lambda: msgspec.convert(
            line.words.until_word("text", "without", "next", "template", "attach", "edits"),
            tuple[Channel, ...],
        ),
        text=line.text,
        without=lambda: tuple(
            line.words.until_word("text", "channels", "next", "template", "attach", "edits")
        ),
        next=line.words.day,
        template=line.text,
        attach=line.text,
        edits=line.words.number,
    )
    return commands.EditReminder(
        **line.asked,
        reminder=LATEST,
        edits=said.get("edits"),
        channels=said.get("channels"),
        text=said.get("text"),
        drop_items=said.get("without", ()),
        next_on=said.get("next"),
        template=said.get("template"),
        attach_invoices={"yes": True, "no": False}.get(said.get("attach", "")),
    )


def _call_back(line: Line) -> SourceEvent:
    said = line.options(because=line.text)
    return commands.CancelReminder(**line.asked, reminder=LATEST, reason=said.get("because", ""))


def _drop(line: Line) -> SourceEvent:
    said = line.options(because=line.text, edits=line.words.number)
    return commands.DropReminder(
        **line.asked, reminder=LATEST, edits=said.get("edits"), reason=said.get("because", "")
    )


def _undo(line: Line) -> SourceEvent:
    """Read ``undo approval``, ``undo changes`` or ``undo drop`` of the newest reminder."""
    what = cast("Any", line.text())
    said = line.options(because=line.text, edits=line.words.number)
    return UndoReminder(
        **line.asked, reminder=LATEST, what=what, edits=said.get("edits"), reason=said.get("because", "")
    )


def _customer(line: Line) -> SourceEvent:
    account = line.words.account
    told = line.teller.customers.get(account) or events.CustomerUpserted(
        **line.whose, name=account.partition(":")[2]
    )
    said = line.options(
        name=line.text,
        email=line.text,
        address=line.text,
        phone=line.text,
        language=line.text,
        group=line.text,
        plan=line.text,
        terms=line.words.number,
        contact=lambda: (line.text(), line.text()),
        parent=line.text,
        dunned_at=line.text,
        credit_limit=line.text,
        kind=line.text,
        country=line.text,
        zone=line.text,
        tax_id=line.text,
        responsible=line.text,
    )
    line.teller.customers[account] = event = msgspec.structs.replace(
        told,
        occurred_at=line.occurred_at,
        name=said.get("name", told.name),
        language=said.get("language", told.language),
        group=said.get("group", told.group),
        kind=said.get("kind", told.kind),
        country=said.get("country", told.country),
        time_zone=said.get("zone", told.time_zone),
        plan=said.get("plan", told.plan),
        payment_terms_days=said.get("terms", told.payment_terms_days),
        tax_id=said.get("tax_id", told.tax_id),
        responsible=said.get("responsible", told.responsible),
        contacts=_contacts(told, said),
        parent=said.get("parent", told.parent),
        dunned_at=said.get("dunned_at", told.dunned_at),
        credit_limit=said.get("credit_limit", told.credit_limit),
        credit_currency=line.currency,
    )
    return event


def _contacts(told: events.CustomerUpserted, said: dict[str, Any]) -> tuple[events.Contact, ...]:
    """Change the main contact, or add one of another role: ``contact finance eva@c1.test``."""
    if not said.keys() & {"email", "address", "phone", "contact"}:
        return told.contacts
    main = next((each for each in told.contacts if each.role == "main"), events.Contact())
    address = said.get("address")
    main = events.Contact(
        email=said.get("email", main.email),
        phone=said.get("phone", main.phone),
        address=main.address
        if address is None
        else tuple(part.strip() for part in address.split(",") if part),
    )
    others = tuple(each for each in told.contacts if each.role != "main")
    if "contact" in said:
        role, email = said["contact"]
        others += (msgspec.convert({"role": role, "email": email}, events.Contact),)
    return (main, *others) if main != events.Contact() else others


def _company(line: Line) -> SourceEvent:
    company = line.words.account.partition(":")[0]
    told = line.teller.profile(company)
    changes: dict[str, Any] = {
        "minimums": dict(told.minimums),
        "tolerances": dict(told.tolerances),
        "group_plans": dict(told.group_plans),
    }
    while line.words:
        word = line.words.take("a setting")
        if word in _PROFILE_NUMBERS:
            changes[_PROFILE_NUMBERS[word]] = line.words.number()
        elif word in _PROFILE_DAYS:
            changes[_PROFILE_DAYS[word]] = line.words.day()
        elif word in _PROFILE_TEXTS:
            changes[_PROFILE_TEXTS[word]] = line.text()
        elif word in _PROFILE_SWITCHES:
            changes[_PROFILE_SWITCHES[word]] = line.text() == "on"
        elif word in ("minimum", "tolerance"):
            amount, currency = line.words.amount(currency=line.currency)
            changes[f"{word}s"][currency] = amount
        elif word == "returned-fee":
            amount, currency = line.words.amount(currency=line.currency)
            changes["returned_payment_fees"] = {currency: amount}
        elif word == "statements":
            changes["statements"], changes["statement_day"] = line.text(), line.words.number()
        elif word == "answers-to":
            changes["answers_to"] = tuple(line.text().split(","))
        elif word == "banks":
            changes["bank_accounts"] = tuple(line.text().split(","))
        elif word == "group-plan":
            group, plan = line.text(), line.text()
            changes["group_plans"][group] = plan
        else:
            raise ScenarioError(line.words.line, f"not understood: {word!r}")
    event = msgspec.structs.replace(
        line.teller.profile(company),
        occurred_at=line.occurred_at,
        command=f"line-{line.words.line}",
        **changes,
    )
    line.teller.profiles[company] = event
    return event


def _elsewhere(line: Line) -> SourceEvent:
    document, level = line.text(), line.text()
    channel: Any = line.text() if line.words.take_if("by") else "email"
    return events.ReminderSentElsewhere(**line.whose, document=document, level=level, channel=channel)


def _go_live(line: Line) -> SourceEvent:
    """Read the portions of a first run: ``go-live 2026-03-02 2025-12-31 C2, …``: day, oldest debt, customer."""
    days = []
    while line.words:
        on, due_on = line.words.day(), line.words.day()
        days.append(commands.GoLiveDay(on=on, due_on=due_on, customer=line.text().rstrip(",")))
    company = line.words.account.partition(":")[0]
    command = f"line-{line.words.line}"
    return commands.GoLive(company=company, occurred_at=line.occurred_at, command=command, days=tuple(days))


def _law(line: Line) -> SourceEvent:
    company = line.words.account.partition(":")[0]
    command = f"line-{line.words.line}"
    return chosen_law(company, profile=line.text(), command=command, occurred_at=line.occurred_at)


def _plan(line: Line) -> SourceEvent:
    name = line.text()
    said = line.options(
        version=line.words.number,
        grace=line.words.number,
        account_grace=line.words.number,
        next_business_day=lambda: line.text() == "on",
        correction=lambda: line.text() == "on",
        entry=line.text,
        after_last=lambda: after_last(line.words),
        part_paid=lambda: (line.words.number(), line.words.number()),
    )
    percent, delay_days = said.get("part_paid", (None, None))
    plan = Plan(
        id=name,
        version=said.get("version", 1),
        steps=(
            Step(name="-", offset_days=0, actions=(Action(channel="email"),)),
        ),  # the lines below say which
        item_grace_days=said.get("grace", 0),
        account_grace_days=said.get("account_grace", 0),
        next_business_day=said.get("next_business_day", False),
        correction=said.get("correction", False),
        entry=said.get("entry", "first"),
        part_paid_percent=percent,
        part_paid_delay_days=delay_days,
        **said.get("after_last", {}),
    )
    return commands.PublishPlan(
        company=line.words.account.partition(":")[0],
        occurred_at=line.occurred_at,
        command=f"line-{line.words.line}",
        plan=plan,
    )


_MAKERS: dict[str, Callable[[Line], SourceEvent]] = {
    **ARRANGING,
    **ANSWERING,
    "amend": _amend,
    "approve": _approve,
    "call-attempt": _note("call_attempt"),
    "call-back": _call_back,
    "cancel": lambda line: events.InvoiceCancelled(**line.whose, document=line.text()),
    "cancel-credit-note": lambda line: events.CreditNoteCancelled(**line.whose, document=line.text()),
    "company": _company,
    "conversation": _note("conversation"),
    "credit-note": _credit_note,
    "customer": _customer,
    "debit-note": _debit_note,
    "drop": _drop,
    "undo": _undo,
    "edit": _edit,
    "enrol": lambda line: commands.EnrolCustomer(**line.asked),
    "invoice": _invoice,
    "go-live": _go_live,
    "law": _law,
    "sent-elsewhere": _elsewhere,
    "migrate": lambda line: commands.MigratePlan(
        company=line.words.account.partition(":")[0],
        occurred_at=line.occurred_at,
        command=f"line-{line.words.line}",
        plan=line.text(),
        to_version=line.words.number(),
    ),
    "mode": _mode,
    "next-date": lambda line: commands.SetNextDate(**line.asked, next_on=line.words.day()),
    "note": _note("note"),
    "opened": _opened,
    "payment": _payment,
    "plan": _plan,
    "send-now": lambda line: commands.SendNow(
        **line.asked, because=line.options(because=line.text).get("because", "")
    ),
    "reverse": lambda line: events.PaymentReversed(**line.whose, payment=line.text()),
    "reverse-write-off": lambda line: events.WriteOffReversed(**line.whose, write_off=line.text()),
    "responsible": lambda line: commands.SetResponsible(**line.asked, responsible=line.text().strip("-")),
    "trust": lambda line: commands.SetTrust(**line.asked, trust=cast("Any", line.text())),
    "task-done": _task("done"),
    "task-skipped": _task("skipped"),
}


def _made(maker: Callable[[Line], SourceEvent]) -> Callable[[Words, str, Teller], SourceEvent]:
    def make(words: Words, occurred_at: str, teller: Teller) -> SourceEvent:
        try:
            event = maker(Line(words, occurred_at, teller))
        except (KeyError, msgspec.ValidationError) as error:
            raise ScenarioError(words.line, f"{error} is missing or wrong") from error
        words.end()
        return event

    return make


VERBS = {verb: _made(maker) for verb, maker in {**_MAKERS, **MONEY_MAKERS}.items()}

"""What a template may know of a reminder: finished texts, and nothing to look up or to add up.

Every figure is already written in the reader's language; a template places
words and cannot reach an amount, a clock or a file.
"""

import datetime
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from msgspec import Struct, structs

from notifiers.writing.aging_table import AgingView, aging_of
from notifiers.writing.answer_view import AnswerView, answer_view
from notifiers.writing.figures import amount_text, day_text, short_day_text
from notifiers.writing.ways import LinkView, Ways, asks_for_money, item_payment_link, payment_links
from notifiers.writing.words import Words, words_of
from schemas.charges import Charge
from schemas.events import Contact
from schemas.facts import ReminderCredit, ReminderDecided, ReminderItem, Total
from schemas.fields import LetterLayout

__all__ = [
    "ChargeView",
    "CompanyView",
    "CreditView",
    "LineView",
    "MessageView",
    "TotalView",
    "as_data",
    "company_day",
    "view_of",
]


_NOWHERE = Ways()
_TURNS = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))


class LineView(Struct, frozen=True, kw_only=True):
    """One item. ``part_of`` is the original amount where only a part is open (R9).

    ``late`` is past due; ``link`` leads to the document, ``pay`` to where it is paid alone; '' leads nowhere.
    """

    document: str
    reference: str
    issued_on: str
    due_on: str
    status: str
    open: str
    part_of: str
    late: bool
    link: str
    pay: str


class TotalView(Struct, frozen=True, kw_only=True):
    """The subtotal of one currency (R23)."""

    label: str
    amount: str


class CreditView(Struct, frozen=True, kw_only=True):
    """Credit of the customer's that is not set against anything yet (R11, R12)."""

    name: str
    received_on: str
    amount: str


class ChargeView(Struct, frozen=True, kw_only=True):
    """What lateness costs (R22): for what, and how much."""

    name: str
    amount: str


class CompanyView(Struct, frozen=True, kw_only=True):
    """The sender's footer (S4-18); ``lines`` are phone, mail address and tax id, labelled.

    ``logo`` is an image's address, '' without one.
    """

    name: str
    address: tuple[str, ...]
    phone: str
    email: str
    tax_id: str
    lines: tuple[str, ...]
    logo: str


class MessageView(Struct, frozen=True, kw_only=True):
    """All that the templates of a message can name.

    ``what`` speaks of the due items ('document 0379', '3 documents'), ``one``
    says that there is just one; ``document`` is its number ('' of several), ``due_on`` when
    the oldest of them was due. ``pay_links`` are buttons to pay by, ``report_url`` is behind "tell us
    here", '' where there is no such page; ``report_lead`` asks what it answers. ``attached`` names
    files that go along; ``address``, ``facts`` and ``layout`` are for letters;
    ``answer`` is for the company's own desk (S4-17), None in all that customers read.
    """

    language: str
    words: Words
    company: CompanyView
    customer: str
    contact: str
    greeting: str
    what: str
    one: bool
    document: str
    due_on: str
    totals_text: str
    pay_by: str
    today: str
    items: tuple[LineView, ...]
    unlisted: str
    totals: tuple[TotalView, ...]
    others: tuple[LineView, ...]
    other_totals: tuple[TotalView, ...]
    charges: tuple[ChargeView, ...]
    charge_totals: tuple[TotalView, ...]
    credits: tuple[CreditView, ...]
    credit_totals: tuple[TotalView, ...]
    aging_currencies: tuple[str, ...]
    aging: tuple[AgingView, ...]
    payment_instructions: tuple[str, ...]
    pay_links: tuple[LinkView, ...]
    report_url: str
    report_lead: str
    unsubscribe_url: str
    attached: tuple[str, ...]
    footer: tuple[str, ...]
    address: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    page: str
    answer: AnswerView | None
    layout: LetterLayout


def company_day(reminder: ReminderDecided) -> datetime.date:
    """Give the company's day of the tick that the reminder was decided at."""
    return reminder.tick.astimezone(ZoneInfo(reminder.time_zone)).date()


def view_of(
    reminder: ReminderDecided, *, contact: Contact, words: Words | None = None, ways: Ways = _NOWHERE
) -> MessageView:
    """Write a reminder to ``contact`` in the reminder's language.

    Args:
        reminder: what was decided.
        contact: who is written to.
        words: a company's own, where it has some.
        ways: where the message leads.

    Raises:
        ValueError: no texts in that language, or a currency that is not in
            ISO 4217.
    """
    words, language = words or words_of(reminder.language), reminder.language
    count = len(reminder.items) + reminder.unlisted
    company = _company(reminder, words=words, logo=ways.logo)
    aging_currencies, aging = (
        aging_of(reminder, words=words, language=language) if asks_for_money(reminder) else ((), ())
    )
    customer = _plain(reminder.customer_name) or reminder.customer
    addressee = _plain(contact.name) or customer
    return MessageView(
        language=language.partition("-")[0],
        words=words,
        company=company,
        customer=customer,
        contact=addressee,
        greeting=words.greeting.format(name=addressee),
        what=_what(reminder, words=words, count=count),
        one=count == 1,
        document=reminder.items[0].item if count == 1 else "",
        due_on=day_text(
            min((each.due_on for each in reminder.items), default=reminder.pay_by_on), language=language
        ),
        totals_text=_listed([_amount(total, language=language) for total in reminder.totals], words=words),
        pay_by=day_text(reminder.pay_by_on, language=language),
        today=day_text(company_day(reminder), language=language),
        items=tuple(_line(item, words=words, reminder=reminder, ways=ways) for item in reminder.items),
        unlisted=_counted(reminder.unlisted, one=words.unlisted_one, other=words.unlisted_other),
        totals=_totals(reminder.totals, label=words.total, language=language),
        others=tuple(_line(item, words=words, reminder=reminder, ways=ways) for item in reminder.others),
        other_totals=_totals(reminder.other_totals, label=words.other_total, language=language),
        charges=_charges(reminder, words=words),
        charge_totals=_totals(reminder.charge_totals, label=words.charge_total, language=language),
        credits=tuple(_credit(each, words=words, language=language) for each in reminder.credits),
        credit_totals=_totals(reminder.credit_totals, label=words.credit_total, language=language),
        aging_currencies=aging_currencies,
        aging=aging,
        payment_instructions=_lines(reminder.payment_instructions) if asks_for_money(reminder) else (),
        pay_links=payment_links(reminder, words=words, language=language),
        report_url=ways.report,
        report_lead=words.report_lead if asks_for_money(reminder) else words.report_lead_other,
        unsubscribe_url=ways.unsubscribe,
        attached=ways.attached,
        footer=_lines(reminder.footer),
        address=_address(contact, customer=customer),
        facts=_facts(reminder, words=words),
        page=words.page,
        answer=None
        if reminder.answer is None
        else answer_view(reminder.answer, who=customer, language=language),
        layout=reminder.letter_layout,
    )


def as_data(view: MessageView) -> dict[str, object]:
    """Give a view's fields by name, as templates take them."""
    return structs.asdict(view)


def _company(reminder: ReminderDecided, *, words: Words, logo: str) -> CompanyView:
    labelled = (
        (words.phone, reminder.company_phone),
        (words.email, reminder.sender_email),
        (words.tax_id, reminder.company_tax_id),
    )
    return CompanyView(
        name=reminder.company_name or reminder.company,
        address=reminder.company_address,
        phone=reminder.company_phone,
        email=reminder.sender_email,
        tax_id=reminder.company_tax_id,
        logo=logo,
        lines=tuple(f"{label}: {value}" for label, value in labelled if value),
    )


def _facts(reminder: ReminderDecided, *, words: Words) -> tuple[tuple[str, str], ...]:
    return (
        (words.date, day_text(company_day(reminder), language=reminder.language)),
        (words.customer, reminder.customer),
    )


def _what(reminder: ReminderDecided, *, words: Words, count: int) -> str:
    if count == 0:
        return ""
    if count == 1:
        return words.what_one.format(document=reminder.items[0].item)
    return words.what_other.format(count=count)


def _line(item: ReminderItem, *, words: Words, reminder: ReminderDecided, ways: Ways) -> LineView:
    language = reminder.language
    asked_minor = item.open_minor - item.held_minor
    is_part = asked_minor != item.amount_minor
    return LineView(
        document=item.item,
        reference=_plain(item.reference),
        issued_on=short_day_text(item.issued_on, language=language),
        due_on=short_day_text(item.due_on, language=language),
        status=_status(item.days_overdue, words=words) if item.open_minor else words.nothing_open,
        open=amount_text(asked_minor, currency=item.currency, language=language),
        part_of=words.part_of.format(
            amount=amount_text(item.amount_minor, currency=item.currency, language=language)
        )
        if is_part
        else "",
        late=item.days_overdue > 0 and item.open_minor > 0,
        link=_document_link(item, reminder=reminder, ways=ways),
        pay=item_payment_link(item, reminder=reminder),
    )


def _charges(reminder: ReminderDecided, *, words: Words) -> tuple[ChargeView, ...]:
    """Write what lateness costs; what a message does not name of older claims is a line of each currency, so that all adds up."""
    language = reminder.language
    lines = [_charge(each, words=words, language=language) for each in reminder.charges]
    for total in reminder.charge_totals:
        named_minor = sum(each.amount_minor for each in reminder.charges if each.currency == total.currency)
        if total.amount_minor > named_minor:
            amount = amount_text(total.amount_minor - named_minor, currency=total.currency, language=language)
            lines.append(ChargeView(name=words.charge_further, amount=amount))
    return tuple(lines)


def _charge(charge: Charge, *, words: Words, language: str) -> ChargeView:
    names = {
        "interest": words.charge_interest,
        "fixed_sum": words.charge_fixed_sum,
        "fee": words.charge_fee,
        "returned_payment": words.charge_returned_payment,
    }
    days = [
        "" if day is None else short_day_text(day, language=language)
        for day in (charge.from_on, charge.until_on)
    ]
    return ChargeView(
        name=names[charge.kind].format(document=charge.item, first=days[0], last=days[1]),
        amount=amount_text(charge.amount_minor, currency=charge.currency, language=language),
    )


def _credit(credit: ReminderCredit, *, words: Words, language: str) -> CreditView:
    kind = words.credit_note if credit.kind == "credit_note" else words.credit_payment
    return CreditView(
        name=kind.format(document=credit.credit),
        received_on=short_day_text(credit.received_on, language=language),
        amount=amount_text(credit.left_minor, currency=credit.currency, language=language),
    )


def _status(days_overdue: int, *, words: Words) -> str:
    if days_overdue == 0:
        return words.due_today
    if days_overdue > 0:
        one, other = words.overdue_one, words.overdue_other
    else:
        one, other = words.due_one, words.due_other
    days = abs(days_overdue)
    return one if days == 1 else other.format(days=days)


def _document_link(item: ReminderItem, *, reminder: ReminderDecided, ways: Ways) -> str:
    """Give where the document is, where the step attaches documents: only on the web, no ``javascript:``."""
    if not reminder.attach_invoices:
        return ""
    url = ways.document(item) if ways.document is not None else ""
    url = url or item.pdf_url
    return url if url.startswith(("https://", "http://")) else ""


def _totals(totals: Sequence[Total], *, label: str, language: str) -> tuple[TotalView, ...]:
    return tuple(
        TotalView(label=label.format(currency=total.currency), amount=_amount(total, language=language))
        for total in totals
    )


def _amount(total: Total, *, language: str) -> str:
    return amount_text(total.amount_minor, currency=total.currency, language=language)


def _listed(texts: Sequence[str], *, words: Words) -> str:
    """Join 'a', 'b' and 'c' as a reader would say it."""
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} {words.and_} {texts[-1]}"


def _counted(count: int, *, one: str, other: str) -> str:
    if count == 0:
        return ""
    return one if count == 1 else other.format(count=count)


def _plain(text: str) -> str:
    """Take the marks away that turn the direction of what follows: a name must not mirror an amount."""
    return text if text.isascii() else text.translate(_TURNS)


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _address(contact: Contact, *, customer: str) -> tuple[str, ...]:
    person = (contact.name,) if contact.name and contact.name != customer else ()
    return (customer, *person, *contact.address)

"""What decoding cannot see of an event: decimals, currencies, signs, zones, ids, plans.

Intake dead-letters what has a problem; ``validate`` and ``publish`` show the
same sentences before anything is sent. A problem ends with the JSON path of
its field, as the decoder's own errors do.
"""

import functools
import re
import zoneinfo
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any

from processors.calendar import business_day, known_countries, zone_of
from processors.law.validity import law_problems
from processors.money import MoneyError, to_minor
from processors.payment_link import https_problem, payment_link_problem
from processors.percent import MICRO_PER_WHOLE, micro_of
from processors.plan import plan_problems
from schemas.bank import BankLineUnmatched, BankReconciled
from schemas.commands import (
    ConfigureCompany,
    GiveAnswer,
    GoLive,
    MakePromise,
    OpenDispute,
    PublishPlan,
    RuleDispute,
    SetLaw,
    TransferPayment,
)
from schemas.events import (
    Contact,
    CreditNoteIssued,
    CustomerUpserted,
    DebitNoteIssued,
    InvoiceAmended,
    InvoiceIssued,
    ItemOpened,
    PaymentLine,
    PaymentReceived,
    ReconciliationRecorded,
    RefundPaid,
    WriteOffBooked,
)
from schemas.journal import SourceEvent

__all__ = ["problems"]

_UTC = zoneinfo.ZoneInfo("UTC")
# A day outside is a slip of the pen ("0205", "9999" for never), and the arithmetic of steps must not overflow.
_YEARS = range(1970, 2200)
_DAYS = (
    "due_date",
    "issue_date",
    "last_reminder_on",
    "last_contact_on",
    "next_on",
    "until",
    "review_on",
    "on",
    "due_on",
    "first_on",
    "payable_on",
)
_START_DAYS = ("past_from", "new_from")
_NEGATIVE_INVOICE = "is negative; money in the customer's favour is a credit note"
_LOGO_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}\.(png|jpg|jpeg|gif)")
_IDS = (
    "customer",
    "document",
    "payment",
    "refund",
    "credit",
    "write_off",
    "reconciliation",
    "command",
    "promise",
    "payment_plan",
    "to_customer",
    "into",
    "dispute",
    "reminder",
    "bank_account",
    "line",
    "change",
)


def problems(event: SourceEvent) -> list[str]:
    """List what is wrong with a decoded event, each with its path; empty: it may enter the journal."""
    kind = type(event)
    found = [*_names(event, fields=_ids_of(kind)), *_time(event.occurred_at), *_days(event, _days_of(kind))]
    check = _CHECKS.get(kind)
    if check is not None:
        found += check(event)
    return found


@functools.cache
def _ids_of(kind: type[SourceEvent]) -> tuple[str, ...]:
    """Name the ids that events of a kind have: to ask each event for all there are would cost more than to look at them."""
    return tuple(field for field in _IDS if hasattr(kind, field))


@functools.cache
def _days_of(kind: type[SourceEvent]) -> tuple[str, ...]:
    """Name the days that events of a kind have."""
    return tuple(
        field for field in (_START_DAYS if kind is ConfigureCompany else _DAYS) if hasattr(kind, field)
    )


def _names(event: SourceEvent, *, fields: Iterable[str]) -> list[str]:
    found = []
    company = event.company
    if not _is_company_id(company):
        found.append(f"company {company!r} may hold letters, digits, '.', '_' and '-' only - at `$.company`")
    for field in fields:
        value = getattr(event, field)
        if isinstance(value, str) and not (value.isprintable() and value.strip() == value and value):
            found.append(
                f"{field} {value!r} has characters that cannot be printed, or space around it - at `$.{field}`"
            )
    return found


@functools.lru_cache(maxsize=4096)
def _is_company_id(company: str) -> bool:
    plain = company.replace(".", "").replace("_", "").replace("-", "")
    return company.isascii() and company[:1].isalnum() and plain.isalnum()


def _time(when: str, *, path: str = "$.occurred_at") -> Iterable[str]:
    try:
        day = business_day(when, _UTC)
    except (ValueError, OverflowError):
        return (f"{when!r} is neither YYYY-MM-DD nor RFC 3339 with an offset - at `{path}`",)
    if day.year not in _YEARS:
        return (f"{when!r} is outside the years {_YEARS[0]} to {_YEARS[-1]} - at `{path}`",)
    return ()


def _days(event: SourceEvent, fields: Iterable[str]) -> list[str]:
    found = []
    for field in fields:
        day = getattr(event, field)
        if day is not None and day.year not in _YEARS:
            found.append(f"{day} is outside the years {_YEARS[0]} to {_YEARS[-1]} - at `$.{field}`")
    return found


def _amount(amount: str, *, currency: str, negative: str, path: str = "$.amount") -> Iterable[str]:
    try:
        if to_minor(amount, currency=currency) < 0:
            return (f"amount {amount} {negative} - at `{path}`",)
    except MoneyError as error:
        return (_money_problem(error, path=path),)
    return ()


def _positive(amount: str, *, currency: str, path: str = "$.amount") -> Iterable[str]:
    try:
        if to_minor(amount, currency=currency) <= 0:
            return (f"amount {amount} is not above zero - at `{path}`",)
    except MoneyError as error:
        return (_money_problem(error, path=path),)
    return ()


def _money_problem(error: MoneyError, *, path: str) -> str:
    return f"{error.detail} - at `{'$.currency' if error.reason == 'unknown_currency' else path}`"


def _plan(event: PublishPlan) -> list[str]:
    return [problem.replace("at `$.", "at `$.plan.") for problem in plan_problems(event.plan)]


def _money(event: CreditNoteIssued | WriteOffBooked | RefundPaid | BankLineUnmatched) -> Iterable[str]:
    return _positive(event.amount, currency=event.currency)


def _document(event: InvoiceIssued | DebitNoteIssued) -> Iterable[str]:
    found = [*_amount(event.amount, currency=event.currency, negative=_NEGATIVE_INVOICE)]
    if event.contact is not None:
        found += _contact(event.contact, path="$.contact")
    if isinstance(event, InvoiceIssued) and event.discount is not None:
        found += _percent(event.discount.percent, path="$.discount.percent")
    return found


def _percent(percent: str, *, path: str) -> Iterator[str]:
    try:
        if not 0 < micro_of(percent) <= MICRO_PER_WHOLE:
            yield f"{percent} is no percentage above 0 and up to 100 - at `{path}`"
    except ValueError as error:
        yield f"{error} - at `{path}`"


def _asked(event: MakePromise | OpenDispute | RuleDispute | TransferPayment) -> Iterator[str]:
    """Look at an amount whose currency may be known to the fold only: decimals are judged there."""
    currency = getattr(event, "currency", None)
    if currency is not None:
        yield from _positive(event.amount or "1", currency=currency)
    elif event.amount is not None and not (_is_plain_decimal(event.amount) and event.amount.strip("0.")):
        yield f"amount {event.amount!r} is no plain decimal above zero - at `$.amount`"


def _answer(event: GiveAnswer) -> Iterator[str]:
    """Look at what kinds of answers need: a day to pay on, what is disputed and why, and a currency with an amount."""
    said = event.said
    if said.kind == "will_pay" and said.on is None:
        yield "a promise needs its day - at `$.said.on`"
    if said.kind == "dispute" and not (said.documents and said.reason):
        yield "a dispute needs documents and a reason - at `$.said.documents`"
    if said.on is not None and said.on.year not in _YEARS:
        yield f"{said.on} is outside the years {_YEARS[0]} to {_YEARS[-1]} - at `$.said.on`"
    if (said.amount is None) != (said.currency is None):
        yield "an amount needs its currency - at `$.said.currency`"
    elif said.amount is not None and said.currency is not None:
        yield from _positive(said.amount, currency=said.currency, path="$.said.amount")


def _opened(event: ItemOpened) -> Iterator[str]:
    yield from _amount(event.amount, currency=event.currency, negative=_NEGATIVE_INVOICE)
    yield from _amount(
        event.open_amount, currency=event.currency, negative=_NEGATIVE_INVOICE, path="$.open_amount"
    )
    yield from _contact(event.contact, path="$.contact")


def _amended(event: InvoiceAmended) -> Iterator[str]:
    # The currency is its document's, which only the fold knows: decimals are judged there.
    if event.amount is not None and (event.amount.startswith("-") or not _is_plain_decimal(event.amount)):
        yield f"amount {event.amount!r} is no plain decimal that is zero or more - at `$.amount`"
    yield from _contact(event.contact, path="$.contact")


def _is_plain_decimal(amount: str) -> bool:
    whole, dot, fraction = amount.partition(".")
    return amount.isascii() and whole.isdecimal() and (not dot or fraction.isdecimal())


def _payment(event: PaymentReceived) -> Iterable[str]:
    found = [*_positive(event.amount, currency=event.currency)]
    named = 0
    seen: set[str] = set()
    for index, line in enumerate(event.lines):
        whose = f"{line.customer or event.customer}/{line.document}"
        if whose in seen:
            found.append(f"document {line.document!r} is named twice - at `$.lines[{index}].document`")
        seen.add(whose)
        if line.customer is not None:
            found += _of_other(line, index=index)
        if line.item_amount is not None or line.item_currency is not None:
            found += _converted(line, index=index, currency=event.currency)
        if line.short is not None:
            found += _positive(line.short, currency=event.currency, path=f"$.lines[{index}].short")
        if line.amount is None:
            continue
        wrong = _positive(line.amount, currency=event.currency, path=f"$.lines[{index}].amount")
        found += wrong
        named += 0 if wrong else to_minor(line.amount, currency=event.currency)
    if named and not found and named > to_minor(event.amount, currency=event.currency):
        found.append(f"the lines name more than the amount {event.amount} - at `$.lines`")
    return found


def _of_other(line: PaymentLine, *, index: int) -> Iterator[str]:
    """Check a line that pays another customer's item: how much of the money goes there must be said."""
    if line.amount is None:
        yield f"another customer's item needs an amount - at `$.lines[{index}].amount`"
    if line.short is not None:
        yield f"what was kept back is said of one's own items only - at `$.lines[{index}].short`"


def _converted(line: PaymentLine, *, index: int, currency: str) -> Iterator[str]:
    """Check the amount in the item's own currency: both amounts, two currencies."""
    path = f"$.lines[{index}]"
    if line.item_amount is None or line.item_currency is None or line.amount is None:
        yield f"item_amount, item_currency and amount go together - at `{path}.item_amount`"
        return
    if line.item_currency == currency:
        yield f"the item's currency {currency} is the payment's: say the amount only - at `{path}.item_currency`"
    yield from _positive(line.item_amount, currency=line.item_currency, path=f"{path}.item_amount")


def _reconciliation(event: ReconciliationRecorded) -> Iterator[str]:
    for index, line in enumerate(event.lines):
        if line.amount is not None and not (_is_plain_decimal(line.amount) and line.amount.strip("0.")):
            yield f"amount {line.amount!r} is no plain decimal above zero - at `$.lines[{index}].amount`"


def _customer(event: CustomerUpserted) -> Iterator[str]:
    if event.parent and event.parent == event.customer:
        yield "a customer cannot be its own parent - at `$.parent`"
    if event.credit_limit is not None:
        yield from _credit_limit(event)
    if event.time_zone:
        yield from _zone(event.time_zone)
    for index, contact in enumerate(event.contacts):
        yield from _contact(contact, path=f"$.contacts[{index}]")


def _credit_limit(event: CustomerUpserted) -> Iterator[str]:
    """Without a currency it is the company's, which only the fold knows: then whole units and two decimals are taken."""
    limit = event.credit_limit or ""
    if event.credit_currency is not None:
        negative = "is negative"
        yield from _amount(limit, currency=event.credit_currency, negative=negative, path="$.credit_limit")
    elif not _is_plain_decimal(limit) or limit.partition(".")[2].strip("0"):
        yield f"amount {limit!r} needs a currency unless it is a whole number - at `$.credit_limit`"


def _company(event: ConfigureCompany) -> Iterator[str]:
    yield from _zone(event.time_zone)
    if event.country and event.country not in known_countries():
        yield f"no holidays are known for country {event.country!r} - at `$.country`"
    yield from _amount("0", currency=event.currency, negative="")
    yield from _unit_values(event)
    for index, address in enumerate(event.answers_to):
        yield from _email(address, path=f"$.answers_to[{index}]")
    if event.payment_link and (problem := payment_link_problem(event.payment_link)):
        yield f"{event.payment_link!r} {problem} - at `$.payment_link`"
    if event.logo and (problem := _logo_problem(event.logo)):
        yield f"{event.logo!r} {problem} - at `$.logo`"
    for field, amounts in (
        ("minimums", event.minimums),
        ("tolerances", event.tolerances),
        ("returned_payment_fees", event.returned_payment_fees),
    ):
        for currency, amount in amounts.items():
            path = f"$.{field}.{currency}"
            for problem in _amount(amount, currency=currency, negative="is negative", path=path):
                yield problem.replace("`$.currency`", f"`{path}`")


def _logo_problem(logo: str) -> str:
    if "/" in logo:
        return https_problem(logo)
    return (
        "" if _LOGO_FILE.fullmatch(logo) else "is neither an https address nor the name of a PNG, JPEG or GIF"
    )


def _unit_values(event: ConfigureCompany) -> Iterator[str]:
    for unit, value in event.unit_values.items():
        yield from _positive(value, currency=event.currency, path=f"$.unit_values.{unit}")


def _portions(event: GoLive) -> Iterator[str]:
    for index, (before, day) in enumerate(pairwise(event.days), start=1):
        if day.on <= before.on or (day.due_on, day.customer) <= (before.due_on, before.customer):
            yield f"{day.on} is not later than the day before it, with later debts - at `$.days[{index}]`"


def _zone(name: str) -> Iterator[str]:
    try:
        zone_of(name)
    except ValueError as error:
        yield f"{error} - at `$.time_zone`"


def _contact(contact: Contact | None, *, path: str) -> Iterator[str]:
    if contact is None:
        return
    if contact.email:
        yield from _email(contact.email, path=f"{path}.email")
    if contact.phone and not (contact.phone.startswith("+") and contact.phone[1:].isdecimal()):
        yield f"{contact.phone!r} is no E.164 number such as +56912345678 - at `{path}.phone`"


def _email(address: str, *, path: str) -> Iterator[str]:
    if "@" not in address[1:-1] or not address.isprintable() or " " in address:
        yield f"{address!r} is no e-mail address - at `{path}`"


# By kind; cancellations, reversals, notes, holds and outcomes have ids, texts and times only.
_CHECKS: dict[type, Callable[[Any], Iterable[str]]] = {
    InvoiceIssued: _document,
    DebitNoteIssued: _document,
    ItemOpened: _opened,
    InvoiceAmended: _amended,
    CreditNoteIssued: _money,
    WriteOffBooked: _money,
    RefundPaid: _money,
    BankLineUnmatched: _money,
    PaymentReceived: _payment,
    ReconciliationRecorded: _reconciliation,
    CustomerUpserted: _customer,
    ConfigureCompany: _company,
    GoLive: _portions,
    SetLaw: law_problems,
    BankReconciled: lambda event: _time(event.through, path="$.through"),
    PublishPlan: _plan,
    GiveAnswer: _answer,
    MakePromise: _asked,
    OpenDispute: _asked,
    RuleDispute: _asked,
    TransferPayment: _asked,
}

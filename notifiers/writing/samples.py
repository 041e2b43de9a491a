"""Made-up messages for looking at templates: names of nobody, figures that exercise the layout."""

import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from schemas.answers import AnswerSaid
from schemas.charges import Charge
from schemas.events import Contact
from schemas.facts import Delivery, ReminderCredit, ReminderDecided, ReminderItem, Total
from schemas.fields import Channel

__all__ = ["SampleLinks", "sample_reminder"]

_TODAY: Final = datetime.date(2026, 3, 16)
_OFFSETS: Final = {"courtesy": -3, "first": 0, "second": 15, "third": 60, "invoice_issued": -30}
_CHANNELS: Final[tuple[Channel, ...]] = ("email", "sms", "letter", "task")


class _Local(Struct, frozen=True, kw_only=True):
    """What differs by language."""

    contact: str
    company: str
    customer: str
    payment: str
    footer: str


_LOCAL: Final = {
    "en": _Local(
        contact="Accounts Payable",
        company="Samples & Signals Ltd",
        customer="Corner Bakery Ltd",
        payment="Bank transfer to account 00-123-45678-90, Sample Bank\nPlease state the document numbers.",
        footer="Office hours: Monday to Friday, 9:00–18:00",
    ),
    "es": _Local(
        contact="Cuentas por pagar",
        company="Muestras y Señales S.A.",
        customer="Panadería El Águila SpA",
        payment="Transferencia a la cuenta 00-123-45678-90, Banco de Muestra\nIndique, por favor, los números de documento.",
        footer="Horario de atención: lunes a viernes, de 9:00 a 18:00",
    ),
    "pt": _Local(
        contact="Contas a pagar",
        company="Amostras e Sinais S.A.",
        customer="Padaria Pão & Coração Ltda.",
        payment="Transferência para a conta 00-123-45678-90, Banco de Amostra\nIndique, por favor, os números dos documentos.",
        footer="Horário de atendimento: segunda a sexta, das 9h às 18h",
    ),
}


class SampleLinks:
    """Addresses as signed links have them, of pages that are not there."""

    def answer(self, reminder: ReminderDecided, *, channel: Channel) -> str:
        """Give where "tell us here" would lead."""
        return f"https://pages.example/a/{channel}-{reminder.id}"

    def unsubscribe(self, reminder: ReminderDecided, *, channel: Channel) -> str:
        """Give where messages would be stopped."""
        return f"https://pages.example/u/{channel}-{reminder.id}"

    def document(self, reminder: ReminderDecided, *, channel: Channel, item: str) -> str:
        """Give where the document would be."""
        return f"https://pages.example/d/{channel}-{reminder.id}-{item}"


def sample_reminder(*, kind: str, language: str, company: str = "sample") -> ReminderDecided:
    """Make a message of this kind: two currencies, a part payment, an item and a credit for information.

    A thanks names an amount and no items; a correction, items of which nothing is open.
    """
    local = _LOCAL.get(language.partition("-")[0], _LOCAL["en"])
    made = _reminder(kind, language=language, company=company, local=local)
    bare = replace(
        made, others=(), other_totals=(), charges=(), charge_totals=(), credits=(), credit_totals=()
    )
    match kind:
        case "invoice_issued":
            due_on = made.items[0].due_on
            return replace(bare, items=made.items[:1], totals=(_total(made.items[0]),), pay_by_on=due_on)
        case "payment_received":
            return replace(bare, items=(), totals=(Total(currency="USD", amount_minor=125_056),))
        case "statement":
            items = (*made.items, *made.others)
            totals = (*made.totals[:1], Total(currency="USD", amount_minor=178_606))
            return replace(
                bare, items=items, totals=totals, credits=made.credits, credit_totals=made.credit_totals
            )
        case "answer":
            return replace(bare, items=(), totals=())
        case "correction":
            item = replace(made.items[0], open_minor=0)
            return replace(bare, items=(item,), totals=(_total(item),))
    return made


def _reminder(kind: str, *, language: str, company: str, local: _Local) -> ReminderDecided:
    today, offset = _TODAY, _OFFSETS.get(kind, 15)
    contact = Contact(
        name=local.contact,
        email="payables@customer.example",
        phone="+56200000000",
        address=("Avenida Ñuñoa 1234, piso 5", "7750000 Santiago", "Chile"),
    )
    at = datetime.datetime.combine(today, datetime.time(12), datetime.UTC)
    charge = Charge(
        kind="interest",
        item="F-10023",
        currency="USD",
        amount_minor=615,
        from_on=today - datetime.timedelta(days=9),
        until_on=today,
    )
    credit = ReminderCredit(
        kind="credit_note", credit="N-551", currency="USD", left_minor=4_275, received_on=today
    )
    return ReminderDecided(
        id=f"sample-{kind}-{language}",
        account=f"{company}:C-100",
        company=company,
        customer="C-100",
        tick=at,
        mode="played",
        decision_version=1,
        step=kind,
        offset_days=offset,
        template=kind,
        language=language,
        items=(
            _item("F-10023", days=offset, amount=125_056, currency="USD", reference="PO 7781"),
            _item("F-10031", days=offset, amount=80_000, open_minor=32_550, currency="USD"),
            _item("F-10032", days=max(offset, -3), amount=459_900, currency="CLP"),
        ),
        totals=(Total(currency="CLP", amount_minor=459_900), Total(currency="USD", amount_minor=157_606)),
        others=(_item("F-10044", days=-12, amount=21_000, currency="USD"),),
        other_totals=(Total(currency="USD", amount_minor=21_000),),
        charges=(charge,),
        charge_totals=(Total(currency="USD", amount_minor=615),),
        credits=(credit,),
        credit_totals=(Total(currency="USD", amount_minor=4_275),),
        deliveries=tuple(Delivery(channel=each, not_before=at, contact=contact) for each in _CHANNELS),
        pay_by_on=today + datetime.timedelta(days=7),
        company_name=local.company,
        customer_name=local.customer,
        time_zone="America/Santiago",
        sender_email="billing@company.example",
        company_address=("Calle Larga 77", "Valparaíso", "Chile"),
        company_phone="+56 32 000 0000",
        company_tax_id="76.000.000-0",
        payment_instructions=local.payment,
        footer=local.footer,
        attach_invoices=True,
        answer=_ANSWER if kind == "answer" else None,
    )


_ANSWER: Final = AnswerSaid(
    kind="paid",
    documents=("F-10023", "F-10031"),
    amount="1576.06",
    currency="USD",
    on=datetime.date(2026, 3, 13),
    means="transfer",
    reference="TRX-5512",
    by="Accounts Payable",
)


def _total(item: ReminderItem) -> Total:
    return Total(currency=item.currency, amount_minor=item.open_minor)


def _item(
    name: str,
    *,
    days: int,
    amount: int,
    currency: str,
    open_minor: int | None = None,
    reference: str = "",
) -> ReminderItem:
    due_on = _TODAY - datetime.timedelta(days=days)
    return ReminderItem(
        item=name,
        currency=currency,
        amount_minor=amount,
        open_minor=amount if open_minor is None else open_minor,
        issued_on=due_on - datetime.timedelta(days=30),
        due_on=due_on,
        days_overdue=days,
        reference=reference,
    )

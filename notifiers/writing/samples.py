"""A made-up reminder for looking at templates: names of nobody, figures that exercise the layout."""

import datetime
from typing import Final

from schemas.answers import AnswerSaid
from schemas.charges import Charge
from schemas.events import Contact
from schemas.facts import Delivery, ReminderCredit, ReminderDecided, ReminderItem, Total
from schemas.fields import Channel

__all__ = ["sample_reminder"]

_OFFSETS: Final = {"courtesy": -3, "first": 0, "second": 15, "third": 60}
_CHANNELS: Final[tuple[Channel, ...]] = ("email", "sms", "letter", "task")


def sample_reminder(*, kind: str, language: str) -> ReminderDecided:
    """Make a reminder of this kind: two currencies, a part payment, an item and a credit for information."""
    today = datetime.date(2026, 3, 16)
    offset = _OFFSETS.get(kind, 15)
    spanish = language.startswith("es")
    contact = Contact(
        name="Cuentas por pagar" if spanish else "Accounts Payable",
        email="payables@customer.example",
        phone="+56200000000",
        address=("Avenida Ñuñoa 1234, piso 5", "7750000 Santiago", "Chile"),
    )
    at = datetime.datetime.combine(today, datetime.time(12), datetime.UTC)
    items = (
        _item("F-10023", today=today, days=offset, amount=125_056, currency="USD", reference="PO 7781"),
        _item("F-10031", today=today, days=offset, amount=80_000, open_minor=32_550, currency="USD"),
        _item("F-10032", today=today, days=max(offset, -3), amount=459_900, currency="CLP"),
    )
    other = _item("F-10044", today=today, days=-12, amount=21_000, currency="USD")
    since = today - datetime.timedelta(days=9)
    charge = Charge(
        kind="interest", item="F-10023", currency="USD", amount_minor=615, from_on=since, until_on=today
    )
    credit = ReminderCredit(
        kind="credit_note", credit="N-551", currency="USD", left_minor=4_275, received_on=today
    )
    return ReminderDecided(
        id=f"sample-{kind}-{language}",
        account="sample:C-100",
        company="sample",
        customer="C-100",
        tick=at,
        mode="played",
        decision_version=1,
        step=kind,
        offset_days=offset,
        template=kind,
        language=language,
        items=items,
        totals=(Total(currency="CLP", amount_minor=459_900), Total(currency="USD", amount_minor=157_606)),
        others=(other,),
        other_totals=(Total(currency="USD", amount_minor=21_000),),
        charges=(charge,),
        charge_totals=(Total(currency="USD", amount_minor=615),),
        credits=(credit,),
        credit_totals=(Total(currency="USD", amount_minor=4_275),),
        deliveries=tuple(Delivery(channel=each, not_before=at, contact=contact) for each in _CHANNELS),
        pay_by_on=today + datetime.timedelta(days=7),
        company_name="Muestras y Señales S.A." if spanish else "Samples & Signals Ltd",
        customer_name="Panadería El Águila SpA" if spanish else "Corner Bakery Ltd",
        time_zone="America/Santiago",
        sender_email="billing@company.example",
        company_address=("Calle Larga 77", "Valparaíso", "Chile"),
        company_phone="+56 32 000 0000",
        company_tax_id="76.000.000-0",
        payment_instructions=_PAYMENT["es" if spanish else "en"],
        footer=_FOOTER["es" if spanish else "en"],
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
_PAYMENT: Final = {
    "en": "Bank transfer to account 00-123-45678-90, Sample Bank\nPlease state the document numbers.",
    "es": "Transferencia a la cuenta 00-123-45678-90, Banco de Muestra\nIndique, por favor, los números de documento.",
}
_FOOTER: Final = {
    "en": "Office hours: Monday to Friday, 9:00–18:00",
    "es": "Horario de atención: lunes a viernes, de 9:00 a 18:00",
}


def _item(
    name: str,
    *,
    today: datetime.date,
    days: int,
    amount: int,
    currency: str,
    open_minor: int | None = None,
    reference: str = "",
) -> ReminderItem:
    due_on = today - datetime.timedelta(days=days)
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

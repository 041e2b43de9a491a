"""What the console's house has lived through: a company per language, its customers, and three weeks of dunning.

Each language has a company of its own: what a journey does in one is nobody's business in another.
"""

import datetime
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from schemas.bank import BankLineUnmatched
from schemas.commands import AddNote, MakePromise, SetMode
from schemas.events import Contact, CustomerUpserted, InvoiceIssued, PaymentReceived
from schemas.fields import TextLanguage
from schemas.journal import SourceEvent
from schemas.plans import Action, Step
from tests.console.web.played import company_events

__all__ = [
    "BANK_LINE",
    "BANK_TAX_ID",
    "COMING",
    "COMPANIES",
    "DUE",
    "FETCHED",
    "KINDS",
    "LANGUAGES",
    "NAMES",
    "NOTED",
    "PLAYED",
    "account_of",
    "beginning",
    "promises",
]

LANGUAGES: Final[tuple[TextLanguage, ...]] = ("en", "es", "pt")
DUE: Final = datetime.date(2026, 2, 2)
PLAYED: Final = {days: DUE + datetime.timedelta(days=days) for days in (-3, 0, 7, 15, 21)}
_PROMISED: Final = PLAYED[15]
_ISSUED: Final = datetime.date(2026, 1, 2)
_TERM: Final = datetime.timedelta(days=30)
# (amount, days after DUE) of the documents that each customer has; COMING: that of the courtesy which comes next.
_OWED: Final = (("1250.00", 0), ("480.90", 0), ("99.95", 38))
COMING: Final = DUE + datetime.timedelta(days=35)
_OLD_DEBT: Final = (("2100.00", -45),)
BANK_LINE: Final = "480.90"
BANK_TAX_ID: Final = "77.000.001-K"


class Company(NamedTuple):
    """A company whose customers, and whose people, speak one language."""

    company: str
    name: str
    currency: str


COMPANIES: Final = {
    "en": Company("acme", "Acme & Sons", "USD"),
    "es": Company("andes", "Comercial Andes", "EUR"),
    "pt": Company("estrela", "Comercial Estrela", "BRL"),
}
# What has become of whom: dunned by the plan; of some a person lets the reminders go; a promise was broken; a part
# is paid; one to agree things with; one whose money the bank has, and nobody has matched; one that nobody has looked
# at; one to be called back; old debts of which nobody was reminded, one with a mail address that is none, one
# that is not to be written to; two whose first invoice is yet to come.
_OLD: Final = ("old", "older", "refused", "listed")
_NEW: Final = ("starting", "newer")
_MANUAL: Final = ("manual", "waiting", "edited", "quiet", "recalled", *_OLD)
KINDS: Final = (
    *("dunned", "manual", "waiting", "edited", "promised", "paying", "agreed", "banked"),
    *("quiet", "recalled", *_OLD, *_NEW),
)
# Whose documents are to be had where they are said to be; who has somebody for finance, who gets copies.
FETCHED: Final = ("waiting", "edited")
_COPIED: Final = "edited"
# What the plan's calls are about, and what is noted of who is dunned.
_CALLS: Final = {
    "en": "Call about what is open",
    "es": "Llamar por lo pendiente",
    "pt": "Ligar sobre o que está em aberto",
}
NOTED: Final = {
    "en": "Wants invoices by order number.",
    "es": "Quiere facturas por número de pedido.",
    "pt": "Quer faturas por número de pedido.",
}
NAMES: Final = {
    "en": (
        "Quayside Garage",
        "Harbour Joinery",
        "Lakeside Nurseries",
        "Millbrook Dairy",
        "Northside Bakery",
        "Westport Print Works",
        "Highfield Glazing",
        "Oakmoor Timber",
        "Stillwater Boats",
        "Redcliff Motors",
        "Greyfriars Books",
        "Longacre Seeds",
        "Brookside Laundry",
        "Fairhaven Pottery",
        "Newgate Interiors",
        "Orchard Linens",
    ),
    "es": (
        "Ferretería La Cumbre",
        "Constructora del Valle",
        "Viveros del Lago",
        "Lácteos El Molino",
        "Panadería Central",
        "Taller del Puerto",
        "Vidriería Alta",
        "Maderas del Roble",
        "Náutica Serena",
        "Motores del Norte",
        "Librería Antigua",
        "Semillas La Vega",
        "Lavandería Arroyo",
        "Cerámica del Puerto",
        "Interiores Nuevos",
        "Textiles del Huerto",
    ),
    "pt": (
        "Padaria Estrela",
        "Oficina São Jorge",
        "Viveiros do Lago",
        "Laticínios do Moinho",
        "Gráfica do Porto",
        "Hotel Boa Vista",
        "Vidraçaria Alta",
        "Madeiras do Carvalho",
        "Náutica Serena do Lago",
        "Motores do Norte",
        "Livraria Antiga",
        "Sementes da Várzea",
        "Lavanderia do Riacho",
        "Cerâmica do Cais",
        "Interiores Novos",
        "Linhos do Pomar",
    ),
}


def account_of(kind: str, *, language: str) -> str:
    """Give the account of the customer to whom this has happened."""
    return f"{COMPANIES[language].company}:{kind}-{language}"


def beginning(*, documents: Callable[[str], str]) -> Iterator[SourceEvent]:
    """Walk what is told before the first day: companies, customers, what they owe, what is noted of them.

    ``documents`` gives the address of a file that can be fetched.
    """
    mail, letter = Action(channel="email"), Action(channel="letter")
    for language in LANGUAGES:
        call = Action(channel="task", task_type="call", summary=_CALLS[language])
        steps = [
            Step(name="courtesy", offset_days=-3, actions=(mail,)),
            Step(name="first", offset_days=0, actions=(mail, letter), cc=("finance",)),
            Step(name="second", offset_days=15, actions=(mail, call), cc=("finance",)),
            Step(name="third", offset_days=60, actions=(mail, letter)),
        ]
        known = COMPANIES[language]
        yield from company_events(
            known.company, name=known.name, steps=steps, currency=known.currency, language=language
        )
        for kind, name in zip(KINDS, NAMES[language], strict=True):
            yield from _customer(kind, name=name, language=language, documents=documents)
        yield from _said(language)


def promises() -> Iterator[SourceEvent]:
    """Walk what customers promise when they are reminded a second time."""
    for language in LANGUAGES:
        whose = {**_whose("promised", language=language), "occurred_at": _PROMISED.isoformat()}
        yield MakePromise(**whose, command="promise", due_on=_PROMISED + datetime.timedelta(days=2))


def _said(language: str) -> Iterator[SourceEvent]:
    """Walk what is told of some of them: modes, a payment in part, a note, a credit that nobody has matched."""
    known = COMPANIES[language]
    for kind in _MANUAL:
        yield SetMode(**_whose(kind, language=language), command="mode", mode="manual")
    yield PaymentReceived(
        company=known.company,
        customer=f"paying-{language}",
        occurred_at=DUE.isoformat(),
        payment=f"PAY-{language}",
        currency=known.currency,
        amount="310.40",
    )
    yield AddNote(
        **_whose("dunned", language=language),
        command="note",
        kind="note",
        text=NOTED[language],
    )
    yield BankLineUnmatched(
        company=known.company,
        occurred_at=DUE.isoformat(),
        bank_account="MAIN",
        line=f"LINE-{language}",
        currency=known.currency,
        amount=BANK_LINE,
        payer_tax_id=BANK_TAX_ID,
        text="transfer",
    )


def _whose(kind: str, *, language: str) -> dict[str, Any]:
    company, _, customer = account_of(kind, language=language).partition(":")
    return {"company": company, "customer": customer, "occurred_at": "2026-01-05", "author": "ana"}


def _customer(
    kind: str, *, name: str, language: str, documents: Callable[[str], str]
) -> Iterator[SourceEvent]:
    company, _, customer = account_of(kind, language=language).partition(":")
    whose: dict[str, Any] = {"company": company, "customer": customer, "occurred_at": _ISSUED.isoformat()}
    name_there = "zoe..of" if kind == "refused" else "zoe"
    email = f"{name_there}@{customer}.test"
    contact = Contact(name="Zoë", email=email, phone="+12025550123", address=("Calle 1", "Santiago"))
    finance = Contact(role="finance", name="Inés", email=f"finance@{customer}.test")
    yield CustomerUpserted(
        **whose,
        name=name,
        kind="business",
        language=language,
        tax_id=BANK_TAX_ID if kind == "banked" else f"76.543.21{KINDS.index(kind)}-3",
        contacts=(contact, finance) if kind == _COPIED else (contact,),
    )
    owed = _OLD_DEBT if kind in _OLD else () if kind in _NEW else _OWED
    for number, (amount, days) in enumerate(owed, start=1):
        document, due_on = f"{customer}-{number}", DUE + datetime.timedelta(days=days)
        place = documents(f"/{document}") if kind in FETCHED else f"https://invoices.test/{document}"
        yield InvoiceIssued(
            **whose | {"occurred_at": min(_ISSUED, due_on - _TERM).isoformat()},
            document=document,
            amount=amount,
            currency=COMPANIES[language].currency,
            due_date=due_on,
            pdf_url=f"{place}.pdf",
            xml_url=f"{place}.xml",
        )

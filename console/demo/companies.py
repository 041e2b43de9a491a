"""The two creditors of the demo, and who their customers are."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.commands import ConfigureCompany
from schemas.events import Contact, CustomerUpserted
from schemas.fields import Language

__all__ = ["COMPANIES", "Creditor", "Debtor", "debtors"]

_SINCE = "2025-01-01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Creditor:
    """A company: its profile, its plan file, and how large its invoices are (whole major units)."""

    profile: ConfigureCompany
    plan: str
    smallest: int
    largest: int
    decimals: int
    trades: Sequence[str]
    places: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Debtor:
    """A customer and its habits.

    ``days_late`` is what it usually is late (negative: early); ``splits``:
    how often it pays in parts; ``names_invoices``: how often its payments do.
    """

    upserted: CustomerUpserted
    invoices_a_month: float
    days_late: int
    splits: float
    names_invoices: float


COMPANIES = (
    Creditor(
        profile=ConfigureCompany(
            company="andes",
            occurred_at=_SINCE,
            command="demo profile",
            author="demo",
            name="Andes Maquinaria SpA",
            time_zone="America/Santiago",
            currency="CLP",
            language="es",
            country="CL",
            minimums={"CLP": "5000"},
            address=("Camino del Ejemplo 100", "Santiago, Chile"),
            phone="+56220000000",
            tax_id="76.000.000-0",
            sender_email="cobranza@andes.example",
            payment_instructions="Transferencia a la cuenta 000-000 del Banco Ejemplo, indicando la factura.",
            footer="Andes Maquinaria SpA nunca pide claves por correo.",
        ),
        plan="default_es",
        smallest=15_000,
        largest=2_400_000,
        decimals=0,
        trades=("Ferretería", "Constructora", "Transportes", "Agrícola", "Panadería", "Taller", "Hotel"),
        places=("Norte", "del Puerto", "Los Robles", "Central", "del Valle", "Austral", "La Cumbre"),
    ),
    Creditor(
        profile=ConfigureCompany(
            company="harbour",
            occurred_at=_SINCE,
            command="demo profile",
            author="demo",
            name="Harbour Tools Ltd",
            time_zone="Europe/Dublin",
            currency="EUR",
            language="en",
            country="IE",
            minimums={"EUR": "10.00"},
            address=("1 Example Quay", "Dublin, Ireland"),
            phone="+35310000000",
            tax_id="IE0000000X",
            sender_email="accounts@harbour.example",
            payment_instructions="By transfer to IE00 EXMP 0000 0000 0000 00, naming the invoice.",
            footer="Harbour Tools Ltd never asks for passwords.",
        ),
        plan="default",
        smallest=20,
        largest=6_000,
        decimals=2,
        trades=("Joinery", "Boatyard", "Bakery", "Garage", "Brewery", "Farm Supplies", "Print Works"),
        places=("Northside", "Old Mill", "Riverside", "Westport", "Hill Street", "Quayside", "Greenfield"),
    ),
)

# Habits: (share of customers, days late, how often payments are split).
_HABITS = ((0.55, -3, 0.01), (0.25, 9, 0.05), (0.14, 32, 0.12), (0.06, 95, 0.2))


def debtors(creditor: Creditor, *, count: int, chance: random.Random) -> list[Debtor]:
    """Make up the customers of a company."""
    return [_debtor(creditor, number=number, chance=chance) for number in range(1, count + 1)]


def _debtor(creditor: Creditor, *, number: int, chance: random.Random) -> Debtor:
    habit = chance.choices(_HABITS, weights=[share for share, _, _ in _HABITS])[0]
    return Debtor(
        upserted=_customer(creditor, number=number, chance=chance),
        invoices_a_month=chance.choice((0.1, 0.25, 0.4, 0.4, 0.6, 1.0)),
        days_late=habit[1],
        splits=habit[2],
        names_invoices=chance.choice((1.0, 0.9, 0.5)),
    )


def _customer(creditor: Creditor, *, number: int, chance: random.Random) -> CustomerUpserted:
    profile = creditor.profile
    name = f"{chance.choice(creditor.trades)} {chance.choice(creditor.places)} {number:03d}"
    # One in ten has no e-mail and gets letters; one in fifty has no address at all: a task (R27).
    email = "" if number % 10 == 0 else f"payables-{number:03d}@{profile.company}-customers.example.test"
    street = "Calle" if profile.language == "es" else "Example Street"
    town = profile.address[-1]
    address = () if number % 50 == 0 else (f"{street} {number}", town)
    language: Language = "en" if profile.language == "es" and number % 25 == 0 else profile.language
    role_name = "Cuentas por pagar" if language == "es" else "Accounts payable"
    return CustomerUpserted(
        company=profile.company,
        customer=f"{profile.company[0].upper()}{number:04d}",
        occurred_at=_SINCE,
        name=name,
        kind="business",
        language=language,
        country=profile.country,
        payment_terms_days=30,
        contacts=(Contact(role="billing", name=role_name, email=email, address=address),)
        if number % 3
        else (Contact(name=role_name, email=email, address=address),),
    )

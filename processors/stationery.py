"""What each message of a company has at its head and foot, and the paper of its letters, also where the company has not said it."""

from typing import Final, TypedDict

from schemas.commands import ConfigureCompany
from schemas.fields import LetterLayout

__all__ = ["Letterhead", "letter_layout_of", "letterhead"]

# Where office paper is US Letter (CLDR, `paperSize`), and envelopes are the #10 that it goes with.
_LETTER_PAPER: Final = frozenset(
    ("BZ", "CA", "CL", "CO", "CR", "GT", "MX", "NI", "PA", "PH", "PR", "SV", "US", "VE")
)


class Letterhead(TypedDict):
    """What `ReminderDecided` has of its company alone."""

    company_name: str
    time_zone: str
    sender_email: str
    company_address: tuple[str, ...]
    company_phone: str
    company_tax_id: str
    payment_instructions: str
    footer: str
    payment_link: str
    logo: str
    letter_layout: LetterLayout
    letter_documents: bool


def letterhead(profile: ConfigureCompany) -> Letterhead:
    """Give what a company's profile puts on each of its messages, decided or made up to be looked at."""
    return Letterhead(
        company_name=profile.name,
        time_zone=profile.time_zone,
        sender_email=profile.sender_email,
        company_address=profile.address,
        company_phone=profile.phone,
        company_tax_id=profile.tax_id,
        payment_instructions=profile.payment_instructions,
        footer=profile.footer,
        payment_link=profile.payment_link,
        logo=profile.logo,
        letter_layout=letter_layout_of(profile),
        letter_documents=profile.letter_documents,
    )


def letter_layout_of(profile: ConfigureCompany) -> LetterLayout:
    """Give what the company has set, else what its country uses; an unknown country uses A4, DIN 5008 form B."""
    if profile.letter_layout != "by_country":
        return profile.letter_layout
    return "us_10" if profile.country in _LETTER_PAPER else "din_5008_b"

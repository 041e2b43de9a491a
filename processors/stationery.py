"""The paper of a company's letters and the window of their envelopes, where the company has not said it."""

from typing import Final

from schemas.commands import ConfigureCompany
from schemas.fields import LetterLayout

__all__ = ["letter_layout_of"]

# Where office paper is US Letter (CLDR, `paperSize`), and envelopes are the #10 that it goes with.
_LETTER_PAPER: Final = frozenset(
    ("BZ", "CA", "CL", "CO", "CR", "GT", "MX", "NI", "PA", "PH", "PR", "SV", "US", "VE")
)


def letter_layout_of(profile: ConfigureCompany) -> LetterLayout:
    """Give what the company has set, else what its country uses; an unknown country uses A4, DIN 5008 form B."""
    if profile.letter_layout != "by_country":
        return profile.letter_layout
    return "us_10" if profile.country in _LETTER_PAPER else "din_5008_b"

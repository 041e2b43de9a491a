"""The law of a story: none, unless it says so, so that stories about other rules need not mind the hour."""

import datetime

from schemas.commands import SetLaw
from schemas.law import LawChoice, LawEdition, LawProfile

__all__ = ["chosen_law", "free_law"]

_FREE = LawProfile(
    id="free",
    name="No rule at all",
    editions=(LawEdition(start_on=datetime.date(1970, 1, 1), sources=("the story",)),),
)


def free_law(company: str = "acme") -> SetLaw:
    """Let a company contact anyone at any time."""
    return SetLaw(
        company=company,
        occurred_at="2000-01-01",
        command="free law",
        profiles=(_FREE,),
        choices=(LawChoice(profile="free"),),
    )


def chosen_law(company: str, *, profile: str, command: str, occurred_at: str) -> SetLaw:
    """Put all debtors of a company under one profile; ``shipped``: under what their country and kind say."""
    return SetLaw(
        company=company,
        occurred_at=occurred_at,
        command=command,
        profiles=(_FREE,) if profile == "free" else (),
        choices=() if profile == "shipped" else (LawChoice(profile=profile),),
    )

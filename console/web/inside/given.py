"""What routes take again and again: who is asking, by the role that a page needs, a day that is asked about, and the short words of a form."""

import datetime
from typing import Annotated, Final

from fastapi import Depends, Form
from pydantic import AfterValidator, StringConstraints

from console.web.inside.access import Person, needs

__all__ = ["Administrator", "Approver", "AskedDay", "Collector", "Reader", "Stripped", "Word", "is_askable"]

Reader = Annotated[Person, Depends(needs("viewer"))]
Collector = Annotated[Person, Depends(needs("collector"))]
Approver = Annotated[Person, Depends(needs("approver"))]
Administrator = Annotated[Person, Depends(needs("administrator"))]
Word = Annotated[str, Form(max_length=128)]
Stripped = StringConstraints(strip_whitespace=True)  # of what was typed: blanks alone are nothing
# What happened, or will, is within these years (as ``processors.validation`` has it); windows around other days have no beginning or end.
_FIRST: Final = datetime.date(1970, 1, 1)
_LAST: Final = datetime.date(2199, 12, 31)


def is_askable(on: datetime.date) -> bool:
    """Say whether a day is within the years that are asked about."""
    return _FIRST <= on <= _LAST


def _askable(on: datetime.date | None) -> datetime.date | None:
    if on is not None and not is_askable(on):
        raise ValueError(f"{on} is outside the years {_FIRST.year} to {_LAST.year}")
    return on


AskedDay = Annotated[datetime.date | None, AfterValidator(_askable)]

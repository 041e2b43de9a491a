"""What routes take again and again: who is asking, by the role that a page needs, and the short words of a form."""

from typing import Annotated

from fastapi import Depends, Form

from console.web.inside.access import Person, needs

__all__ = ["Administrator", "Approver", "Collector", "Reader", "Word"]

Reader = Annotated[Person, Depends(needs("viewer"))]
Collector = Annotated[Person, Depends(needs("collector"))]
Approver = Annotated[Person, Depends(needs("approver"))]
Administrator = Annotated[Person, Depends(needs("administrator"))]
Word = Annotated[str, Form(max_length=128)]

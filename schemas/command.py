"""What every request about an account is, so that kinds of requests can live in files of their own."""

from typing import Annotated

from msgspec import Meta

from schemas.events import _AccountFact
from schemas.fields import DocumentId

__all__ = ["AccountRequest", "Author"]

Author = Annotated[str, Meta(max_length=128)]


class AccountRequest(_AccountFact, frozen=True, kw_only=True):
    """A request about one account; ``command`` is its natural key."""

    command: DocumentId
    author: Author = ""

"""What a reader of a message answers behind its link (S4-17, B-21): the request, and the fact that it was given.

The reader is whoever has the link: what is said is said by ``reader``, and taken no
further than the company's profile allows (``processors.answers``).
"""

import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.command import AccountRequest
from schemas.events import Means
from schemas.fact import AccountFact
from schemas.fields import Amount, Channel, Currency, DocumentId, Text

__all__ = ["AnswerFile", "AnswerGiven", "AnswerKind", "AnswerSaid", "GiveAnswer", "Placed"]

AnswerKind = Literal["paid", "will_pay", "dispute", "wrong_person", "other"]
# What the ledger did by itself on an answer's word.
Placed = Literal["promise", "disputes", "pause", "address_stopped"]


class AnswerFile(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """A file that came with an answer; it is kept under its ``sha256`` and was looked at by nobody."""

    sha256: Annotated[
        str, Meta(min_length=64, max_length=64, extra_json_schema={"pattern": "^[0-9a-f]{64}$"})
    ]
    name: Annotated[str, Meta(min_length=1, max_length=120)]
    media_type: Annotated[str, Meta(max_length=80)]
    size_bytes: Annotated[int, Meta(ge=0)]


class AnswerSaid(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """What was said. ``on`` is the day of the payment, or the one promised; ``documents`` empty: all of the message.

    ``by`` and ``reach`` are how the reader names himself, and where he can be asked back.
    """

    kind: AnswerKind
    documents: Annotated[tuple[DocumentId, ...], Meta(max_length=500)] = ()
    amount: Amount | None = None
    currency: Currency | None = None
    on: datetime.date | None = None
    means: Means | None = None
    reference: Annotated[str, Meta(max_length=200)] = ""
    reason: Annotated[str, Meta(max_length=200)] = ""
    text: Text = ""
    by: Annotated[str, Meta(max_length=200)] = ""
    reach: Annotated[str, Meta(max_length=254)] = ""
    files: Annotated[tuple[AnswerFile, ...], Meta(max_length=10)] = ()


class GiveAnswer(AccountRequest, frozen=True, kw_only=True, tag="collections.answer.give.v1"):
    """Take an answer to a message down (S4-17): a person is asked to look, and what the company allows is placed at once.

    ``reminder`` and ``channel`` are the message that the link was in, ``recipient`` the
    address that it went to.
    """

    reminder: DocumentId
    channel: Channel
    said: AnswerSaid
    recipient: Text = ""


class AnswerGiven(AccountFact, frozen=True, kw_only=True, tag="collections.answer.given.v1"):
    """A reader answered; ``placed`` is what that changed by itself, ``task`` what a person has to look at."""

    answer: str
    reminder: str
    channel: Channel
    said: AnswerSaid
    task: str
    placed: tuple[Placed, ...] = ()

"""From what a reader sent to a command: named after link and content, so that sending it twice is asking once.

It is kept in SQL first, as it goes to Kafka (``console.web.outbox`` takes it there); the same
answer again is the row that is there.
"""

import datetime
import hashlib
from collections.abc import Callable
from typing import Final, Literal

from msgspec import json
from sqlalchemy import Connection

from console.web.outside.reading import Opened
from infra.database.links import LinkBook, NewAnswer, TooManyAnswersError
from processors.validation import problems
from schemas.answers import AnswerSaid, GiveAnswer
from schemas.codec import encode
from schemas.commands import OptOut
from schemas.fields import account_id, split_account_id

__all__ = ["READER", "TooManyAnswersError", "answer_command", "keep_answer", "opt_out_command"]

READER: Final = "reader"
_Refusable = Literal["email", "sms", "letter"]


def answer_command(opened: Opened, said: AnswerSaid, *, account: str) -> GiveAnswer:
    """Make the command of an answer, for the account that the message's customer has now."""
    company, customer = split_account_id(account)
    return GiveAnswer(
        company=company,
        customer=customer,
        occurred_at=_at(opened.now),
        command=f"{READER}/{_digest(opened, json.encode(said))}",
        author=READER,
        reminder=opened.link.reminder,
        channel=opened.link.channel,
        said=said,
        recipient=_recipient(opened),
    )


def opt_out_command(opened: Opened, *, account: str) -> OptOut | None:
    """Make the command of whoever wants no more messages by the link's channel; None: nobody can want that of a task.

    It is named after the day, too: who was opted in again meanwhile can leave again.
    """
    channel: _Refusable
    match opened.link.channel:
        case "email" | "sms" | "letter" as channel:
            pass
        case _:
            return None
    company, customer = split_account_id(account)
    return OptOut(
        company=company,
        customer=customer,
        occurred_at=_at(opened.now),
        command=f"{READER}/stop/{_digest(opened, opened.now.date().isoformat().encode())}",
        author=READER,
        channel=channel,
        reason="the reader of a message asked for it",
    )


def keep_answer(
    book: LinkBook,
    opened: Opened,
    event: GiveAnswer | OptOut,
    *,
    answers_max: int,
    beside: Callable[[Connection], None] | None = None,
) -> bool:
    """Keep a command for Kafka, and ``beside`` what belongs to it; False: the command was there before.

    Raises:
        TooManyAnswersError: enough different ones came by this link; nothing is kept, ``beside`` neither.
        AssertionError: intake would refuse it, which is our bug.
    """
    wrong = problems(event)
    if wrong:
        raise AssertionError(f"a reader's answer would be refused: {wrong}")
    link = opened.link
    return book.keep(
        NewAnswer(
            command=event.command,
            reminder=link.reminder,
            channel=link.channel,
            account=account_id(event.company, event.customer),
            given_at=opened.now,
            event_json=encode(event).decode(),
        ),
        answers_max=answers_max,
        beside=beside,
    )


def _recipient(opened: Opened) -> str:
    """Give the address that the message went to."""
    contact = opened.contact
    addresses = {"email": contact.email, "sms": contact.phone, "letter": ", ".join(contact.address)}
    return addresses.get(opened.link.channel, "")


def _at(now: datetime.datetime) -> str:
    return now.astimezone(datetime.UTC).isoformat(timespec="seconds")


def _digest(opened: Opened, content: bytes) -> str:
    link = opened.link
    whose = json.encode([link.purpose, link.reminder, link.channel])
    return hashlib.blake2b(whose + b"\n" + content, digest_size=16, person=b"cobranza answer").hexdigest()

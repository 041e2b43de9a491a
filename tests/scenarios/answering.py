"""The verb of readers: ``answer will_pay on 2026-03-10 amount 50.00 for INV-1`` speaks of the latest message."""

from collections.abc import Callable
from typing import Any

import msgspec

from schemas.answers import AnswerSaid, GiveAnswer
from schemas.journal import SourceEvent
from tests.scenarios.telling import Line

__all__ = ["ANSWERING", "LATEST_MESSAGE"]

LATEST_MESSAGE = "latest"


def _answer(line: Line) -> SourceEvent:
    """``answer dispute for INV-1,INV-2 reason "not received"``; ``named`` is its id, ``by`` the channel."""
    kind = line.text()
    said = line.options(
        on=line.words.day,
        amount=line.text,
        documents=lambda: tuple(line.text().split(",")),
        reason=line.text,
        text=line.text,
        channel=line.text,
        named=line.text,
        recipient=line.text,
    )
    amount: dict[str, Any] = {}
    if "amount" in said:
        amount = {"amount": said["amount"], "currency": line.currency}
    plain = {
        "kind": kind,
        "documents": said.get("documents", ()),
        "on": said.get("on"),
        "reason": said.get("reason", ""),
        "text": said.get("text", ""),
        **amount,
    }
    asked = {**line.asked, "author": "reader", "command": said.get("named", f"line-{line.words.line}")}
    return GiveAnswer(
        **asked,
        reminder=LATEST_MESSAGE,
        channel=said.get("channel", "email"),
        said=msgspec.convert(plain, AnswerSaid),
        recipient=said.get("recipient", ""),
    )


ANSWERING: dict[str, Callable[[Line], SourceEvent]] = {"answer": _answer}

"""The verbs of what is arranged with a customer: holds, promises, disputes, excluded payments, opt-outs."""

from collections.abc import Callable
from typing import cast, get_args

import msgspec

from schemas import commands, events, fields
from schemas.journal import SourceEvent
from tests.scenarios.telling import Line
from tests.scenarios.words import ScenarioError

__all__ = ["ARRANGING"]


def _exclude_payment(line: Line) -> SourceEvent:
    payment = line.text()
    reason = line.options(because=line.text).get("because", "asked for")
    return commands.ExcludePayment(**line.asked, payment=payment, reason=reason)


def _promise(line: Line) -> SourceEvent:
    """``promise 50.00 by 2026-03-01 for INV-1 named first``: without an amount, all; ``named`` is its id."""
    amount = None if line.words.peek() in ("by", "all") else line.words.amount(currency=line.currency)[0]
    line.words.take_if("all")
    said = line.options(
        by=line.words.day, named=line.text, who=line.text, items=lambda: line.text().split(",")
    )
    return commands.MakePromise(
        **line.asked | {"command": said.get("named", f"line-{line.words.line}")},
        amount=amount,
        due_on=said["by"],
        documents=tuple(said.get("items", ())),
        by=said.get("who", ""),
    )


def _dispute(line: Line) -> SourceEvent:
    """``dispute INV-1 40.00 because "broken" review 2026-03-01``: it is named after its item."""
    document = line.text()
    amount = line.words.amount(currency=line.currency)[0] if line.words.peek()[:1].isdecimal() else None
    said = line.options(because=line.text, review=line.words.day, named=line.text)
    return commands.OpenDispute(
        **line.asked | {"command": said.get("named", f"dispute-{document}")},
        document=document,
        amount=amount,
        reason=said.get("because", "disputed"),
        review_on=said.get("review"),
    )


def _rule(line: Line) -> SourceEvent:
    """``rule dispute-INV-1 credited 30.00``, or ``rejected``."""
    dispute, ruling = line.text(), line.text()
    amount = line.words.amount(currency=line.currency)[0] if line.words else None
    return msgspec.convert(
        {
            "type": "collections.dispute.rule.v1",
            **line.asked,
            "dispute": dispute,
            "ruling": ruling,
            "amount": amount,
        },
        commands.RuleDispute,
    )


def _opt(kind: type[commands.OptOut] | type[commands.OptIn]) -> Callable[[Line], SourceEvent]:
    return lambda line: msgspec.convert(
        {"type": kind.__struct_config__.tag, **line.asked, "channel": line.text()}, kind
    )


def _conditional(line: Line) -> SourceEvent:
    """``conditional P-1 100.00 cheque received payable 2026-03-01 for INV-1``; ``order O-1``: a deposit of that order."""
    payment = line.text()
    amount, currency = line.words.amount(currency=line.currency)
    means, state = line.text(), line.text()
    payable_on = line.words.day() if line.words.take_if("payable") else None
    order = line.text() if line.words.take_if("order") else ""
    named = line.words.until_word() if line.words.take_if("for") else []
    lines = tuple(
        events.PaymentLine(document=document, amount=part or None)
        for document, _, part in (word.partition("=") for word in named)
    )
    event = events.PaymentReceived(
        **line.whose,
        payment=payment,
        amount=amount,
        currency=currency,
        lines=lines,
        payable_on=payable_on,
        order_reference=order,
    )
    return msgspec.convert(
        msgspec.to_builtins(event) | {"means": means, "state": state}, events.PaymentReceived
    )


def _state(line: Line) -> SourceEvent:
    """``payment-state P-1 cleared``; ``named 7`` gives the change an id of its own."""
    said = {
        "type": "billing.payment.state_changed.v1",
        **line.whose,
        "payment": line.text(),
        "state": line.text(),
    }
    named = line.options(named=line.text)
    return msgspec.convert(said | {"change": named.get("named")}, events.PaymentStateChanged)


def _payment_plan(line: Line) -> SourceEvent:
    """``payment-plan INV-1 3 first 2026-03-01 every month``: it is named after its item."""
    document, count = line.text(), line.words.number()
    said = line.options(first=line.words.day, every=line.text, named=line.text)
    return msgspec.convert(
        {
            "type": "collections.payment_plan.make.v1",
            **line.asked,
            "command": said.get("named", f"plan-{document}"),
            "document": document,
            "count": count,
            "first_on": said["first"],
            "every": said.get("every", "month"),
        },
        commands.MakePaymentPlan,
    )


def _transfer(line: Line) -> SourceEvent:
    """``transfer INV-1 to C2``."""
    document = line.text()
    return commands.TransferItem(
        **line.asked, document=document, to_customer=line.options(to=line.text)["to"]
    )


def _transfer_payment(line: Line) -> SourceEvent:
    """``transfer-payment P-1 40.00 to C2 items INV-1,INV-2``: without an amount, what is left."""
    payment = line.text()
    amount = None if line.words.peek() == "to" else line.words.amount(currency=line.currency)[0]
    said = line.options(to=line.text, items=lambda: line.text().split(","))
    return commands.TransferPayment(
        **line.asked,
        payment=payment,
        amount=amount,
        to_customer=said["to"],
        documents=tuple(said.get("items", ())),
    )


def _exclude(line: Line) -> SourceEvent:
    document = line.text()
    said = line.options(because=line.text, review=line.words.day)
    return commands.ExcludeItem(
        **line.asked, document=document, reason=said.get("because", "asked for"), review_on=said.get("review")
    )


def _hold(line: Line) -> SourceEvent:
    kind = line.text()
    if kind not in get_args(commands.HoldKind):
        raise ScenarioError(line.words.line, f"{kind!r} is no hold: {', '.join(get_args(commands.HoldKind))}")
    said = line.options(because=line.text, until=line.words.day, review=line.words.day)
    return commands.PlaceHold(
        **line.asked,
        kind=cast("commands.HoldKind", kind),
        reason=said.get("because", "asked for"),
        until=said.get("until"),
        review_on=said.get("review"),
    )


def _release(line: Line) -> SourceEvent:
    return commands.ReleaseHold(**line.asked, kind=cast("commands.HoldKind", line.text()))


ARRANGING: dict[str, Callable[[Line], SourceEvent]] = {
    "conditional": _conditional,
    "dispute": _dispute,
    "exclude": _exclude,
    "exclude-payment": _exclude_payment,
    "hold": _hold,
    "include": lambda line: commands.IncludeItem(**line.asked, document=line.text()),
    "include-payment": lambda line: commands.IncludePayment(**line.asked, payment=line.text()),
    "opt-in": _opt(commands.OptIn),
    "reply": lambda line: commands.RecordReply(
        **{**line.asked, "command": line.text()},
        channel=cast("fields.Channel", line.text()),
        text=line.text(),
    ),
    "opt-out": _opt(commands.OptOut),
    "cancel-payment-plan": lambda line: commands.CancelPaymentPlan(**line.asked, payment_plan=line.text()),
    "payment-plan": _payment_plan,
    "merge": lambda line: events.CustomerMerged(**line.whose, into=line.options(into=line.text)["into"]),
    "payment-state": _state,
    "promise": _promise,
    "release": _release,
    "rule": _rule,
    "transfer": _transfer,
    "transfer-payment": _transfer_payment,
    "withdraw-promise": lambda line: commands.WithdrawPromise(**line.asked, promise=line.text()),
}

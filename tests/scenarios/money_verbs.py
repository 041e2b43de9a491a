"""The verbs of a scenario about banks, charges, refunds, write-offs and the bank's word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from schemas import bank, commands, events

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemas.journal import SourceEvent
    from tests.scenarios.telling import Line

__all__ = ["MONEY_MAKERS"]


def _company_of(line: Line) -> dict[str, Any]:
    return {"company": line.words.account.partition(":")[0], "occurred_at": line.occurred_at}


def _reconciled(line: Line) -> SourceEvent:
    """Read ``reconciled MAIN through 2026-03-02``."""
    name = line.text()
    through = line.options(through=line.text).get("through", line.occurred_at)
    return bank.BankReconciled(**_company_of(line), bank_account=name, through=through)


def _bank_line(line: Line) -> SourceEvent:
    """Read ``bank-line L-1 60.00 payer "Ana SA" tax-id 76.1-K documents INV-1 text "pago inv-1"``."""
    name = line.text()
    amount, currency = line.words.amount(currency=line.currency)
    said = line.options(
        payer=line.text, tax_id=line.text, text=line.text, documents=lambda: tuple(line.text().split(","))
    )
    return bank.BankLineUnmatched(
        **_company_of(line),
        bank_account="MAIN",
        line=name,
        amount=amount,
        currency=currency,
        payer_name=said.get("payer", ""),
        payer_tax_id=said.get("tax_id", ""),
        documents=said.get("documents", ()),
        text=said.get("text", ""),
    )


def _matched(line: Line) -> SourceEvent:
    return bank.BankLineMatched(**_company_of(line), bank_account="MAIN", line=line.text())


def _override(line: Line) -> SourceEvent:
    """Read ``override-gate 2026-03-03 because "the bank is on strike"``."""
    on = line.words.day()
    reason = line.options(because=line.text)["because"]
    return commands.OverrideBankGate(
        **_company_of(line), command=f"line-{line.words.line}", author="controller", on=on, reason=reason
    )


def _waive(line: Line) -> SourceEvent:
    """Read ``waive INV-1/fixed_sum`` or ``waive INV-1/fee/second 5.00``."""
    claim = line.text()
    amount = line.text() if line.words and line.words.peek() != "because" else None
    reason = line.options(because=line.text).get("because", "goodwill")
    return commands.WaiveClaim(**line.asked, claim=claim, amount=amount, reason=reason)


def _refund(line: Line) -> SourceEvent:
    refund = line.text()
    amount, currency = line.words.amount(currency=line.currency)
    credit = line.options(of=line.text)["of"]
    return events.RefundPaid(**line.whose, refund=refund, credit=credit, amount=amount, currency=currency)


def _write_off(line: Line) -> SourceEvent:
    write_off = line.text()
    amount, currency = line.words.amount(currency=line.currency)
    document = line.options(of=line.text)["of"]
    return events.WriteOffBooked(
        **line.whose, write_off=write_off, document=document, amount=amount, currency=currency
    )


def _reconcile(line: Line) -> SourceEvent:
    reconciliation, payment = line.text(), line.text()
    lines = []
    while line.words:
        action = line.words.take("apply or unapply")
        document, _, part = line.words.take("an item").rstrip(",").partition("=")
        lines.append({"action": action, "document": document, **({"amount": part} if part else {})})
    return events.ReconciliationRecorded(
        **line.whose,
        reconciliation=reconciliation,
        payment=payment,
        lines=msgspec.convert(lines, tuple[events.ReconciliationLine, ...]),
    )


MONEY_MAKERS: dict[str, Callable[[Line], SourceEvent]] = {
    "bank-line": _bank_line,
    "bank-line-matched": _matched,
    "override-gate": _override,
    "reconcile": _reconcile,
    "reconciled": _reconciled,
    "refund": _refund,
    "waive": _waive,
    "write-off": _write_off,
}

"""The verbs of a scenario about banks, charges and conversions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schemas import bank, commands

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


MONEY_MAKERS: dict[str, Callable[[Line], SourceEvent]] = {
    "bank-line": _bank_line,
    "bank-line-matched": _matched,
    "override-gate": _override,
    "reconciled": _reconciled,
    "waive": _waive,
}

"""Costs as people read them: millionths become decimals, with the places that they need."""

from decimal import Decimal
from typing import Final

__all__ = ["cost_text", "money_text"]

_MICROS: Final = Decimal(1_000_000)
_CENT: Final = Decimal("0.01")


def money_text(micros: int) -> Decimal:
    """Write millionths as a decimal of major units, with at least the two places that people expect."""
    exact = Decimal(micros) / _MICROS
    return exact.quantize(_CENT) if exact == exact.quantize(_CENT) else exact.normalize()


def cost_text(micros: int, *, currency: str) -> str:
    """Write a cost with its currency; '' where none is known."""
    return f"{currency} {money_text(micros)}" if currency else ""

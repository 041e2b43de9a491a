"""Costs as people read them: millionths as decimals with the places that they need, an SMS in segments."""

from decimal import Decimal
from typing import Final

from notifiers.sms.segments import plain, segments

__all__ = ["cost_text", "in_segments", "money_text"]

_MICROS: Final = Decimal(1_000_000)
_CENT: Final = Decimal("0.01")


def money_text(micros: int) -> Decimal:
    """Write millionths as a decimal of major units, with at least the two places that people expect."""
    exact = Decimal(micros) / _MICROS
    return exact.quantize(_CENT) if exact == exact.quantize(_CENT) else exact.normalize()


def cost_text(micros: int, *, currency: str) -> str:
    """Write a cost with its currency; '' where none is known."""
    return f"{currency} {money_text(micros)}" if currency else ""


def in_segments(text: str) -> str:
    """Say what an SMS comes to, and what it would come to without accents (`COBRANZA_SEND_SMS_PLAIN`)."""
    found = segments(text)
    said = f"{found.count} segments of {'GSM-7' if found.encoding == 'gsm7' else 'UCS-2'}, {found.left} units left"
    plainly = segments(plain(text))
    if not found.forcing:
        return said
    less = f"; written plainly {plainly.count} of GSM-7" if plainly.encoding == "gsm7" else ""
    return f"{said}; {' '.join(found.forcing)} make it UCS-2{less}"

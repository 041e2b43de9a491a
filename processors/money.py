"""Money: decimal text on the wire, integer minor units inside, by the exponents of ISO 4217.

Nothing here is a float, and currencies are never added together.
"""

from typing import Literal

__all__ = ["MoneyError", "MoneyReason", "exponent", "to_minor", "to_text"]

MoneyReason = Literal["unknown_currency", "not_decimal", "too_many_decimals"]


class MoneyError(ValueError):
    """An amount that may not be; ``reason`` is a label for headers and metrics."""

    def __init__(self, *, reason: MoneyReason, detail: str) -> None:
        super().__init__(detail)
        self.reason: MoneyReason = reason
        self.detail = detail


_CODES = {
    # Currencies and funds that are in circulation; metals and test codes have no minor unit and are unknown here.
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
        AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD
        CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS
        GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL
        MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK
        PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS
        TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_EXPONENTS = {code: digits for digits, codes in _CODES.items() for code in codes.split()}
_POWERS = (1, 10, 100, 1000, 10000)
_WHOLE_DIGITS_MAX = 15  # as the contract says; every store holds the minor units of it


def exponent(currency: str) -> int:
    """Give the number of decimals of a currency.

    Raises:
        MoneyError: ``unknown_currency``.
    """
    digits = _EXPONENTS.get(currency)
    if digits is None:
        raise MoneyError(reason="unknown_currency", detail=f"currency {currency!r} is not in ISO 4217")
    return digits


def to_minor(amount: str, *, currency: str) -> int:
    """Read decimal text in major units as minor units; fewer decimals are fine.

    Raises:
        MoneyError: the currency is unknown, the text is no plain decimal, or
            it has more decimals than the currency (zeros too: SEMANTICS 3).
    """
    digits = _EXPONENTS.get(currency)
    if digits is None:
        digits = exponent(currency)
    if digits == 2 and amount[-3:-2] == ".":  # by far the most frequent: '1250.00'
        figures = amount[:-3] + amount[-2:]
        if figures.isdecimal() and figures.isascii() and 2 < len(figures) <= _WHOLE_DIGITS_MAX + 2:
            return int(figures)
    whole, dot, fraction = amount.partition(".")
    plain = whole[1:] if whole[:1] == "-" else whole
    if not (plain.isdecimal() and amount.isascii() and len(plain) <= _WHOLE_DIGITS_MAX) or (
        dot and not fraction.isdecimal()
    ):
        raise MoneyError(reason="not_decimal", detail=f"amount {amount!r} is no decimal such as '1250.00'")
    missing = digits - len(fraction)
    if missing < 0:
        raise MoneyError(
            reason="too_many_decimals",
            detail=f"amount {amount!r} has more than the {digits} decimals of {currency}",
        )
    return int(whole + fraction) * _POWERS[missing]


def to_text(amount_minor: int, *, currency: str) -> str:
    """Write minor units as decimal text with all the decimals of the currency.

    Raises:
        MoneyError: ``unknown_currency``.
    """
    digits = exponent(currency)
    if digits == 0:
        return str(amount_minor)
    sign = "-" if amount_minor < 0 else ""
    whole, fraction = divmod(abs(amount_minor), _POWERS[digits])
    return f"{sign}{whole}.{fraction:0{digits}d}"

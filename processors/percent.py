"""Percentages as whole numbers: decimal text in, millionths of a percent inside, shares rounded half up."""

__all__ = ["MICRO_PER_WHOLE", "micro_of", "rounded", "share_minor"]

MICRO_PER_WHOLE = 100_000_000  # 100 %
_DECIMALS = 6


def micro_of(percent: str) -> int:
    """Read a percentage such as ``'10.15'`` as millionths of a percent.

    Raises:
        ValueError: it is no plain decimal, or has more than six decimals.
    """
    whole, _, fraction = percent.partition(".")
    if len(fraction) > _DECIMALS or not (fraction or "0").isdecimal():
        raise ValueError(f"no percentage: {percent!r}")
    sign = -1 if whole.startswith("-") else 1
    return int(whole) * 1_000_000 + sign * int((fraction or "0").ljust(_DECIMALS, "0"))


def rounded(numerator: int, *, denominator: int) -> int:
    """Divide amounts that are not below zero, half up."""
    return (2 * numerator + denominator) // (2 * denominator)


def share_minor(amount_minor: int, *, micro: int) -> int:
    """Give a percentage of an amount, half up."""
    return rounded(amount_minor * micro, denominator=MICRO_PER_WHOLE)

"""Percentages are whole numbers: nothing is lost on the way in, and half a cent is rounded up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.percent import MICRO_PER_WHOLE, micro_of, rounded, share_minor


@pytest.mark.parametrize(
    ("percent", "micro"),
    [("2", 2_000_000), ("10.15", 10_150_000), ("0.000001", 1), ("-0.5", -500_000), ("100", MICRO_PER_WHOLE)],
)
def test_percent_is_read_exactly(percent: str, micro: int) -> None:
    """Millionths of a percent hold every rate that a table may have."""
    assert micro == micro_of(percent)


@pytest.mark.parametrize("percent", ["1.0000001", "2,5", "x", "1.-5", ""])
def test_what_is_no_percentage_is_refused(percent: str) -> None:
    """A slip of the pen is no rate."""
    with pytest.raises(ValueError, match=r"percentage|invalid literal"):
        micro_of(percent)


def test_half_a_cent_is_a_cent() -> None:
    """2.5 % of 1.00 is 0.025: 3 cents; of 0.99 it is 0.02475: 2."""
    assert (3, 2) == (share_minor(100, micro=micro_of("2.5")), share_minor(99, micro=micro_of("2.5")))


@given(st.integers(0, 10**15), st.integers(1, 10**12))
def test_rounding_is_off_by_half_at_most(numerator: int, denominator: int) -> None:
    """The rounded figure is the nearest whole one."""
    assert abs(rounded(numerator, denominator=denominator) * denominator - numerator) * 2 <= denominator

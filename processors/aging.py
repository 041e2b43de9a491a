"""Into which bucket of age an open amount belongs (SEMANTICS section 6); it adds nothing up."""

from bisect import bisect_left
from typing import Final

__all__ = ["AGE_EDGES_DAYS", "age_bucket"]

# The last day past due of each bucket: not due, 1-30, 31-60, 61-90, more. Due on the day itself is not due.
AGE_EDGES_DAYS: Final = (0, 30, 60, 90)


def age_bucket(days_overdue: int) -> int:
    """Give the place of the bucket, 0 (not due) to 4 (over 90 days)."""
    return bisect_left(AGE_EDGES_DAYS, days_overdue)

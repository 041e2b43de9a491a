"""How long a provider asks us to wait, by the headers of its answer. No clock here; who waits keeps to a bound.

::

    Retry-After: 120                       seconds (RFC 9110, 10.2.3)
    Retry-After: Sun, 04 Mar 2012 …        the instant, from that of the answer's own Date: clocks differ
    x-amz-retry-after: 1500                milliseconds, Amazon's own

Of several (both headers, one twice, ``120, 300``) the longest counts: it is the least that all of them ask for. It refuses
to guess: what cannot be read, an instant without a Date, and one that is over ask for nothing.
"""

import datetime
import re
from collections.abc import Iterable
from email.utils import parsedate_to_datetime
from typing import Final

__all__ = ["RETRY_AFTER_S_MAX", "asked_wait_s"]

RETRY_AFTER_S_MAX: Final = 3_600.0  # whatever a provider asks for, unless a setting says otherwise

_ASKED_S_MAX: Final = (
    365 * 86_400.0
)  # beyond any bound that can be set; a number of ten digits asks for that, not for nothing
_NUMBER: Final = re.compile(
    r"[0-9]+(?:\.[0-9]*)?"
)  # no fraction by the RFC, but it is clear what 120.0 asks for


def asked_wait_s(headers: Iterable[tuple[str, str]]) -> float:
    """Give the seconds that an answer asks us to wait before the next try, a year at most; 0.0 where it asks for nothing."""
    said = [(name.lower(), value.strip()) for name, value in headers]
    now = next((_instant(value) for name, value in said if name == "date"), None)
    waits_s = [_number(value) / 1_000 for name, value in said if name == "x-amz-retry-after"]
    waits_s += [_number(value) or _until_s(value, now=now) for name, value in said if name == "retry-after"]
    return min(_ASKED_S_MAX, max(waits_s, default=0.0))


def _number(text: str) -> float:
    """Give the largest of the numbers between commas; 0.0: there is none."""
    numbers = (each.strip() for each in text.split(","))
    return max((float(each) for each in numbers if _NUMBER.fullmatch(each)), default=0.0)


def _until_s(text: str, *, now: datetime.datetime | None) -> float:
    until = _instant(text)
    return 0.0 if until is None or now is None else max(0.0, (until - now).total_seconds())


def _instant(text: str) -> datetime.datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=datetime.UTC)

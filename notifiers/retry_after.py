"""How long a provider asks us to wait, by the headers of its answer. No clock here; who waits keeps to a bound.

::

    Retry-After: 120                       seconds (RFC 9110, 10.2.3)
    Retry-After: Sun, 04 Mar 2012 …        the instant, from that of the answer's own Date: clocks differ
    x-amz-retry-after: 1500                milliseconds, Amazon's own; it goes before the other

It refuses to guess: what cannot be read, an instant without a Date, and one that is over ask for nothing.
"""

import datetime
import re
from collections.abc import Iterable
from email.utils import parsedate_to_datetime
from typing import Final

__all__ = ["RETRY_AFTER_S_MAX", "asked_wait_s"]

RETRY_AFTER_S_MAX: Final = 3_600.0  # whatever a provider asks for, unless a setting says otherwise

_DIGITS: Final = re.compile(r"[0-9]{1,9}")


def asked_wait_s(headers: Iterable[tuple[str, str]]) -> float:
    """Give the seconds that an answer asks us to wait before the next try; 0.0 where it asks for nothing."""
    said = {name.lower(): value.strip() for name, value in headers}
    milliseconds, asked = said.get("x-amz-retry-after", ""), said.get("retry-after", "")
    if _DIGITS.fullmatch(milliseconds):
        return int(milliseconds) / 1_000
    if _DIGITS.fullmatch(asked):
        return float(asked)
    until, now = _instant(asked), _instant(said.get("date", ""))
    return 0.0 if until is None or now is None else max(0.0, (until - now).total_seconds())


def _instant(text: str) -> datetime.datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=datetime.UTC)

"""Codes that a telephone reads (QR, ISO/IEC 18004): where a mail has a button, a letter has one of these, with the address beside it."""

import re
from functools import lru_cache
from typing import Final

from notifiers.paper.modules import modules_of
from notifiers.paper.picture import Picture

__all__ = ["code_of"]

_QUIET: Final = 4  # modules of white around, which the standard asks for
_DARK: Final = re.compile("1+")


@lru_cache(maxsize=16)  # a company's own payment page may be the same for everybody
def code_of(url: str) -> Picture:
    """Draw the code of an address.

    Raises:
        ValueError: it is longer than a code holds (some 2,300 characters).
    """
    rows = modules_of(url)
    side = len(rows) + 2 * _QUIET
    path = "".join(
        f"M{run.start() + _QUIET},{y}h{length}v1h-{length}z"
        for y, row in enumerate(rows, start=_QUIET)
        for run in _DARK.finditer(row)
        for length in (run.end() - run.start(),)
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side}" height="{side}" viewBox="0 0 {side} {side}">'
        f'<path fill="#000" shape-rendering="crispEdges" d="{path}"/></svg>'
    )
    return Picture(svg=svg, ratio=1.0)

"""Codes that a telephone reads (QR, ISO/IEC 18004): where a mail has a button, a letter has one of these, with the address beside it."""

from functools import lru_cache
from typing import Final

import segno

from notifiers.paper.picture import Picture

__all__ = ["code_of"]

# Printed and folded paper loses a little; nothing of it is worn, as a sticker's would be.
_ERROR: Final = "m"
# Any of the eight patterns can be read; to compare them all takes longer than to set the letter.
_MASK: Final = 4
_QUIET: Final = 4  # modules of white around, which the standard asks for


@lru_cache(maxsize=16)  # a company's own payment page may be the same for everybody
def code_of(url: str) -> Picture:
    """Draw the code of an address.

    Raises:
        ValueError: it is longer than a code holds (some 2,300 characters).
    """
    code = segno.make_qr(url, error=_ERROR, boost_error=False, mask=_MASK)
    side = len(code.matrix) + 2 * _QUIET
    path = "".join(
        f"M{start + _QUIET},{y + _QUIET}h{length}v1h-{length}z"
        for y, row in enumerate(code.matrix)
        for start, length in _runs(row)
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side}" height="{side}" viewBox="0 0 {side} {side}">'
        f'<path fill="#000" shape-rendering="crispEdges" d="{path}"/></svg>'
    )
    return Picture(svg=svg, ratio=1.0)


def _runs(row: bytes | bytearray) -> list[tuple[int, int]]:
    """Give where the dark modules of a row begin, and how many they are."""
    runs: list[tuple[int, int]] = []
    for x, module in enumerate(row):
        if not module:
            continue
        if runs and sum(runs[-1]) == x:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((x, 1))
    return runs

"""Codes that a telephone reads (QR, ISO/IEC 18004): where a mail has a button, a letter has one of these, with the address beside it.

A code is a picture of one point a module, which the letter shows with hard edges: drawn as shapes, its hundreds of
runs of dark modules take a seventh of the time that a letter takes.
"""

import struct
import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from notifiers.paper.modules import modules_of

__all__ = ["code_of"]

_QUIET: Final = 4  # modules of white around, which the standard asks for
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_UNFILTERED: Final = b"\0"  # before each line


@lru_cache(maxsize=16)  # a company's own payment page may be the same for everybody
def code_of(url: str) -> bytes:
    """Draw the code of an address, white around it included, as a PNG of one point a module; the same address gives the same bytes.

    Raises:
        ValueError: it is longer than a code holds (some 2,300 characters).
    """
    return _png(modules_of(url))


def _png(rows: Sequence[str]) -> bytes:
    """Write rows of '1' (dark) and '0' as a PNG of two colours (ISO/IEC 15948); there a white point is a 1."""
    side = len(rows) + 2 * _QUIET
    spare = -side % 8  # a line fills its last byte
    whole = (1 << side) - 1
    margin = (_UNFILTERED + (whole << spare).to_bytes((side + spare) // 8)) * _QUIET
    lines = (
        _UNFILTERED + ((whole ^ int(row, 2) << _QUIET) << spare).to_bytes((side + spare) // 8) for row in rows
    )
    return b"".join(
        (
            _SIGNATURE,
            _chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)),
            _chunk(b"IDAT", zlib.compress(b"".join((margin, *lines, margin)), 1)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

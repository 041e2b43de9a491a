"""The modules of a QR code of an address (ISO/IEC 18004), worked out with what all codes of a size have in common kept.

segno draws any code, one module at a time, in some 1.2 ms; a letter has two of them and takes 6 ms. What is rare (digits or
capitals alone, other scripts, more than 412 characters) is left to it, and so is what stands in the same place in
each code of a size. A property test holds the rest to it.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import zip_longest
from operator import itemgetter
from typing import Final

import segno
from msgspec import Struct
from segno import consts

__all__ = ["modules_of"]

# Printed and folded paper loses a little; nothing of it is worn, as a sticker's would be.
_ERROR: Final = "m"
# Any of the eight patterns can be read; to compare them all takes longer than to set the letter.
_MASK: Final = 4

# Of sizes 1 to 15 at level M: check bytes of a block, then how many blocks have how many bytes of data.
_SIZES: Final = (
    (10, ((1, 16),)),
    (16, ((1, 28),)),
    (26, ((1, 44),)),
    (18, ((2, 32),)),
    (24, ((2, 43),)),
    (16, ((4, 27),)),
    (18, ((4, 31),)),
    (22, ((2, 38), (2, 39))),
    (22, ((3, 36), (2, 37))),
    (26, ((4, 43), (1, 44))),
    (30, ((1, 50), (4, 51))),
    (22, ((6, 36), (2, 37))),
    (22, ((8, 37), (1, 38))),
    (24, ((4, 40), (5, 41))),
    (24, ((5, 41), (5, 42))),
)
_FIELD: Final = 0x11D  # the polynomial of GF(256)
_BYTES: Final = 0b0100  # the mode: each character is a byte
_PADDING: Final = (0xEC, 0x11)
_DENSER: Final = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")


class _Size(Struct, frozen=True, kw_only=True):
    """What all codes of a size have in common.

    ``blocks`` are their bytes of data, ``multiples`` the check polynomial times each byte; ``bits`` are those
    of data and checks and what is left over, ``mask`` turns some of them around. ``pick`` puts
    them in their places: of a text of '01' and the bits it takes one character for each module.
    """

    side: int
    count_bits: int
    checks: int
    blocks: tuple[int, ...]
    multiples: tuple[int, ...]
    bits: int
    mask: int
    pick: Callable[[str], tuple[str, ...]]

    @property
    def data(self) -> int:
        """How many bytes of data there are."""
        return sum(self.blocks)


def modules_of(text: str) -> list[str]:
    """Draw a code: a text of '1' (dark) and '0' for each row, without the white around it.

    Raises:
        ValueError: it is longer than a code holds (some 2,300 characters).
    """
    size = _size_for(text) if text.isascii() and not _DENSER.issuperset(text) else None
    if size is None:
        code = segno.make_qr(text, error=_ERROR, boost_error=False, mask=_MASK)
        return ["".join("1" if module else "0" for module in row) for row in code.matrix]
    data, blocks, at = _data(text.encode(), size), [], 0
    for length in size.blocks:
        blocks.append(data[at : at + length])
        at += length
    woven = bytes([*_woven(blocks), *_woven([_checks_of(block, size) for block in blocks])])
    bits = (int.from_bytes(woven) << (size.bits - 8 * len(woven))) ^ size.mask
    drawn = "".join(size.pick("01" + format(bits, f"0{size.bits}b")))
    return [drawn[start : start + size.side] for start in range(0, len(drawn), size.side)]


def _size_for(text: str) -> _Size | None:
    """Give the smallest size that holds a text; None: it is beyond those that are known here."""
    for number, (_, groups) in enumerate(_SIZES, start=1):
        room = sum(blocks * length for blocks, length in groups) - (2 if number < 10 else 3)
        if len(text) <= room:
            return _size(number)
    return None


def _data(content: bytes, size: _Size) -> bytes:
    """Write mode, count, content and an end; fill up."""
    head = _BYTES << size.count_bits | len(content)
    whole = (head << 8 * len(content) | int.from_bytes(content)) << 4
    written = whole.to_bytes((size.count_bits + 8) // 8 + len(content))
    lacking = size.data - len(written)
    # Nobody reads behind the end. segno has a byte of noughts there; so have we, to be held to it module by module.
    return written + bytes((0, *_PADDING * (lacking // 2 + 1)))[:lacking]


def _checks_of(block: bytes, size: _Size) -> bytes:
    """Give what is left when the block is divided by the check polynomial (Reed and Solomon)."""
    top, cut = 8 * (size.checks - 1), (1 << 8 * size.checks) - 1
    left = 0
    for byte in block:
        left = (left << 8) & cut ^ size.multiples[byte ^ left >> top]
    return left.to_bytes(size.checks)


def _woven(parts: Sequence[bytes]) -> Iterator[int]:
    """Give the first byte of each part, then the second of each, and so on; shorter parts end sooner."""
    return (byte for bytes_ in zip_longest(*parts) for byte in bytes_ if byte is not None)


@cache
def _size(number: int) -> _Size:
    """Work out what all codes of a size have in common; segno says which modules are not data, and how they look."""
    checks, groups = _SIZES[number - 1]
    pattern = segno.make_qr(
        "x", version=number, error=_ERROR, boost_error=False, mask=_MASK, mode="byte"
    ).matrix_iter(scale=1, border=0, verbose=True)
    kinds = [list(row) for row in pattern]
    places = list(_places(kinds))
    picks = [[int(kind > 0xFF) for kind in row] for row in kinds]  # what is dark has a high byte
    mask = 0
    for number_of_bit, (x, y) in enumerate(places):
        picks[y][x] = 2 + number_of_bit
        mask = mask << 1 | ((y // 2 + x // 3) % 2 == 0)
    return _Size(
        side=len(kinds),
        count_bits=8 if number < 10 else 16,
        checks=checks,
        blocks=tuple(length for blocks, length in groups for _ in range(blocks)),
        multiples=_multiples(checks),
        bits=len(places),
        mask=mask,
        pick=itemgetter(*(each for row in picks for each in row)),
    )


def _places(kinds: Sequence[Sequence[int]]) -> Iterator[tuple[int, int]]:
    """Walk the modules of data as bits are written: up and down in columns of two from the right, but for the sixth."""
    side, upwards = len(kinds), True
    for right in [*range(side - 1, 6, -2), 5, 3, 1]:
        for y in range(side - 1, -1, -1) if upwards else range(side):
            for x in (right, right - 1):
                # segno tells the module left of the upper format as a part of it; it draws data there.
                if kinds[y][x] in (consts.TYPE_DATA_DARK, consts.TYPE_DATA_LIGHT) or (x, y) == (side - 9, 8):
                    yield x, y
        upwards = not upwards


def _multiples(checks: int) -> tuple[int, ...]:
    """Give the check polynomial of so many bytes, without its first term, times each byte."""
    polynomial, root = [1], 1
    for _ in range(checks):
        longer = [*polynomial, 0]
        for place, term in enumerate(polynomial, start=1):
            longer[place] ^= _times(term, root)
        polynomial, root = longer, _times(root, 2)
    return tuple(int.from_bytes(bytes(_times(term, byte) for term in polynomial[1:])) for byte in range(256))


def _times(one: int, other: int) -> int:
    """Multiply in GF(256)."""
    product = 0
    while other:
        product ^= one if other & 1 else 0
        one = one << 1 ^ (_FIELD if one & 0x80 else 0)
        other >>= 1
    return product

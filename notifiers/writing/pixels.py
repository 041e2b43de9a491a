"""How large a picture is once it is unpacked, known before anybody unpacks it; what would be more than a logo needs is refused.

Two hundred kilobytes can hold four hundred million pixels, a hundred megabytes of colour profile or ten thousand layers
of one JPEG. So each of PNG, JPEG and GIF is walked through as its standard says, and what it
holds is counted; nothing is drawn.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final

from msgspec import Struct

__all__ = ["AREA_MAX", "SIDE_MAX", "Pixels", "PixelsError", "pixels_of"]

# A logo is printed 80 mm wide at most: 2,000 pixels there are 635 to an inch.
SIDE_MAX: Final = 2_000
AREA_MAX: Final = 2_000_000
_BESIDE_MAX: Final = 4_000_000
_SCANS_MAX: Final = 40
_CHUNKS_MAX: Final = 2_000

# Of PNG (ISO/IEC 15948): samples of a pixel by colour type, depths of each, where and how wide the passes of Adam7 are.
_SAMPLES: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS: Final = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_PASSES: Final = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
_ANIMATION: Final = frozenset({b"acTL", b"fcTL", b"fdAT"})
# Of JPEG (ITU-T T.81): frames that mail programs and printers read, and those that they do not.
_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2})
_OTHER_FRAMES: Final = frozenset({*range(0xC3, 0xD0)} - {0xC4, 0xC8, 0xCC})
_MARKER: Final = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")


class PixelsError(ValueError):
    """It is no picture that can be a logo; says what it is, and what to do."""


class Pixels(Struct, frozen=True, kw_only=True):
    """A picture's kind and size; ``extension`` is of a file's name, without a dot."""

    media_type: str
    extension: str
    width: int
    height: int


def pixels_of(content: bytes) -> Pixels:
    """Give the size of a PNG, JPEG or GIF.

    Raises:
        PixelsError: it is another kind of file, broken, moves, or is larger unpacked than a logo needs.
    """
    found = _looked_at(content)
    if isinstance(found, str):
        raise PixelsError(found)
    return found


@lru_cache(maxsize=32)  # each mail of a company asks about the same logo
def _looked_at(content: bytes) -> Pixels | str:
    """Look once; a fault is kept as well as a size."""
    for begins, media_type, extension, look in _KINDS:
        if content.startswith(begins):
            try:
                width, height = look(content)
            except PixelsError as error:
                return str(error)
            except (struct.error, IndexError, zlib.error):
                return f"is a broken {extension.upper()}: save it again"
            return Pixels(media_type=media_type, extension=extension, width=width, height=height)
    if b"<svg" in content[:2_000].lower():
        return "is an SVG, which mail programs show nowhere, and which can name other files: save it as PNG"
    return "is neither PNG nor JPEG nor GIF"


def _sized(width: int, height: int) -> tuple[int, int]:
    if not (0 < width <= SIDE_MAX and 0 < height <= SIDE_MAX and width * height <= AREA_MAX):
        raise PixelsError(
            f"has {width:,} × {height:,} pixels: {SIDE_MAX:,} on a side and {AREA_MAX:,} in all are the most; "
            "make it smaller (1,000 pixels of width print sharply)"
        )
    return width, height


# -- PNG ---------------------------------------------------------------------------------------


def _png(content: bytes) -> tuple[int, int]:
    width, height, depth, colour, packing, filters, passes = struct.unpack_from(">IIBBBBB", content, 16)
    size = _sized(width, height)
    if content[12:16] != b"IHDR" or depth not in _DEPTHS.get(colour, ()) or packing or filters or passes > 1:
        raise PixelsError("is a broken PNG: save it again")
    data, left = [], _BESIDE_MAX
    for name, body in _chunks(content):
        if name in _ANIMATION:
            raise PixelsError("moves: a logo is one picture")
        if name == b"IDAT":
            data.append(body)
        left -= len(_unpacked(_packed_beside(name, body), most=left))
    needed = _bytes_of_png(width, height, bits=depth * _SAMPLES[colour], is_interlaced=bool(passes))
    if len(_unpacked(b"".join(data), most=needed)) != needed:
        raise PixelsError("is a broken PNG: its data are not of its size; save it again")
    return size


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    for _ in range(_CHUNKS_MAX):
        length, name = struct.unpack_from(">I4s", content, at)
        body = content[at + 8 : at + 8 + length]
        (check,) = struct.unpack_from(">I", content, at + 8 + length)
        if zlib.crc32(name + body) != check:
            raise PixelsError("is a broken PNG: save it again")
        yield name, body
        if name == b"IEND":
            return
        at += 12 + length
    raise PixelsError(f"is a PNG in more than {_CHUNKS_MAX:,} parts: save it again")


def _packed_beside(name: bytes, body: bytes) -> bytes:
    """Give what stands packed beside the picture: a profile, texts."""
    _, _, rest = body.partition(b"\0")
    if name in (b"iCCP", b"zTXt"):
        return rest[1:]
    if name == b"iTXt" and rest[:1] == b"\1":
        return rest[2:].split(b"\0", 2)[-1]
    return b""


def _unpacked(packed: bytes, *, most: int) -> bytes:
    unpacking = zlib.decompressobj()
    found = unpacking.decompress(packed, most + 1)
    if len(found) > most:
        raise PixelsError("unpacks to more than it says: save it again without profile and texts")
    return found


def _bytes_of_png(width: int, height: int, *, bits: int, is_interlaced: bool) -> int:
    passes = _PASSES if is_interlaced else ((0, 0, 1, 1),)
    total = 0
    for left, top, step_x, step_y in passes:
        columns, rows = -(-(width - left) // step_x), -(-(height - top) // step_y)
        if columns > 0 and rows > 0:
            total += rows * (1 + -(-columns * bits // 8))
    return total


# -- JPEG --------------------------------------------------------------------------------------


def _jpeg(content: bytes) -> tuple[int, int]:
    size, scans, at = None, 0, 2
    while True:
        while content[at : at + 2] == b"\xff\xff":
            at += 1
        found = _MARKER.match(content, at)
        if found is None:
            raise PixelsError("is a broken JPEG: save it again")
        marker, at = found[1][0], found.end()
        if marker == 0xD9:
            break
        if marker in _OTHER_FRAMES or (marker in _FRAMES and size is not None):
            raise PixelsError("is a JPEG that few programs read: save it as PNG")
        (length,) = struct.unpack_from(">H", content, at)
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", content, at + 3)
            size = _sized(width, height)
        at += length
        if marker == 0xDA:
            scans += 1
            following = _MARKER.search(content, at)
            at = len(content) if following is None else following.start()
        if at >= len(content):
            raise PixelsError("is cut off: save it again")
    if size is None or not 0 < scans <= _SCANS_MAX:
        raise PixelsError(f"is a JPEG of {scans:,} layers: save it as a plain one")
    return size


# -- GIF ---------------------------------------------------------------------------------------


def _gif(content: bytes) -> tuple[int, int]:
    width, height, flags = struct.unpack_from("<HHB", content, 6)
    size = _sized(width, height)
    at = 13 + _palette(flags)
    frames = 0
    while content[at] != 0x3B:
        if content[at] == 0x21:
            at += 2
        elif content[at] == 0x2C:
            frames += 1
            left, top, wide, high, flags = struct.unpack_from("<HHHHB", content, at + 1)
            if frames > 1:
                raise PixelsError("moves: a logo is one picture")
            if left + wide > width or top + high > height:
                raise PixelsError("is a broken GIF: its picture is larger than it says; save it again")
            at += 11 + _palette(flags)
        else:
            raise PixelsError("is a broken GIF: save it again")
        while content[at]:
            at += 1 + content[at]
        at += 1
    if not frames:
        raise PixelsError("is a GIF without a picture")
    return size


def _palette(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


_Look = Callable[[bytes], tuple[int, int]]
_KINDS: Final[tuple[tuple[bytes, str, str, _Look], ...]] = (
    (b"\x89PNG\r\n\x1a\n", "image/png", "png", _png),
    (b"\xff\xd8\xff", "image/jpeg", "jpg", _jpeg),
    (b"GIF8", "image/gif", "gif", _gif),
)

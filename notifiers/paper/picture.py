"""A company's logo on its letters: a picture of bytes written as a text that the typesetter can be given.

typst takes texts only, apart from files below its own folder, and a company's files are elsewhere:
so the picture stands in an SVG. What says no size is refused.
"""

import base64
import struct
from typing import Final

from msgspec import Struct

__all__ = ["Picture", "PictureError", "picture_of"]

_JPEG_SIZES: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_MEDIA: Final = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}
_SIDE_MAX: Final = 10_000


class PictureError(ValueError):
    """It is no picture that can be set."""


class Picture(Struct, frozen=True, kw_only=True):
    """A picture as text; ``ratio`` is its width by its height."""

    svg: str
    ratio: float


def picture_of(content: bytes) -> Picture:
    """Write a PNG, JPEG or GIF as an SVG of its own size in pixels.

    Raises:
        PictureError: it is of another kind, cut off, or larger than 10,000 pixels on a side.
    """
    media = next((each for begins, each in _MEDIA.items() if content.startswith(begins)), "")
    try:
        width, height = _size(content, media)
    except (struct.error, IndexError) as error:
        raise PictureError("the picture is cut off") from error
    if not (0 < width <= _SIDE_MAX and 0 < height <= _SIDE_MAX):
        raise PictureError(f"the picture is of {width} × {height} pixels")
    data = base64.b64encode(content).decode()
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">'
        f'<image width="{width}" height="{height}" href="data:{media};base64,{data}"/></svg>'
    )
    return Picture(svg=svg, ratio=width / height)


def _size(content: bytes, media: str) -> tuple[int, int]:
    if media == "image/png":
        width, height = struct.unpack_from(">II", content, 16)
    elif media == "image/gif":
        width, height = struct.unpack_from("<HH", content, 6)
    elif media == "image/jpeg":
        height, width = _of_jpeg(content)
    else:
        raise PictureError("the picture is neither PNG nor JPEG nor GIF")
    return width, height


def _of_jpeg(content: bytes) -> tuple[int, int]:
    """Give height and width, as the first frame's header says them."""
    at = 2
    while content[at] == 0xFF:
        marker = content[at + 1]
        if marker in _JPEG_SIZES:
            height, width = struct.unpack_from(">HH", content, at + 5)
            return height, width
        (length,) = struct.unpack_from(">H", content, at + 2)
        at += 2 + length
    raise PictureError("the picture is no JPEG")

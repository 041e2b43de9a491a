"""A company's logo on its letters: a picture of bytes written as a text that the typesetter can be given.

typst takes texts only, apart from files below its own folder, and a company's files are elsewhere:
so the picture stands in an SVG. How large it may be is said in `notifiers.writing.pixels`.
"""

import base64

from msgspec import Struct

from notifiers.writing.pixels import pixels_of

__all__ = ["Picture", "picture_of"]


class Picture(Struct, frozen=True, kw_only=True):
    """A picture as text; ``ratio`` is its width by its height."""

    svg: str
    ratio: float


def picture_of(content: bytes) -> Picture:
    """Write a PNG, JPEG or GIF as an SVG of its own size in pixels.

    Raises:
        PixelsError: it is of another kind, broken, or larger than a logo needs.
    """
    found = pixels_of(content)
    size = f'width="{found.width}" height="{found.height}"'
    data = base64.b64encode(content).decode()
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {found.width} {found.height}">'
        f'<image {size} href="data:{found.media_type};base64,{data}"/></svg>'
    )
    return Picture(svg=svg, ratio=found.width / found.height)

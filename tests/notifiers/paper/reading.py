"""Where the words of a PDF stand on its pages, in millimetres from the upper left corner.

It reads what typst writes: text in fonts with two bytes a glyph, their widths and their ToUnicode maps.
Anything else is refused, so that a test cannot pass because nothing was read.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pypdf
from pypdf.generic import ContentStream

__all__ = ["Word", "read_pages", "words"]

Matrix = tuple[float, float, float, float, float, float]
_MM = 25.4 / 72
_IDENTITY: Matrix = (1, 0, 0, 1, 0, 0)


@dataclass(frozen=True)
class Word:
    """Some text shown at once; ``top`` and ``bottom`` are of its font's ascent and descent."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    size_pt: float

    def within(self, *, left: float, top: float, right: float, bottom: float) -> bool:
        """Say whether all of it is in a box."""
        return self.left >= left and self.right <= right and self.top >= top and self.bottom <= bottom

    def touches(self, *, left: float, top: float, right: float, bottom: float) -> bool:
        """Say whether any of it is in a box."""
        return self.left < right and self.right > left and self.top < bottom and self.bottom > top


def read_pages(pdf: bytes) -> list[pypdf.PageObject]:
    """Give the pages."""
    return list(pypdf.PdfReader(io.BytesIO(pdf)).pages)


def words(page: pypdf.PageObject) -> list[Word]:
    """List what is written on a page, in the order of its content."""
    found = list(_shown(page))
    assert found
    return found


class _Font:
    """Widths (thousandths of the size) and characters of a font's glyphs."""

    def __init__(self, font: Any) -> None:
        assert font["/Subtype"] == "/Type0"
        descendant = font["/DescendantFonts"][0].get_object()
        descriptor = descendant["/FontDescriptor"].get_object()
        self.ascent = float(descriptor["/Ascent"])
        self.descent = float(descriptor["/Descent"])
        self.name = str(font["/BaseFont"])
        self._default = float(descendant.get("/DW", 1000))
        self._widths = _widths(descendant.get("/W", []))
        self._characters = _characters(font["/ToUnicode"].get_object().get_data())

    def width(self, glyph: int) -> float:
        return self._widths.get(glyph, self._default)

    def text(self, glyph: int) -> str:
        return self._characters.get(glyph, "")


def _widths(entries: Any) -> dict[int, float]:
    found: dict[int, float] = {}
    rest = list(entries)
    while rest:
        first, second = int(rest[0]), rest[1].get_object() if hasattr(rest[1], "get_object") else rest[1]
        if isinstance(second, list):
            found |= {first + index: float(width) for index, width in enumerate(second)}
            rest = rest[2:]
        else:
            found |= {glyph: float(rest[2]) for glyph in range(first, int(second) + 1)}
            rest = rest[3:]
    return found


def _characters(cmap: bytes) -> dict[int, str]:
    text = cmap.decode("latin-1")
    found = {}
    for block in re.findall(r"beginbfchar(.*?)endbfchar", text, re.DOTALL):
        for glyph, characters in re.findall(r"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>", block):
            found[int(glyph, 16)] = bytes.fromhex(characters).decode("utf-16-be")
    assert "beginbfrange" not in text
    return found


def _multiply(inner: Matrix, outer: Matrix) -> Matrix:
    a, b, c, d, e, f = inner
    g, h, i, j, k, m = outer
    return (a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m)


def _shown(page: pypdf.PageObject) -> Iterator[Word]:
    fonts = {name: _Font(font.get_object()) for name, font in page["/Resources"]["/Font"].items()}  # type: ignore[index]
    height = float(page.mediabox.height)
    state: list[Matrix] = []
    here, line = _IDENTITY, _IDENTITY
    font, size = next(iter(fonts.values())), 0.0
    content = page.get_contents()
    assert isinstance(content, ContentStream)
    for operands, operator in content.operations:
        match operator:
            case b"q":
                state.append(here)
            case b"Q":
                here = state.pop()
            case b"cm":
                here = _multiply(_matrix(operands), here)
            case b"BT":
                line = _IDENTITY
            case b"Tf":
                font, size = fonts[operands[0]], float(operands[1])
            case b"Tm":
                line = _matrix(operands)
            case b"Tj" | b"TJ":
                parts = operands[0] if operator == b"TJ" else [operands[0]]
                text, advance = _run(parts, font)
                yield _word(
                    text, advance * size / 1000, font=font, size=size, at=_multiply(line, here), height=height
                )
                line = _multiply((1, 0, 0, 1, advance * size / 1000, 0), line)
            case b"Do":
                drawn = page["/Resources"]["/XObject"][operands[0]]  # type: ignore[index]
                assert "/Font" not in drawn.get("/Resources", {}), "a picture has no words"
            case b"Td" | b"TD" | b"T*" | b"'" | b'"' | b"Tc" | b"Tw" | b"Tz" | b"Ts":
                raise AssertionError(f"operator {operator!r} is not known here")


def _matrix(operands: Any) -> Matrix:
    a, b, c, d, e, f = (float(each) for each in operands)
    return (a, b, c, d, e, f)


def _run(parts: Any, font: _Font) -> tuple[str, float]:
    text, advance = "", 0.0
    for part in parts:
        if isinstance(part, (int, float)):
            advance -= float(part)
            continue
        codes = part.original_bytes if hasattr(part, "original_bytes") else bytes(part)
        glyphs = [int.from_bytes(codes[at : at + 2], "big") for at in range(0, len(codes), 2)]
        text += "".join(font.text(glyph) for glyph in glyphs)
        advance += sum(font.width(glyph) for glyph in glyphs)
    return text, advance


def _word(text: str, advance: float, *, font: _Font, size: float, at: Matrix, height: float) -> Word:
    a, _, _, d, e, f = at
    # typst turns the page upside down and each text back again: what counts is where it ends up.
    baseline = height - f
    scale = abs(d)
    return Word(
        text=text,
        left=e * _MM,
        right=(e + advance * a) * _MM,
        top=(baseline - font.ascent / 1000 * size * scale) * _MM,
        bottom=(baseline - font.descent / 1000 * size * scale) * _MM,
        size_pt=size * scale,
    )

"""How an SMS is paid for: its alphabet and its segments, counted before anything is sent (3GPP TS 23.038, 23.040).

::

    alphabet   one message   each of several   counted in
    GSM-7      160           153               septets: 1, of the extension table 2
    UCS-2       70            67               UTF-16 units: 1, beyond the basic plane 2

One character outside GSM-7 makes the whole message UCS-2. Of the Spanish letters é, ñ, ü, ¿ and ¡ are in
it; á, í, ó and ú are not: `plain` writes them without accents, where that is wished. It sends nothing.
"""

import unicodedata
from typing import Final, Literal

from msgspec import Struct

__all__ = ["Encoding", "Segments", "plain", "segments"]

Encoding = Literal["gsm7", "ucs2"]

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = frozenset("\f^{}\\[~]|€")
_ROOM: Final[dict[Encoding, tuple[int, int]]] = {"gsm7": (160, 153), "ucs2": (70, 67)}
_BASIC_PLANE_END: Final = 0xFFFF
# What decomposes into nothing of GSM-7, and what a reader takes for the same.
_LOOKALIKES: Final = str.maketrans(
    {
        "\u00a0": " ",
        "\u202f": " ",
        "\u2009": " ",
        "\t": " ",
        "‘": "'",
        "’": "'",
        "‚": "'",
        "`": "'",
        "´": "'",
        "“": '"',
        "”": '"',
        "„": '"',
        "«": '"',
        "»": '"',
        "‐": "-",
        "‑": "-",
        "‒": "-",
        "–": "-",
        "—": "-",
        "−": "-",
        "…": "...",
        "•": "-",
        "·": "-",
        "×": "x",
        "º": "o",
        "ª": "a",
        "œ": "oe",
        "Œ": "OE",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "Đ": "D",
        "ı": "i",
        "\u200b": "",
    }
)


class Segments(Struct, frozen=True, kw_only=True):
    """What a text comes to as an SMS.

    ``count`` segments are paid for, ``units`` (septets or UTF-16 units) are used, ``left`` still fit
    into the last one. ``forcing`` are the characters that make it UCS-2, each once, in their order.
    """

    encoding: Encoding
    count: int
    units: int
    left: int
    forcing: str


def segments(text: str) -> Segments:
    """Count the segments of a text, composed as it is sent (NFC); an empty text is one.

    A character that takes two units is never cut in two: it moves to the next segment.
    """
    composed = unicodedata.normalize("NFC", text)
    forcing = "".join(dict.fromkeys(each for each in composed if not _is_gsm7(each)))
    encoding: Encoding = "ucs2" if forcing else "gsm7"
    sizes = [_size(each, encoding) for each in composed]
    alone, of_several = _ROOM[encoding]
    units = sum(sizes)
    if units <= alone:
        return Segments(encoding=encoding, count=1, units=units, left=alone - units, forcing=forcing)
    count, used = 1, 0
    for size in sizes:
        if used + size > of_several:
            count, used = count + 1, 0
        used += size
    return Segments(encoding=encoding, count=count, units=units, left=of_several - used, forcing=forcing)


def plain(text: str) -> str:
    """Write a text in GSM-7, accents and typography given up where they alone forced UCS-2.

    A text that cannot be written so, or would be longer by it, stays as it is, accents and all.
    """
    composed = unicodedata.normalize("NFC", text)
    written = "".join(each if _is_gsm7(each) else _plain(each) for each in composed)
    if not all(map(_is_gsm7, written)) or segments(written).count > segments(composed).count:
        return composed
    return written


def _plain(character: str) -> str:
    known = character.translate(_LOOKALIKES)
    if known != character:
        return known
    pieces = unicodedata.normalize("NFKD", character)
    return "".join(each for each in pieces if not unicodedata.combining(each)) or character


def _is_gsm7(character: str) -> bool:
    return character in _BASIC or character in _EXTENSION


def _size(character: str, encoding: Encoding) -> int:
    if encoding == "ucs2":
        return 2 if ord(character) > _BASIC_PLANE_END else 1
    return 2 if character in _EXTENSION else 1

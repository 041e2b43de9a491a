"""Pictures made of their parts: whole ones, and ones that are more than they look."""

import struct
import zlib

__all__ = ["chunk", "gif", "jpeg", "png"]


def png(
    width: int = 40,
    height: int = 12,
    *,
    said: tuple[int, int] | None = None,
    beside: bytes = b"",
    colour: int = 2,
    is_interlaced: bool = False,
    data: bytes | None = None,
) -> bytes:
    """Make a PNG of one colour; ``said`` is the size of its head where that is another, ``beside`` more chunks."""
    head = struct.pack(">IIBBBBB", *(said or (width, height)), 8, colour, 0, 0, int(is_interlaced))
    pixel = {0: b"\x50", 2: bytes((30, 90, 140)), 3: b"\0"}[colour]
    rows = zlib.compress((b"\0" + pixel * width) * height if data is None else data, 9)
    parts = (chunk(b"IHDR", head), beside, chunk(b"IDAT", rows), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def chunk(name: bytes, data: bytes) -> bytes:
    """Make a part of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def jpeg(width: int = 40, height: int = 12, *, scans: int = 1, frame: int = 0xC0, frames: int = 1) -> bytes:
    """Make what a JPEG looks like from outside: its segments, with nothing drawable between."""

    def segment(marker: int, data: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data

    size = segment(frame, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0")
    scan = segment(0xDA, b"\1\1\0\0\x3f\0") + b"\x12\xff\x00\x34\xff\xd0\x56"
    return b"\xff\xd8" + segment(0xE0, b"JFIF\0") + size * frames + scan * scans + b"\xff\xd9"


def gif(width: int = 40, height: int = 12, *, frames: int = 1, frame: tuple[int, int] | None = None) -> bytes:
    """Make a GIF; ``frame`` is the size of what it shows where that is another."""
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    note = b"\x21\xfe\x03abc\x00"
    shown = b"\x2c" + struct.pack("<HHHHB", 0, 0, *(frame or (width, height)), 0) + b"\x02\x02\x44\x01\x00"
    return head + note + shown * frames + b"\x3b"

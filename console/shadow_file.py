"""Where a shadow stands, in one file that only grows: the whole, and after it what has changed since, part by part.

So writing it down costs what has happened, not what there is. Once the parts are as long as the whole, the whole is written
anew; the file appears at once. A part is its length and checksum (big-endian), and its content; one that was not written to
its end is cut off.
"""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from infra.errors import OperatorError

__all__ = ["ShadowFile"]

_HEAD: Final = b"cobranza shadow 1\n"
_FRAME: Final = struct.Struct(">QI")
_PARTS_MIN: Final = 1 << 20  # bytes; a small whole is not worth writing for less


class ShadowFile:
    """A file of parts.

    Attributes:
        path: where it is.
        wants_whole: there is none yet, or its parts have become as long as the whole.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._whole_bytes = self._parts_bytes = 0
        self.wants_whole = True

    def read(self) -> Iterator[bytes]:
        """Give the whole and the parts after it; nothing, where there is no file.

        Raises:
            OperatorError: it is no such file.
        """
        if not self.path.is_file():
            return
        with self.path.open("r+b") as file:
            if file.read(len(_HEAD)) != _HEAD:
                raise OperatorError(f"{self.path} cannot be read; remove it to begin anew")
            end = file.tell()
            while (content := _part(file)) is not None:
                self._count(len(content))
                end = file.tell()
                yield content
            file.truncate(end)

    def begin(self, content: bytes) -> None:
        """Write the whole anew."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix(".partial")
        partial.write_bytes(_HEAD + _framed(content))
        partial.replace(self.path)
        self.wants_whole = True
        self._whole_bytes = self._parts_bytes = 0
        self._count(len(content))

    def add(self, content: bytes) -> None:
        """Write what has changed after what there is."""
        with self.path.open("ab") as file:
            file.write(_framed(content))
        self._count(len(content))

    def forget(self) -> None:
        """Take what there is for nothing: the next that is written is the whole."""
        self.wants_whole = True

    def _count(self, size: int) -> None:
        if self._whole_bytes:
            self._parts_bytes += size
        else:
            self._whole_bytes = size
        self.wants_whole = self._parts_bytes > max(self._whole_bytes, _PARTS_MIN)


def _framed(content: bytes) -> bytes:
    return _FRAME.pack(len(content), zlib.crc32(content)) + content


def _part(file: BinaryIO) -> bytes | None:
    """Read one part; None at the end, or where it was not written to its end."""
    head = file.read(_FRAME.size)
    if len(head) < _FRAME.size:
        return None
    size, checksum = _FRAME.unpack(head)
    content = file.read(size)
    return content if len(content) == size and zlib.crc32(content) == checksum else None

"""A process of its own that reads somebody else's PDFs and can do nothing else: a file on standard input, its extent on standard output.

It is run as a file and binds itself before it reads a byte: a PDF that was made to hurt ends this process, and not the one
that asked (`notifiers.paper.apart`). It reads one after the other, since to start takes as long as ten of them.
What it has read it has also put behind another and written, as a service's letters and the one file of a run
do later: what that takes is known before. Nothing of the project is imported here.

Each question is eight bytes of length and the file; each answer a line of JSON: pages, width, height (points), or ``refused``;
and ``of``, the SHA-256 of the file that was read, so that no answer is taken for that of another question.
"""

import hashlib
import io
import json
import logging
import math
import os
import resource
import sys
from typing import BinaryIO, Final

import pypdf

__all__ = ["LENGTH_BYTES", "PAGES_MAX", "answer_to", "main"]

LENGTH_BYTES: Final = 8
PAGES_MAX: Final = 200  # more is no enclosure of a letter, and no machine folds it
_MEMORY: Final = 512 * 1024 * 1024
_DIED: Final = 3
_SAID_MAX: Final = 200


def answer_to(content: bytes) -> dict[str, float | str]:
    """Read a PDF, and write it behind another one.

    Raises:
        MemoryError: it takes too much.
    """
    try:
        reader = pypdf.PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            return {"refused": "it is locked: nobody can read it without its password"}
        pages = len(reader.pages)
        if not 0 < pages <= PAGES_MAX:
            return {"refused": f"it has {pages} pages, and a letter takes 1 to {PAGES_MAX} along"}
        box = reader.pages[0].mediabox
        read: dict[str, float | str] = {
            "pages": pages,
            "width": float(box.width),
            "height": float(box.height),
        }
        writer = pypdf.PdfWriter()
        writer.append(io.BytesIO(content), import_outline=False)
        writer.write(io.BytesIO())
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a broken file leads pypdf anywhere: what it raises has no common class
        return {"refused": f"{type(error).__name__}: {error}"[:_SAID_MAX]}
    return read


def main(processor_s: int) -> None:
    """Answer until nobody asks any more; ``processor_s`` is what each file may take."""
    logging.disable(logging.CRITICAL)  # pypdf tells of each oddity of a file
    _warm_up()
    _bind()
    while content := _next(sys.stdin.buffer):
        usage = resource.getrusage(resource.RUSAGE_SELF)
        soft = math.ceil(usage.ru_utime + usage.ru_stime) + processor_s
        resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))
        try:
            said = answer_to(content) | {"of": hashlib.sha256(content).hexdigest()}
        except MemoryError:
            os._exit(_DIED)  # what is left of this process can be trusted no more
        sys.stdout.buffer.write(json.dumps(said, allow_nan=False).encode() + b"\n")
        sys.stdout.buffer.flush()


def _next(asked: BinaryIO) -> bytes:
    length = int.from_bytes(asked.read(LENGTH_BYTES))
    return asked.read(length)


def _warm_up() -> None:
    """Have everything imported that a file may need, a locked one as well: afterwards no file can be opened."""
    writer = pypdf.PdfWriter()
    writer.add_blank_page(width=100, height=100)
    writer.encrypt("", algorithm="AES-256")
    file = io.BytesIO()
    writer.write(file)
    answer_to(file.getvalue())


def _bind() -> None:
    """Take away memory beyond what a document needs, and all files."""
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: 3,  # the three that are open
    }
    if sys.platform != "darwin":  # which knows this limit and refuses to be given it
        limits[resource.RLIMIT_AS] = _MEMORY
    for name, most in limits.items():
        resource.setrlimit(name, (most, most))


if __name__ == "__main__":
    main(int(sys.argv[1]))

"""Somebody else's PDFs read by another process, which is bounded in processor time and memory and has no files, settings or secrets.

A file that ends that process is refused, and the next one gets a new process. It refuses to read any of them here.
"""

import atexit
import hashlib
import select
import subprocess
import sys
import threading
from collections import OrderedDict
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from notifiers.paper import foreign

__all__ = ["ForeignPdfError", "ForeignReader", "ReadPdf", "foreign_reader"]

_PROCESSOR_S: Final = 2
# A last resort beside the limit of processor time: for a machine that has come to a stand.
_WAIT_S: Final = 60.0
_KEPT_MAX: Final = 256
_TOO_MUCH: Final = (
    "it cannot be read within what a document may take (seconds of a processor, half a gigabyte)"
)


class ForeignPdfError(Exception):
    """A PDF that is locked, empty, broken, too long, or takes too much; says which."""


class ReadPdf(Struct, frozen=True, kw_only=True):
    """What was read: the number of pages, and the first one's size in points."""

    pages: int
    width: float
    height: float


class _Answer(Struct, frozen=True, kw_only=True):
    of: str = ""
    refused: str = ""
    pages: int = 0
    width: float = 0.0
    height: float = 0.0


class ForeignReader:
    """Reads PDFs in a process that is kept as long as none of them hurts it. Thread-safe, one at a time.

    Args:
        processor_s: of a processor, what each file may take.
        wait_s: so long an answer is waited for.
    """

    def __init__(self, *, processor_s: int = _PROCESSOR_S, wait_s: float = _WAIT_S) -> None:
        self._processor_s = processor_s
        self._wait_s = wait_s
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._hurtful: OrderedDict[str, None] = OrderedDict()

    def read(self, pdf: bytes) -> ReadPdf:
        """Read a PDF.

        Raises:
            ForeignPdfError: it cannot be read, or not within its bounds.
            OSError: no process can be started.
        """
        with self._lock:
            answer = self._answered(pdf)
        if answer is None:
            raise ForeignPdfError(_TOO_MUCH)
        if answer.refused:
            raise ForeignPdfError(answer.refused)
        return ReadPdf(pages=answer.pages, width=answer.width, height=answer.height)

    def close(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.communicate()

    def _answered(self, pdf: bytes) -> _Answer | None:
        """Give the answer, None over what has ended a process: once, since each try to write the letter asks again."""
        digest = hashlib.sha256(pdf).hexdigest()
        if digest in self._hurtful:
            return None
        was_used = self._process is not None
        answer = self._asked(pdf, digest=digest)
        if (
            answer is None and was_used
        ):  # perhaps another one's remains were in the way: a new process decides
            answer = self._asked(pdf, digest=digest)
        if answer is None:
            self._hurtful[digest] = None
            if len(self._hurtful) > _KEPT_MAX:
                self._hurtful.popitem(last=False)
        return answer

    def _asked(self, pdf: bytes, *, digest: str) -> _Answer | None:
        """Give the answer, None when the process has ended over it, or did not answer just this: then it is gone."""
        process = self._process = self._process or self._started()
        if process.stdin is None or process.stdout is None:
            raise AssertionError("started with pipes")
        try:
            process.stdin.write(len(pdf).to_bytes(foreign.LENGTH_BYTES) + pdf)
            process.stdin.flush()
            waiting = select.poll()  # `select` knows no descriptor above 1023
            waiting.register(process.stdout, select.POLLIN)
            line = process.stdout.readline() if waiting.poll(self._wait_s * 1_000) else b""
            answer = msgspec.json.decode(line, type=_Answer) if line else None
        except (BrokenPipeError, msgspec.DecodeError):
            answer = None
        except BaseException:
            self.close()  # its answer would be taken for that of the next document
            raise
        if answer is None or answer.of != digest:
            self.close()
            return None
        return answer

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-I", str(Path(foreign.__file__)), str(self._processor_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
        )


@cache
def foreign_reader() -> ForeignReader:
    """Give the reader of this process; it ends with it."""
    reader = ForeignReader()
    atexit.register(reader.close)
    return reader

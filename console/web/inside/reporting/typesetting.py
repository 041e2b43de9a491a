"""Setting one document with typst. Run as a program, it reads the document's data and writes the PDF, and is gone.

What typst has set it remembers for a while: a process that serves others would keep hundreds of MB of
every long document.
"""

import subprocess
import sys
from importlib import resources
from typing import Final

import typst

__all__ = ["TypesettingError", "set_apart", "set_here"]

_PROGRAM: Final = "console.web.inside.reporting.typesetting"


class TypesettingError(Exception):
    """A document cannot be set; the text is typst's."""


def set_here(data: str, *, with_tags: bool) -> bytes:
    """Set a short document in this process.

    Raises:
        TypesettingError: it cannot be set.
    """
    layout = resources.files("console.web.inside.reporting").joinpath("report.typ").read_bytes()
    try:
        pdf = typst.compile(
            layout, format="pdf", sys_inputs={"report": data}, ignore_system_fonts=True, pdf_tags=with_tags
        )
    except typst.TypstError as error:
        raise TypesettingError(str(error)) from error
    if not isinstance(pdf, bytes):
        raise TypesettingError("typst gave no single PDF")
    return pdf


def set_apart(data: str) -> bytes:
    """Set a long document, without tags, in a process of its own.

    Raises:
        TypesettingError: it cannot be set.
    """
    done = subprocess.run(
        [sys.executable, "-m", _PROGRAM], check=False, input=data.encode(), capture_output=True
    )
    if done.returncode != 0:
        raise TypesettingError(done.stderr.decode(errors="replace")[-2_000:])
    return done.stdout


if __name__ == "__main__":
    sys.stdout.buffer.write(set_here(sys.stdin.buffer.read().decode(), with_tags=False))

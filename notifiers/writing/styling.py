"""A process of its own that puts styles inline and can do nothing else: a page on standard input, the page on standard output.

It is run as a file, with what it may take set by itself before it reads a byte: a page that was made to hurt ends
this process, and not the one that asked. Nothing of the project is imported here.
"""

import resource
import sys
from typing import Final

import css_inline

__all__ = ["PAGE_MAX", "REFUSED", "TOO_LARGE", "inliner"]

PAGE_MAX: Final = 1_000_000
TOO_LARGE: Final = 3
REFUSED: Final = 4
_PROCESSOR_S: Final = 2
_MEMORY: Final = 512 * 1024 * 1024
_SAID_MAX: Final = 500


def inliner() -> css_inline.CSSInliner:
    """Give what puts styles inline; it reads no file and fetches nothing."""
    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=False)


def main() -> int:
    """Put the styles of the page inline; the exit code says what hindered it."""
    inline = inliner()
    _bind()
    try:
        styled = inline.inline(sys.stdin.buffer.read().decode()).encode()
    except MemoryError:
        return TOO_LARGE
    except ValueError as error:
        sys.stdout.buffer.write(str(error).encode()[:_SAID_MAX])
        return REFUSED
    if len(styled) > PAGE_MAX:
        return TOO_LARGE
    sys.stdout.buffer.write(styled)
    return 0


def _bind() -> None:
    """Take away processor time and memory beyond what a page needs, and all files."""
    limits = {
        resource.RLIMIT_CPU: _PROCESSOR_S,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: 3,  # the three that are open
    }
    if sys.platform != "darwin":  # which knows this limit and refuses to be given it
        limits[resource.RLIMIT_AS] = _MEMORY
    for name, most in limits.items():
        resource.setrlimit(name, (most, most))


if __name__ == "__main__":
    sys.exit(main())

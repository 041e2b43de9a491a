"""What can be known of a process by its number: whether it lives, what it runs.

Read from /proc where there is one (small images have no ``ps``), else from ``ps``.
It signals nothing.
"""

import subprocess
from pathlib import Path
from typing import Final

__all__ = ("command_line", "lives")

_PROC: Final = Path("/proc")
_HAS_PROC: Final = (_PROC / "self" / "stat").exists()


def command_line(pid: int) -> str:
    """Return the command line of a process, "" when there is none or it has ended."""
    if not _HAS_PROC:
        return _ask_ps(pid, column="command")
    raw = _read(_PROC / str(pid) / "cmdline")
    return raw.replace(b"\0", b" ").decode(errors="replace").strip()


def lives(pid: int) -> bool:
    """Say whether a process has this number; one that ended but was not reaped does not live."""
    if not _HAS_PROC:
        state = _ask_ps(pid, column="stat")
        return bool(state) and not state.startswith("Z")
    # The state follows the name, which stands in brackets and may hold anything.
    _, _, rest = _read(_PROC / str(pid) / "stat").rpartition(b")")
    return bool(rest) and rest.split()[0] not in (b"Z", b"X")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _ask_ps(pid: int, *, column: str) -> str:
    asked = ["ps", "-ww", "-o", f"{column}=", "-p", str(pid)]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()

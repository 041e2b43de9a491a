"""The machine that a benchmark ran on: what one must know to compare figures with one's own."""

import datetime
import importlib.metadata
import os
import platform
import re
import subprocess
from pathlib import Path

from infra.kafka.jars import KAFKA_VERSION
from infra.kafka.java import find_java
from streams.ledger import FOLD_VERSION

__all__ = ["describe"]

_PACKAGES = ("faust-streaming", "aiokafka", "kafka-python", "msgspec", "rocksdict", "sqlalchemy")


def describe() -> dict[str, str]:
    """Say processor, memory, versions, commit, and how busy the machine was before."""
    return {
        "when": datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes"),
        "processor": _found(r"model name\s*: (.*)", Path("/proc/cpuinfo")) or platform.processor(),
        "cores": str(os.cpu_count()),
        "memory": _memory(),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}, {platform.machine()}",
        "load before": " ".join(f"{each:.2f}" for each in os.getloadavg()),
        "python": platform.python_version(),
        "java": _java(),
        "kafka": f"{KAFKA_VERSION}, one broker on the same cores, 1 GB heap",
        "packages": ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES),
        "fold version": str(FOLD_VERSION),
        "commit": _git("rev-parse", "--short", "HEAD") + ("+" if _git("status", "--porcelain") else ""),
    }


def _memory() -> str:
    kilobytes = _found(r"MemTotal:\s*(\d+) kB", Path("/proc/meminfo"))
    return f"{int(kilobytes) / 1_048_576:.0f} GiB" if kilobytes else "not known"


def _java() -> str:
    said = subprocess.run([find_java(), "-version"], capture_output=True, text=True, check=False)
    return (said.stderr + said.stdout).splitlines()[0]


def _found(pattern: str, file: Path) -> str:
    match = re.search(pattern, file.read_text()) if file.exists() else None
    return match.group(1).strip() if match else ""


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], capture_output=True, text=True, check=False)
    return done.stdout.strip()

"""``make bench``: events/s of intake and ledger stage, rows/s of the projector, on this machine."""

import os
import platform
import subprocess
import sys

_PARTS = ("benchmarks.stages", "benchmarks.projector")


def main() -> int:
    """Run each benchmark in a process of its own, one after the other; say where it ran."""
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}", flush=True)
    return max(subprocess.run([sys.executable, "-m", part], check=False).returncode for part in _PARTS)


if __name__ == "__main__":
    sys.exit(main())

"""One part of the bench again, alone: its figures take the place of the older ones in the newest results.

``python -m benchmarks.part console end_to_end`` measures these two in full size. The tables say which parts
were measured later than the comparison, when, and of which commit.
"""

import argparse
import datetime
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import json
from msgspec.structs import replace

from benchmarks import figures, report
from benchmarks.environment import describe
from benchmarks.figures import Figure

__all__ = ["main", "put"]

_RESULTS: Final = Path(__file__).parent / "results"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the parts that are named; return 1 when one of them failed, and write nothing of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.part", description=__doc__)
    parser.add_argument(
        "parts", nargs="+", help="modules of this folder that take --json, as console, mails, core"
    )
    failed = 0
    for part in parser.parse_args(arguments).parts:
        with tempfile.TemporaryDirectory(prefix="cobranza-bench-") as folder:
            measured = Path(folder) / "figures"
            command = [sys.executable, "-m", f"benchmarks.{part}", f"--json={measured}"]
            ended = subprocess.run(command, check=False).returncode
            if ended == 0:
                put(part, figures.load(measured))
            failed = max(failed, ended)
    return failed


def put(part: str, measured: list[Figure]) -> None:
    """Write the figures of a part into the newest results and the README's tables."""
    newest = max(_RESULTS.glob("*.json"))
    known = json.decode(newest.read_bytes(), type=report.Results)
    stems = set(map(_stem, measured))
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    machine = describe()
    report.write(
        replace(
            known,
            figures=[*(each for each in known.figures if _stem(each) not in stems), *measured],
            later={
                **known.later,
                part: f"{day}, commit {machine['commit']}, fold version {machine['fold version']}",
            },
        ),
        date=newest.stem,
    )


def _stem(figure: Figure) -> str:
    """Give what is measured, whatever the rate was at which it was."""
    return re.sub(r"[\d,.]+ events/s", "", figure.name)


if __name__ == "__main__":
    sys.exit(main())

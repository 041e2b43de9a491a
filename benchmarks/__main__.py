"""``make bench``: the ledger beside its peers, and every budget, measured on this machine.

The parts run one after the other, each in a process of its own. The last lines are
``ledger/PEER RATIO``. With ``--write`` the results go into this folder.
"""

import argparse
import datetime
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from msgspec import json

from benchmarks import figures, report
from benchmarks.environment import describe
from benchmarks.race import Standing

# Name, arguments of the quick size.
_PARTS = (
    ("replay", ["--events=50000"]),
    ("core", ["--accounts=100000"]),
    ("intake", ["--events=40000", "--runs=1"]),
    ("projector", ["--invoices=5000"]),
    ("large_account", ["--items=20000"]),
    ("sizes", ["--events=30000"]),
    ("on_disk", ["--accounts=100000"]),
    ("row_memory", ["--accounts=2000"]),
    ("mails", ["--mails=500"]),
    ("console", ["--accounts=500", "--items=20000", "--times=5"]),
    ("end_to_end", ["--burst=4000", "--seconds=5"]),
    ("takeover_one", ["--events=20000"]),
    ("million", ["--accounts=20000"]),
    ("steps", ["--events=25000"]),
    ("ideas", ["--transactions=50"]),
    ("played_day", ["--days=10"]),
    ("freshness", ["--mails=200", "--payments=40"]),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run everything; return 1 when a part failed, after all the others have run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, one run: for development")
    parser.add_argument("--write", action="store_true", help="write results/ and the README's tables")
    chosen = parser.parse_args(arguments)
    environment = describe()
    for name, value in environment.items():
        print(f"{name}: {value}", flush=True)
    with tempfile.TemporaryDirectory(prefix="cobranza-bench-") as folder:
        measured, standings = Path(folder) / "figures", Path(folder) / "standings"
        quick = ["--quick"] if chosen.quick else []
        failed = [_run("race", [*quick, f"--json={standings}", f"--figures={measured}"])]
        for part, small in _PARTS:
            failed.append(_run(part, [*(small if chosen.quick else []), f"--json={measured}"]))
        results = report.Results(
            environment=environment,
            quick=chosen.quick,
            standings=json.decode(standings.read_bytes(), type=list[Standing]) if standings.exists() else [],
            figures=figures.load(measured),
        )
    if chosen.write:
        report.write(results, date=datetime.datetime.now(datetime.UTC).date().isoformat())
    for standing in results.standings:
        if standing.left_out:
            print(f"{standing.name} left out: {standing.left_out}")
    print("\n".join(report.ratios(results.standings)))
    return max(failed)


def _run(part: str, arguments: list[str]) -> int:
    print(f"-- {part}", flush=True)
    return subprocess.run([sys.executable, "-m", f"benchmarks.{part}", *arguments], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

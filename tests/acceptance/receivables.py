"""Where the real receivables lie, what the reports must say of them, and how a user asks."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLAYED = "WA_Fn-UseC_-Accounts-Receivable.csv"
BUCKETS = ("not_due", "1_30", "31_60", "61_90", "90_plus")


class Figures(NamedTuple):
    """What ``aged`` and ``dso`` say of one day; buckets only where they are known."""

    as_of: str
    open: int
    receivables: str
    dso: str
    buckets: dict[str, tuple[int, str]] | None = None


def _buckets(not_due: tuple[int, str], late: tuple[int, str]) -> dict[str, tuple[int, str]]:
    none = (0, "0.00")
    return dict(zip(BUCKETS, (not_due, late, none, none, none), strict=True))


# Open: issued on or before the day and settled after it; due on the day itself is not due.
FIGURES = (
    Figures("2012-12-31", 99, "5725.06", "26.8407", _buckets((86, "4936.32"), (13, "788.74"))),
    Figures("2013-06-30", 84, "5119.85", "23.1508", _buckets((72, "4284.29"), (12, "835.56"))),
    Figures("2013-11-30", 79, "4788.88", "22.9895", _buckets((71, "4246.32"), (8, "542.56"))),
)
FIGURES_WITH_MISSING = (
    Figures("2012-12-31", 105, "6079.60", "26.9147"),
    Figures("2013-06-30", 86, "5223.91", "22.7800"),
    Figures("2013-11-30", 86, "5211.14", "23.3625"),
)


def receivables(name: str) -> Path:
    """Find one of the real lists, or skip and say why; on CI a missing list is a failure."""
    folder = Path(os.environ.get("COBRANZA_IBM_CSV", ROOT.parent / "shared" / "data" / "ibm"))
    path = folder / name if folder.is_dir() else folder
    if not path.is_file():
        reason = f"{path} is missing: set COBRANZA_IBM_CSV to the folder of the real receivables"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


def cobranza(data_dir: Path, *arguments: str, address: str | None = None, seconds: float = 600) -> str:
    """Run a command as a user does and give what it printed; a failure shows all of it."""
    where = ["--data-dir", str(data_dir), *(["--bootstrap-servers", address] if address else [])]
    done = subprocess.run(
        [sys.executable, "-m", "console", *where, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert 0 == done.returncode, f"cobranza {' '.join(arguments)}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def rows(data_dir: Path, *arguments: str) -> list[dict[str, Any]]:
    """Run a report and give its rows."""
    found: list[dict[str, Any]] = json.loads(cobranza(data_dir, *arguments, "--format", "json"))
    return found


def reported(data_dir: Path, expected: Figures) -> Figures:
    """Ask ``aged`` and ``dso`` for the day of ``expected``, as much as that one knows."""
    aged = rows(data_dir, "aged", "--as-of", expected.as_of, "--totals-only")
    dso = rows(data_dir, "dso", "--as-of", expected.as_of, "--days", "90")
    assert ["USD"] == [each["currency"] for each in aged] == [each["currency"] for each in dso]
    total = aged[0]
    buckets = {name: (total[f"{name}_count"], total[f"{name}_amount"]) for name in BUCKETS}
    return Figures(
        expected.as_of,
        total["open"],
        total["receivables"],
        dso[0]["dso"],
        buckets if expected.buckets is not None else None,
    )

"""R18: the hand-over file has what is still open, and nothing that was paid since."""

import csv
from pathlib import Path

from click.testing import CliRunner
from sqlalchemy import Engine

from console.cli.main import main
from tests.infra.database.played import play_into

_STORY = """# three items of which two are handed over, and one of these is paid
customer email ana@c1.test name "Panes del Sur"
plan default after-last escalate legal
    only   0 email pay-by 0
2026-01-02  invoice A 100.00 due 2026-02-02
2026-01-02  invoice B 40.00 due 2026-02-02
2026-02-02  tick
    expect reminder only A B by email
    expect finished A
    expect finished B
2026-02-02 10:00  tick
    expect handed-over A to legal
    expect handed-over B to legal
    expect task escalate/A
    expect task escalate/B
2026-02-03  payment P 40.00 for B
    expect task-closed escalate/B as needless
2026-02-04  payment Q 30.00 for A
2026-02-04  invoice C 10.00 due 2026-03-01
"""


def test_the_file_has_what_is_still_open(engine: Engine, database: str, tmp_path: Path) -> None:
    """As CSV, with what was open then and what is now; the filters leave out others."""
    play_into(engine, _STORY, folder=tmp_path)

    def lines(*options: str) -> list[tuple[str, ...]]:
        given = ["--data-dir", str(tmp_path), "hand-overs", "--format", "csv", *options]
        done = CliRunner().invoke(main, given, env={"COBRANZA_DATABASE_URL": database})
        names = ("customer", "item", "to", "on", "handed_over", "open")
        return [tuple(row[name] for name in names) for row in csv.DictReader(done.output.splitlines())]

    expected = [("Panes del Sur", "A", "legal", "2026-02-02", "100.00", "70.00")]
    assert expected == lines()
    assert expected == lines("--company", "acme", "--to", "legal", "--since", "2026-02-02")
    assert [] == lines("--to", "agency")
    assert [] == lines("--since", "2026-02-03")
    assert [] == lines("--company", "beta")

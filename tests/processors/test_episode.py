"""An episode of an account: from its first overdue item or sent level until neither is left."""

import datetime

import pytest

from schemas.rows import AccountRow
from tests.scenarios.language import read_script
from tests.scenarios.on_core import Stage, run

BEGIN = """# An episode.
plan default
    courtesy -3 task "Write"
    second +15 task "Call"
2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-01-02  invoice INV-2 10.00 due 2026-06-01
2026-01-30  tick
    expect reminder courtesy INV-1 by task
"""
SECOND = """2026-02-17  tick
    expect reminder second INV-1 by task
    expect finished INV-1
"""


@pytest.mark.parametrize(
    ("story", "opened", "closed"),
    [
        (BEGIN, "", ""),
        # Nothing made it look between; the day is that of the first overdue item all the same.
        (BEGIN + SECOND, "2026-02-03", ""),
        (BEGIN + "2026-02-10  payment P-1 100.00\n2026-02-11  tick\n", "", ""),
        (BEGIN + SECOND + "2026-02-20  payment P-1 50.00\n2026-02-21  tick\n", "2026-02-03", ""),
        (BEGIN + SECOND + "2026-02-20  payment P-1 100.00\n2026-02-21  tick\n", "", "2026-02-21"),
        (
            BEGIN
            + SECOND
            + "2026-02-20  payment P-1 100.00\n2026-02-21  tick\n2026-02-25  reverse P-1\n2026-02-25  tick\n",
            "2026-02-03",
            "",
        ),
    ],
    ids=["before", "opened", "paid before anyone looked", "part paid", "paid", "reopened"],
)
def test_episode_opens_and_closes(
    tmp_path_factory: pytest.TempPathFactory, story: str, opened: str, closed: str
) -> None:
    """SEMANTICS 1: opens with the first overdue item or consumed level, closes when neither is left (R14: and again)."""
    path = tmp_path_factory.mktemp("story") / "story.txt"
    path.write_text(story, encoding="utf-8")
    stage = Stage()
    run(read_script(path), stage=stage)
    row = stage.partition.account("acme:C1").row
    assert (opened, closed) == days(row)


def days(row: AccountRow) -> tuple[str, str]:
    """Write an episode's days."""

    def text(day: datetime.date | None) -> str:
        return "" if day is None else day.isoformat()

    return text(row.episode_opened_on), text(row.episode_closed_on)

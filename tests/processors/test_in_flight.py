"""A bank credit that nobody has matched stops the reminders on their way that it may be the payment of (R21, R32)."""

from pathlib import Path

import pytest

from processors.partition import Partition
from schemas.journal import TickPassed
from tests.scenarios.language import read_script
from tests.scenarios.on_core import Stage
from tests.scenarios.script import Happening, Ticks

STORY = """# R21: two reminders on their way.
company country CL
customer @C1 name "Ana y Cía. S.A." email ana@c1.test tax_id 76.123-K
customer @C2 name "Berta Ltda." email berta@c2.test tax_id 77.000-1
plan default
    first 0 email
2026-02-20  invoice INV-1 100.00 due 2026-03-02 @C1
2026-02-20  invoice INV-1B 40.00 due 2026-06-02 @C1
2026-02-20  invoice INV-2 100.00 due 2026-03-02 @C2
{before}
2026-03-02  tick
{after}
2026-03-02  {line}
"""


def _told(tmp_path: Path, line: str, *, before: str = "", after: str = "") -> tuple[Stage, Happening]:
    """Tell the story up to its last line; nobody answers for a delivery."""
    path = tmp_path / "story.txt"
    path.write_text(STORY.format(line=line, before=before, after=after), encoding="utf-8")
    *steps, last = read_script(path).steps
    stage = Stage()
    for step in steps:
        if isinstance(step, Happening):
            stage.fold(step.event)
        elif isinstance(step, Ticks):
            for at in step.ats:
                stage.fold(TickPassed(at=at, mode="played"))
    assert isinstance(last, Happening)
    return stage, last


def _versions(stage: Stage) -> dict[str, int]:
    return {name: stage.partition.account(f"acme:{name}").row.version for name in ("C1", "C2")}


def _overtaken(stage: Stage, last: Happening) -> list[str]:
    before = _versions(stage)
    stage.fold(last.event)
    return [name for name, version in _versions(stage).items() if version > before[name]]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("bank-line L-1 77.70 tax-id 76123k", ["C1"]),
        ('bank-line L-1 50.00 text "PAGO INV-1B GRACIAS"', ["C1"]),
        ('bank-line L-1 100.00 payer "BERTA LTDA"', ["C2"]),
        ('bank-line L-1 99.00 payer "BERTA LTDA"', []),
        ("bank-line L-1 100.00", []),
        ("bank-line L-1 77.70 tax-id 76123k dated 2026-02-16", []),
    ],
)
def test_whose_reminder_a_credit_stops(tmp_path: Path, line: str, expected: list[str]) -> None:
    """R21: by tax id, document, or name with amount; never by amount alone, nor after its five business days."""
    stage, last = _told(tmp_path, line)
    assert expected == _overtaken(stage, last)


def test_a_worker_that_has_just_started_stops_the_same(tmp_path: Path) -> None:
    """Rows alone are the state: who has a reminder on its way is read from them."""
    stage, last = _told(tmp_path, "bank-line L-1 77.70 tax-id 76123k")
    rows = list(stage.partition.rows().items())
    stage.partition = Partition(number=0)
    stage.partition.restore(rows)
    assert ["C1"] == _overtaken(stage, last)


def test_what_was_decided_since_the_first_credit_is_known(tmp_path: Path) -> None:
    """R21: the accounts on their way are asked for once, and kept: those decided later are among them, once."""
    stage, last = _told(
        tmp_path,
        "bank-line L-2 77.70 tax-id 76123k",
        before="2026-02-27  bank-line L-0 12.00",
        after="2026-03-02  outcome email accepted @C2",
    )
    assert ["C1"] == _overtaken(stage, last)
    assert [] == _overtaken(stage, last)  # told twice


def test_what_a_person_has_sent_now_goes(tmp_path: Path) -> None:
    """R5: who sends now has overridden the bank."""
    stage, last = _told(
        tmp_path,
        "bank-line L-1 77.70 tax-id 76123k",
        before='2026-03-02  send-now because "spoke to the bank" @C1',
    )
    assert [] == _overtaken(stage, last)


def test_other_companies_do_not_notice(tmp_path: Path) -> None:
    """R24: a company's bank line is its own."""
    stage, last = _told(tmp_path, "bank-line L-1 77.70 tax-id 76123k @beta:C1")
    assert [] == _overtaken(stage, last)

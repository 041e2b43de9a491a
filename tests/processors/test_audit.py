"""The audit finds what it is for: a due step that is neither sent nor explained, and one that is sent twice."""

import datetime
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from processors.audit import Audit, AuditReport, audit_journal
from processors.partition import Partition
from schemas.facts import LedgerFact, Movement, PlanFinished, ReminderDecided, ReminderEnded, ReminderWithheld
from schemas.journal import TickPassed, decode_entry
from tests.scenarios.language import read_script
from tests.scenarios.on_core import Record, Stage, run

Tamper = Callable[[LedgerFact], list[LedgerFact]]
SCENARIOS = Path(__file__).resolve().parents[1] / "scenarios"


@pytest.fixture(scope="module")
def records() -> list[Record]:
    """Give the journal of a story that has gaps, courtesies and three items."""
    stage = Stage()
    run(read_script(SCENARIOS / "r05_gap.txt"), stage=stage)
    return stage.records


def audited(records: list[Record], *, tamper: Tamper) -> AuditReport:
    """Audit a journal whose facts are tampered with on their way to the audit."""
    report = AuditReport()
    partition = Partition(number=0)
    audit = Audit(partition, report=report)
    for record in records:
        step = partition.step([record], cursor="")
        partition.commit()
        audit.see([each for fact in step.facts for each in tamper(fact)])
        event = decode_entry(record.value).event
        if isinstance(event, TickPassed):
            audit.tick(event)
    return audit.close()


def test_what_was_said_as_it_was_said_is_sound(records: list[Record]) -> None:
    """R31: the story as it is has no breach, and the figures are those of the story."""
    report = audit_journal({0: records})
    assert [] == report.problems
    assert (3, 3, 5) == (report.items, report.reminders, report.consumed)


def test_step_without_a_word_is_found(records: list[Record]) -> None:
    """Never neither: a withheld fact that is missing leaves its step unexplained from that day on."""
    report = audited(records, tamper=lambda fact: [] if isinstance(fact, ReminderWithheld) else [fact])
    assert (
        "INV-2 courtesy is due since 2026-01-31, and by 2026-01-31 it is in no reminder" in report.problems[0]
    )


def test_reminder_that_was_not_decided_is_found(records: list[Record]) -> None:
    """Never neither: without its reminder a step is unexplained, and an outcome has nothing to end."""
    report = audited(records, tamper=lambda fact: [] if isinstance(fact, ReminderDecided) else [fact])
    assert any("INV-1 courtesy is due since 2026-01-30" in problem for problem in report.problems)
    assert any("ended and was never decided" in problem for problem in report.problems)


def test_step_that_is_consumed_twice_is_found(records: list[Record]) -> None:
    """Never twice."""
    report = audited(records, tamper=lambda fact: [fact, fact] if isinstance(fact, ReminderEnded) else [fact])
    assert any("is not its next step" in problem for problem in report.problems)


def test_second_reminder_beside_an_open_one_is_found(records: list[Record]) -> None:
    """R19: one reminder at a time."""
    report = audited(records, tamper=lambda fact: [] if isinstance(fact, ReminderEnded) else [fact])
    assert any("was decided while" in problem for problem in report.problems)


def test_item_that_is_named_with_another_amount_is_found(records: list[Record]) -> None:
    """What a reminder says is open is what the movements add up to."""

    def tamper(fact: LedgerFact) -> list[LedgerFact]:
        if isinstance(fact, Movement) and fact.item == "INV-2":
            return [msgspec.structs.replace(fact, amount_minor=fact.amount_minor - 1)]
        return [fact]

    report = audited(records, tamper=tamper)
    assert any("names 6000, open is 5999" in problem for problem in report.problems)


def test_item_settled_before_its_reminder_is_listed(records: list[Record]) -> None:
    """A play has no facts that come late: there, this list must be empty, too."""
    assert [] == audit_journal({0: records}).known_late

    def tamper(fact: LedgerFact) -> list[LedgerFact]:
        if isinstance(fact, ReminderEnded):
            day = datetime.date(2026, 1, 29)
            paid = Movement(
                id="late", account=fact.account, currency="USD", kind="applied", amount_minor=-10000,
                business_date=day, cause="late", item="INV-1",
            )  # fmt: skip
            return [fact, paid] if fact.on.month == 1 else [fact]
        return [fact]

    late = audited(records, tamper=tamper).known_late
    assert ["2026-01-29"] == [each.rpartition(" ")[2] for each in late]


def test_plan_that_is_finished_twice_is_found() -> None:
    """R18: once."""
    stage = Stage()
    run(read_script(SCENARIOS / "r01_sample_plan.txt"), stage=stage)
    report = audited(
        stage.records, tamper=lambda fact: [fact, fact] if isinstance(fact, PlanFinished) else [fact]
    )
    assert ["acme:C1: INV-1 finished plan default for the second time"] == report.problems

"""What is foreseen is what happens, if nothing comes in."""

import datetime
from pathlib import Path

import pytest

from processors.alone import Alone, accept
from processors.calendar import epoch_s
from processors.forecast import forecast
from processors.partition import Partition
from schemas.facts import LedgerFact, PlanFinished, ReminderDecided, ReminderWithheld
from schemas.journal import TickPassed
from schemas.rows import decode_key
from tests.scenarios.language import read_script
from tests.scenarios.on_core import Stage, run

_SCENARIOS = sorted((Path(__file__).parent.parent / "scenarios").glob("*.txt"))
_DAY = datetime.timedelta(days=1)
_AHEAD = datetime.timedelta(days=45)
_STORY = """# three invoices of one customer
customer email ana@c1.test address "Calle 1, Santiago"
plan default
    courtesy  -3 email
    first      0 email, letter
    second   +15 email
2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-01-02  invoice INV-2 60.00 due 2026-02-03
2026-01-03  tick
"""


def _told(story: str, *, folder: Path) -> Stage:
    path = folder / "story.txt"
    path.write_text(story, encoding="utf-8")
    stage = Stage()
    run(read_script(path), stage=stage)
    return stage


def _accounts(partition: Partition) -> list[str]:
    return [decode_key(key).owner for key in partition.rows() if decode_key(key).kind == "account"]


def _now(partition: Partition) -> datetime.datetime | None:
    return None if partition.clock is None else partition.clock.at


def _shown(on: datetime.date, fact: LedgerFact) -> tuple[object, ...] | None:
    match fact:
        case ReminderDecided():
            channels = tuple(each.channel for each in fact.deliveries)
            return (on.isoformat(), fact.step, tuple(each.item for each in fact.items), channels)
        case PlanFinished():
            return (on.isoformat(), "finished", fact.item)
        case ReminderWithheld():
            return (on.isoformat(), "withheld", tuple((each.item, each.reason) for each in fact.items))
    return None


def test_three_steps_of_two_invoices(tmp_path: Path) -> None:
    """U-9: the dates, steps, items and channels that are to come; what comes due inside the gap shares a message (R5)."""
    stage = _told(_STORY, folder=tmp_path)
    now = _now(stage.partition)
    assert now is not None
    foreseen = forecast(
        "acme:C1", rows=stage.partition.rows().items(), after=now, until=datetime.date(2026, 6, 1)
    )
    reminders = [each for each in foreseen if isinstance(each.fact, ReminderDecided)]
    assert [
        ("2026-01-30", "courtesy", ("INV-1",), ("email",)),
        ("2026-02-02", "first", ("INV-1", "INV-2"), ("email", "letter")),
        ("2026-02-05", "first", ("INV-2",), ("email", "letter")),
        ("2026-02-17", "second", ("INV-1",), ("email",)),
        ("2026-02-20", "second", ("INV-2",), ("email",)),
    ] == [_shown(each.on, each.fact) for each in reminders]
    assert {8} == {each.at.hour for each in reminders}  # the company's decision hour


def test_what_is_far_away_is_left_out(tmp_path: Path) -> None:
    """The last day counts, the one after does not."""
    stage = _told(_STORY, folder=tmp_path)
    now = _now(stage.partition)
    assert now is not None
    rows = stage.partition.rows()
    assert [] == forecast("acme:C1", rows=rows.items(), after=now, until=datetime.date(2026, 1, 29))
    assert [] != forecast("acme:C1", rows=rows.items(), after=now, until=datetime.date(2026, 1, 30))
    assert rows == stage.partition.rows()  # a forecast changes nothing


def test_of_nobody_nothing_is_foreseen(tmp_path: Path) -> None:
    """An account that the rows do not have has no future."""
    stage = _told(_STORY, folder=tmp_path)
    now = _now(stage.partition)
    assert now is not None
    assert [] == forecast(
        "acme:C9", rows=stage.partition.rows().items(), after=now, until=datetime.date(2026, 6, 1)
    )


@pytest.mark.parametrize("path", _SCENARIOS, ids=lambda path: path.stem)
def test_no_wake_is_missed(path: Path) -> None:
    """R4: looked at only when it wakes, an account is decided on as if it were looked at all day long."""
    stage = Stage()
    run(read_script(path), stage=stage)
    now = _now(stage.partition)
    if now is None:
        return
    accounts = _accounts(stage.partition)
    rows = stage.partition.rows()
    until = now.date() + _AHEAD
    looked = Alone(rows=rows.items())
    expected: dict[str, list[object]] = {account: [] for account in accounts}
    at = now.replace(minute=0, second=0)
    while (at := at + _DAY / 12).date() <= until + _DAY:
        facts = looked.take(TickPassed(at=at, mode="played"), at=at)
        for fact in [*facts, *looked.answer(facts, by=accept)]:
            on = looked.partition.company(fact.account.partition(":")[0]).day_of(at)
            if on <= until and (shown := _shown(on, fact)) is not None:
                expected[fact.account].append(shown)
    for account in accounts:
        foreseen = forecast(account, rows=rows.items(), after=now, until=until)
        assert all(epoch_s(each.at) > epoch_s(now) for each in foreseen)
        found = [shown for each in foreseen if (shown := _shown(each.on, each.fact)) is not None]
        assert expected[account] == found

"""What is foreseen is what happens, if nothing comes in."""

import datetime
from pathlib import Path

import pytest

from processors.alone import Alone, accept
from processors.calendar import epoch_s
from processors.forecast import forecast, next_arrival
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


def _arrived(looked: Alone, accounts: list[str], *, by: datetime.datetime) -> list[LedgerFact]:
    """Let arrive what is on its way and may go out by now."""
    facts: list[LedgerFact] = []
    for account in accounts:
        for _ in range(10):
            arrival = next_arrival(looked, account=account, after_s=epoch_s(by - _DAY / 12))
            if arrival is None or arrival[0] > by:
                break
            facts += looked.take(arrival[1], at=arrival[0])
    return facts


_ON_ITS_WAY = """# a letter that the law lets go a week after its mail
company zone UTC min-days 0
law strict
customer email ana@c1.test address "Calle 1, Santiago"
plan default
    first    0 email, letter pay-by 0
    second +20 email pay-by 0
    third  +40 email
2026-03-02  invoice INV-1 100.00 due 2026-03-03
2026-03-03  tick
    expect reminder first INV-1 by email, letter
"""


def _reminders(stage: Stage, *, until: datetime.date) -> list[tuple[object, ...] | None]:
    now, rows = _now(stage.partition), stage.partition.rows()
    assert now is not None
    foreseen = forecast("acme:C1", rows=rows.items(), after=now, until=until)
    return [_shown(each.on, each.fact) for each in foreseen if isinstance(each.fact, ReminderDecided)]


def test_what_comes_behind_a_reminder_on_its_way(tmp_path: Path) -> None:
    """S4-20, U-9: the account's next reminder waits for a letter that goes next week, and is foreseen behind it."""
    stage = _told(_ON_ITS_WAY, folder=tmp_path)
    assert (
        "dispatched"
        in stage.partition.account("acme:C1").reminders[stage.latest["acme:C1"]].deliveries.values()
    )
    assert [
        ("2026-03-23", "second", ("INV-1",), ("email",)),
        ("2026-04-13", "third", ("INV-1",), ("email",)),
    ] == _reminders(stage, until=datetime.date(2026, 6, 1))


def test_what_the_account_has_overtaken_is_decided_anew(tmp_path: Path) -> None:
    """R32: nobody has taken the mail, and half is paid meanwhile: it is superseded, and the rest is written for."""
    story = _ON_ITS_WAY.replace("2026-03-03  tick", "notifier email waits\n2026-03-03  tick")
    story += "2026-03-03 12:00  payment P-1 40.00 for INV-1\n"
    stage = _told(story, folder=tmp_path)
    found = _reminders(stage, until=datetime.date(2026, 3, 31))
    assert ("2026-03-03", "first", ("INV-1",), ("email", "letter")) == found[0]


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
        facts = _arrived(looked, accounts, by=at)
        facts += looked.take(TickPassed(at=at, mode="played"), at=at)
        for fact in [*facts, *looked.answer(facts, by=accept)]:
            on = looked.partition.company(fact.account.partition(":")[0]).day_of(at)
            if on <= until and (shown := _shown(on, fact)) is not None:
                expected[fact.account].append(shown)
    for account in accounts:
        foreseen = forecast(account, rows=rows.items(), after=now, until=until)
        assert all(epoch_s(each.at) > epoch_s(now) for each in foreseen)
        found = [shown for each in foreseen if (shown := _shown(each.on, each.fact)) is not None]
        assert expected[account] == found

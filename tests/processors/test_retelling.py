"""A day told again from the log: each item has its word, also where nothing was said anew."""

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from processors.retelling import DayTold, retell
from schemas.facts import ReminderDecided, ReminderWithheld
from schemas.fields import account_id
from schemas.journal import BROADCAST_KEY, TickPassed, decode_entry
from tests.scenarios.language import read_script
from tests.scenarios.on_core import Stage, run

_SCENARIOS = sorted((Path(__file__).parent.parent / "scenarios").glob("*.txt"))
_DAY = datetime.timedelta(days=1)
_STORY = """# a customer who is on holiday, and one invoice that nobody may chase
customer email ana@c1.test
plan default
    first      0 email
    second   +10 email
2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-01-02  invoice INV-2 60.00 due 2026-02-03
2026-01-02  invoice INV-3 60.00 due 2026-12-31
2026-01-05  exclude INV-2 because "wrong goods"
2026-02-01  hold blocked until 2026-02-10 because "new contact person"
2026-02-02  tick
    expect withheld INV-1 first because blocked until 2026-02-10
2026-02-03  tick
    expect withheld INV-2 first because blocked until 2026-02-10
2026-02-04..2026-02-09  tick
2026-02-10  tick
    expect reminder first INV-1 by email
    expect withheld INV-2 first because excluded
2026-02-11  payment P-1 100.00 for INV-1 dated 2026-02-09
    expect was-wrong INV-1
    expect task correction
2026-02-12..2026-02-14  tick
"""


class _Keyed(NamedTuple):
    offset: int
    timestamp: int
    key: bytes
    value: bytes


def _journal(stage: Stage) -> list[_Keyed]:
    def key(value: bytes) -> bytes:
        event = decode_entry(value).event
        customer = getattr(event, "customer", None)
        return BROADCAST_KEY if customer is None else account_id(event.company, customer).encode()  # type: ignore[union-attr]

    return [_Keyed(each.offset, each.timestamp, key(each.value), each.value) for each in stage.records]


def story_journal(story: str, *, folder: Path) -> list[_Keyed]:
    """Play a story, and give the journal that it makes."""
    path = folder / "story.txt"
    path.write_text(story, encoding="utf-8")
    stage = Stage()
    run(read_script(path), stage=stage)
    return _journal(stage)


def _reasons(told: DayTold) -> dict[str, str]:
    return {name: item.word.reason for name, item in told.items.items() if item.word is not None}


def test_a_quiet_day_has_its_reasons(tmp_path: Path) -> None:
    """R31: on a day on which nothing was said anew, the reason that stands is told, with the fact that said it first."""
    records = story_journal(_STORY, folder=tmp_path)
    told = retell(records, account="acme:C1", day=datetime.date(2026, 2, 7))
    assert [] == told.decided
    assert {"INV-1": "blocked", "INV-2": "blocked"} == _reasons(told)
    word, said = told.items["INV-1"].word, told.items["INV-1"].said
    assert word is not None
    assert said is not None
    assert {"reason": "new contact person", "author": "controller", "placed_at": "2026-02-01"} == word.values
    assert said.at is not None
    assert "2026-02-02" == said.at.date().isoformat()
    due = told.items["INV-3"].next
    assert due is not None
    assert ("first", "2026-12-31") == (due.step.name, due.due_on.isoformat())


def test_a_day_of_a_reminder(tmp_path: Path) -> None:
    """Who was written to, who was not; and a payment that was dated before and came after."""
    records = story_journal(_STORY, folder=tmp_path)
    told = retell(records, account="acme:C1", day=datetime.date(2026, 2, 10))
    reminder = told.items["INV-1"].reminder
    assert reminder is not None
    assert ("first", True) == (reminder.step, any(each.fact is reminder for each in told.decided))
    assert {"INV-2": "excluded"} == _reasons(told)
    assert ["PaymentReceived"] == [type(each.event).__name__ for each in told.late]
    assert ["issued"] == [each.kind for each in told.items["INV-1"].movements]
    assert "INV-1" == getattr(told.heard[told.items["INV-1"].movements[0].cause].event, "document", "")


def test_a_day_without_a_tick_and_one_before_the_first(tmp_path: Path) -> None:
    """The ledger looked on the day before, and that is said; before its first tick it had not begun."""
    records = story_journal(_STORY, folder=tmp_path)
    told = retell(records, account="acme:C1", day=datetime.date(2026, 2, 11))
    assert (False, "2026-02-10") == (told.has_tick, told.tick and told.tick.at.date().isoformat())
    assert retell(records, account="acme:C1", day=datetime.date(2026, 1, 31)).tick is None
    newest = retell(records, account="acme:C1", day=None)
    assert ("2026-02-14", "settled") == (newest.day.isoformat(), newest.items["INV-1"].row.status)
    assert {} == retell(records, account="acme:C9", day=None).items


def _days(stage: Stage) -> Iterator[datetime.date]:
    ticks = [each.at.date() for each in stage.told if isinstance(each, TickPassed)]
    day = min(ticks)
    while day <= max(ticks):
        yield day
        day += _DAY


@pytest.mark.parametrize("path", _SCENARIOS, ids=lambda path: path.stem)
def test_what_is_told_is_what_the_log_said(path: Path) -> None:
    """R31: on every day of every story, each word is one that the log has said and that stands; none is missing."""
    stage = Stage()
    run(read_script(path), stage=stage)
    if not any(isinstance(each, TickPassed) for each in stage.told):
        return
    records = _journal(stage)
    accounts = {each.key.decode() for each in records} - {BROADCAST_KEY.decode()}
    days = list(_days(stage))
    for day in days if len(days) < 20 else days[:: len(days) // 20]:
        for account in accounts:
            told = retell(records, account=account, day=day)
            for name, item in told.items.items():
                if item.word is not None:
                    assert item.said is not None, f"{day} {account} {name}: {item.word.reason} was never said"
            said = [each.fact for each in told.decided if told.tick and each.at == told.tick.at]
            sent = {each.item for fact in said if isinstance(fact, ReminderDecided) for each in fact.items}
            new = {
                each.item: each for fact in said if isinstance(fact, ReminderWithheld) for each in fact.items
            }
            left = new.keys() - sent
            assert {name: new[name] for name in left} == {name: told.items[name].word for name in left}
            for fact in said:
                if isinstance(fact, ReminderDecided):
                    assert all(told.items[each.item].reminder == fact for each in fact.items)

"""Tasks of an account: opened once, over by a person's word or by their time (R28)."""

import datetime

from processors.account import Account
from processors.alarms import ring
from processors.company import Company
from processors.context import FoldContext
from processors.fold import fold
from processors.row_store import KeptRow
from processors.tasks import open_task
from schemas.commands import CompleteTask
from schemas.facts import TaskClosed, TaskOpened
from schemas.rows import TaskRow, decode_row

DAY = datetime.date(2026, 3, 2)
COMPANY = Company("acme")


def context(day: datetime.date) -> FoldContext:
    """A tick at noon of a day."""
    at = datetime.datetime.combine(day, datetime.time(12), tzinfo=datetime.UTC)
    return FoldContext(COMPANY, "tick", day, at)


def call(account: Account, *, timeout_on: datetime.date | None = None) -> list[object]:
    """Ask for a call about INV-1."""
    return [
        *open_task(
            account, task="call/INV-1", task_type="call", on=DAY, items=["INV-1"], timeout_on=timeout_on
        )
    ]


def test_a_task_is_asked_for_once() -> None:
    """R26: the same reason found again says nothing new."""
    account = Account("acme:C1")
    assert [TaskOpened] == [type(each) for each in call(account)]
    assert [] == call(account)


def test_a_person_says_what_came_of_it_and_a_second_word_changes_nothing() -> None:
    """R28: done, with its author and text; the second command speaks of nothing open."""
    account = Account("acme:C1")
    call(account)
    done = CompleteTask(
        company="acme", customer="C1", occurred_at="2026-03-02", command="c1", task="call/INV-1",
        text="will pay on Friday", author="ana",
    )  # fmt: skip
    facts = fold(account, done, cause="e1", company=COMPANY)
    assert [("done", "ana", "will pay on Friday")] == [
        (each.outcome, each.author, each.text) for each in facts if isinstance(each, TaskClosed)
    ]
    again = CompleteTask(
        company="acme", customer="C1", occurred_at="2026-03-02", command="c2", task="call/INV-1"
    )
    assert [] == fold(account, again, cause="e2", company=COMPANY)


def test_a_task_ends_by_itself_on_its_day_and_not_before() -> None:
    """R28: time-out; also after the account was built again from its rows."""
    account = Account("acme:C1")
    call(account, timeout_on=DAY + datetime.timedelta(days=3))
    written: list[KeptRow] = []
    account.encode_changes(written)
    rows = [decode_row(value) for _, value in written if value is not None]
    again = Account.restore("acme:C1", rows=rows)
    assert any(isinstance(row, TaskRow) for row in rows)
    assert [] == ring(again, context=context(DAY + datetime.timedelta(days=2)))
    facts = ring(again, context=context(DAY + datetime.timedelta(days=5)))
    assert ["timed_out"] == [each.outcome for each in facts if isinstance(each, TaskClosed)]
    assert again.alarms.first() is None
    assert again.tasks == {}

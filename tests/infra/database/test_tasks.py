"""R28: one list of what people have to do, whoever asked for it; what is over is not on it."""

import datetime
from pathlib import Path

from msgspec import structs
from sqlalchemy import Engine, select

from infra.database.engine import reading, writing
from infra.database.queries.tasks import TaskLine, task_lines
from infra.database.tables import reminders
from infra.database.task_list import NewTask, add_tasks
from infra.projection.batch import Batch
from infra.projection.facts import project_fact
from schemas.codec import encode
from schemas.commands import CompleteTask
from schemas.facts import TaskClosed
from tests.infra.database.played import play_into

_PLAN = """plan default
    first   0 email, task "Check the delivery note" pay-by 0
    call   +5 task "Call them" blocking
    last  +30 email
"""
_STORY = (
    "# two who owe\ncustomer email ana@c1.test\n@C2 customer email eva@c2.test\n"
    + _PLAN
    + "2026-01-02  invoice A 100.00 due 2026-02-02\n2026-01-02  @C2 invoice B 50.00 due 2026-02-02\n"
    + "2026-02-02  tick\n    expect reminder first A by email, task\n    expect @C2 reminder first B by email, task\n"
)


def _lines(engine: Engine) -> list[TaskLine]:
    with reading(engine) as connection:
        return task_lines(connection, lines_max=10)


def _list_carried(engine: Engine) -> dict[str, str]:
    """Do as the notifier does: list the tasks of all reminders; give the reminder by account."""
    with reading(engine) as connection:
        found = {row.account: row.reminder for row in connection.execute(select(reminders))}
    for account, reminder in found.items():
        add_tasks(
            engine,
            new=[
                NewTask(
                    reminder=reminder,
                    position=0,
                    account=account,
                    company="acme",
                    customer=account.partition(":")[2],
                    step="first",
                    task_type="task",
                    summary="Check the delivery note",
                    responsible="",
                    due_on=datetime.date(2026, 2, 2),
                )
            ],
        )
    return found


def test_tasks_of_reminders_and_of_plans_are_one_list(engine: Engine, tmp_path: Path) -> None:
    """A call that the ladder waits for stands beside what a reminder carried, the longest due first."""
    more = (
        "2026-02-07  tick\n    expect withheld A call because awaiting_task\n    expect task step/default/1/1\n"
        "    expect @C2 withheld B call because awaiting_task\n    expect @C2 task step/default/1/1\n"
    )
    play_into(engine, _STORY + more, folder=tmp_path)
    found = _list_carried(engine)
    expected = [
        ("acme:C1", f"reminder/{found['acme:C1']}/0", "Check the delivery note", False),
        ("acme:C2", f"reminder/{found['acme:C2']}/0", "Check the delivery note", False),
        ("acme:C1", "step/default/1/1", "Call them", True),
        ("acme:C2", "step/default/1/1", "Call them", True),
    ]
    assert expected == [(each.account, each.task, each.summary, each.blocking) for each in _lines(engine)]
    assert ("A",) == _lines(engine)[2].items


def test_what_is_done_paid_or_settled_is_not_on_the_list(engine: Engine, tmp_path: Path) -> None:
    """A reminder's task is over when somebody says so, or when nothing that it asked for is open."""
    stage = play_into(engine, _STORY + "2026-02-03  @C2 payment P 50.00 for B\n", folder=tmp_path)
    name = f"reminder/{_list_carried(engine)['acme:C1']}/0"
    assert [name] == [each.task for each in _lines(engine)]
    done = CompleteTask(
        company="acme", customer="C1", occurred_at="2026-02-03", command="done", task=name, text="sent again"
    )
    facts = stage.take(done)
    assert [("done", "sent again")] == [
        (each.outcome, each.text) for each in facts if isinstance(each, TaskClosed)
    ]
    assert [] == stage.take(structs.replace(done, command="again"))
    batch = Batch()
    project_fact(
        batch,
        value=encode(facts[0]),
        offset=99,
        recorded_at=datetime.datetime(2026, 2, 3, tzinfo=datetime.UTC),
    )
    with writing(engine) as connection:
        batch.apply(connection)
    assert [] == _lines(engine)

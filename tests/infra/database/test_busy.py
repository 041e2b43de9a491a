"""A SQLite database whose writer's place another one has for longer than the time-out: a notifier goes on once it is free."""

import sqlite3
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, ExceptionContext, event, text
from sqlalchemy.exc import IntegrityError, OperationalError

import infra.database.engine
from infra.database.engine import again_if_undone, open_engine, writing
from infra.database.feedback import FeedbackInbox, Settled
from infra.database.rates import Bucket
from infra.database.send_ledger import SendLedger
from infra.database.send_values import Claim
from infra.database.task_list import NewTask, add_tasks, has_tasks
from tests.notifiers.sending import TICK

_TIMEOUT_MS = 20


def _claim(engine: Engine) -> None:
    ledger = SendLedger(engine, channel="sms", owner="me", reader_age_s_max=60.0)
    ledger.claim([Claim(reminder="r1", occurred_at="then")], now=TICK)


def _take(engine: Engine) -> None:
    assert 1 == Bucket(name="sms", per_s=1.0, burst=1).take(engine, wanted=1, now=TICK).granted


def _settle(engine: Engine) -> None:
    FeedbackInbox(engine).settle([Settled(word="w1", state="said")])


def _list_a_task(engine: Engine) -> None:
    words = {"step": "call", "task_type": "call", "summary": "Call them", "responsible": "ana"}
    whose = {"account": "acme:C1", "company": "acme", "customer": "C1"}
    add_tasks(engine, new=[NewTask(reminder="r1", position=0, due_on=TICK.date(), **whose, **words)])
    assert has_tasks(engine, reminder="r1")


@pytest.fixture
def engine(sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Give an engine that waits for another writer for a moment only."""
    monkeypatch.setattr(infra.database.engine, "_BUSY_TIMEOUT_MS", _TIMEOUT_MS)
    opened = open_engine(sqlite_engine.url.render_as_string(hide_password=False))
    yield opened
    opened.dispose()


@pytest.fixture
def other(engine: Engine) -> Iterator[sqlite3.Connection]:
    """Give another process's connection, which has the writer's place."""
    connection = sqlite3.connect(str(engine.url.database), isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    yield connection
    connection.close()


@pytest.mark.parametrize("work", [_claim, _take, _settle, _list_a_task])
def test_what_found_no_place_to_write_is_done_again(
    engine: Engine,
    other: sqlite3.Connection,
    work: Callable[[Engine], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A backup or a large import held the database for half a minute: it ended the notifier, with all its channels."""

    def given_back(_: ExceptionContext) -> None:
        other.execute("ROLLBACK")

    event.listen(engine, "handle_error", given_back, once=True)
    work(engine)
    assert "done again" in caplog.text


def test_a_place_that_is_never_given_back_is_the_callers_to_tell(
    engine: Engine, other: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    """Five times the time-out, each told; then the notifier ends, and says why."""
    assert other.in_transaction
    with pytest.raises(OperationalError, match="database is locked"):
        _take(engine)
    assert 4 == caplog.text.count("done again")


def test_what_the_database_refuses_is_not_done_again(engine: Engine) -> None:
    """The same again would be refused again."""
    tries = []

    @again_if_undone
    def write() -> None:
        tries.append(1)
        with writing(engine) as connection:
            connection.execute(text("INSERT INTO send_jobs (reminder) VALUES (NULL)"))

    with pytest.raises(IntegrityError):
        write()
    assert [1] == tries

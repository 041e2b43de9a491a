"""A notifier dies between any two steps of its loop: nothing is sent twice, nothing is lost, doubt is said.

Which steps there are is taken from the loop as it runs; with a real Kafka it dies in ``tests.chaos.senders``.
"""

import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final, get_args

import msgspec
import pytest
import structlog
from sqlalchemy import Engine, delete

from infra.database.engine import open_engine, writing
from infra.database.feedback_tables import feedback_words, suppressions
from infra.database.send_tables import rate_buckets, send_days, send_jobs, send_notes
from infra.database.tables import live_rows
from tests.notifiers.dying import LOOP, Met, Outlook, functions_of, judge, prepare, run
from tests.notifiers.stand_ins import Kind

# Not met by a loop that is left alone until it is done, and why that is right.
_NOT_IN_THE_LOOP: Final = {
    "worker.run": "the process's own frame: it steps until told to stop",
    "worker.revoked": "of a rebalance: with a real Kafka",
    "worker.on_partitions_revoked": "of a rebalance: with a real Kafka",
    "worker.on_partitions_assigned": "of a rebalance: with a real Kafka",
    "commits.trouble": "words for the pulse",
    "worker._waiting_for": "words for the pulse",
    "worker._missing": "words for the pulse",
    "publishing.feedback_letters": "at the start: the names of a metric",
    "outages.pause": "words for the pulse",
    "dispatch.pause": "words for the pulse",
    "gate.waits": "the seam itself",
    "publishing.send": "the seam itself",
    "engine.database_url": "at the start",
    "engine.open_engine": "at the start",
    "engine.open_asking_engine": "of other processes",
    "engine._postgresql": "at the start",
    "engine._with_fit_texts": "at the start",
    "engine._may_be_done_again": "only if another has the database: test_busy, test_send_locks",
    "caps.read_caps": "at the start",
    "caps._check_currency": "at the start",
    "feedback.retry": "a person's question",
    "feedback.lines": "a person's question",
    "feedback.counts": "a person's question",
    "suppressions.marks_of": "a person's question",
    "suppressions.still_marked": "a person's question",
    "suppressions.suppressed": "a person's question",
    "suppressions.suppression_lines": "a person's question",
    "doubt.came_late": "of a frozen worker: test_zombies",
    "send_doubts.late_word": "of a frozen worker: test_zombies",
    "doubt._is_old": "of a worker that is not known to be gone: test_zombies",
    "send_ledger.unfinished": "a player's question",
    "send_ledger.job": "a person's question",
    "send_doubts.open": "a person's question",
    "send_doubts.notes_of": "a person's question",
    "dispatch._rests": "of several partitions, each written as one that has tried itself: test_retry_after",
    "outages.rest": "of several partitions, and in memory: test_retry_after",
    "publishing._fate_of_copy": "only says what is written with its word, as of any other word: test_publishing",
    "send_doubts.none_before": "of a provider that asks not to be asked: test_retry_after",
    "rates.begin": "of a provider that asks not to be asked: test_retry_after",
}


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


def _chosen(database: str, *, kind: Kind) -> tuple[int, int]:
    """Give the stride and the first of the steps after which to kill: the runs together take each step of the loop alone.

    What stands around it makes runs long: of these steps one in 24 is taken. EVERY_STEP=1: each run takes each of them.
    """
    if os.environ.get("EVERY_STEP"):
        return 1, 0
    kinds = [each for each in get_args(Kind) if each != "limited"]
    if kind == "limited":
        return 48, 24 * int(database.startswith("sqlite"))
    return 2 * len(kinds), 2 * kinds.index(kind) + int(database.startswith("sqlite"))


def _outlook(folder: Path, *, database: str, kind: Kind) -> Outlook:
    """Give a folder of its own to a run, and an empty send ledger."""
    folder.mkdir()
    engine = open_engine(database)
    with writing(engine) as connection:
        connection.execute(delete(send_jobs))
        for table in (send_notes, send_days, rate_buckets, feedback_words, suppressions, live_rows):
            connection.execute(delete(table))
    engine.dispose()
    made = Outlook(folder=folder, database=database, kind=kind)
    prepare(made)
    return made


@pytest.mark.timeout(3600 if os.environ.get("EVERY_STEP") else 900)
@pytest.mark.parametrize("kind", get_args(Kind))
def test_a_kill_between_any_two_steps_loses_nothing_and_doubles_nothing(
    tmp_path: Path, database: str, kind: Kind
) -> None:
    """Issue 6, point 2: after a step of the loop (every sixth; all with EVERY_STEP=1) it is killed, and a successor brings everything to its end.

    Each message was taken once, or nobody knows and the evidence is there; what was said is what
    the rows say. With limits around it: no day has more than its cap, who was not written to has no place in it, each word
    of a provider is said, once, or is a dead letter, and the list of who is not written to is as the words want it.
    """
    stride, first = _chosen(database, kind=kind)
    whole = _outlook(tmp_path / "whole", database=database, kind=kind)
    assert 0 == run(whole)
    assert [] == list(judge(whole))
    met = msgspec.json.decode((whole.folder / "met").read_bytes(), type=Met)
    wrong: list[str] = []
    killed = 0
    for steps in range(first, met.steps, stride):
        outlook = _outlook(tmp_path / f"after-{steps}", database=database, kind=kind)
        killed += run(outlook, dies_after=steps) == -signal.SIGKILL
        assert 0 == run(outlook)
        wrong += [f"{(outlook.folder / 'died').read_text()}: {each}" for each in judge(outlook)]
    assert [] == wrong
    assert len(range(first, met.steps, stride)) == killed


def test_every_function_of_the_loop_is_met(tmp_path: Path, sqlite_engine: Engine) -> None:
    """A function that is added to the loop is met by these runs, and so has its steps to die at, or says why not."""
    database = sqlite_engine.url.render_as_string(hide_password=False)
    lines: dict[str, set[int]] = {}
    for kind in get_args(Kind):
        outlook = _outlook(tmp_path / kind, database=database, kind=kind)
        assert 0 == run(outlook, keeps_lines=True)
        met = msgspec.json.decode((outlook.folder / "met").read_bytes(), type=Met)
        for name, found in met.lines.items():
            lines.setdefault(name, set()).update(found)
    unmet = {
        f"{path.stem}.{name}"
        for path in map(Path, (str(module.__file__) for module in LOOP))
        for name, span in functions_of(path).items()
        if name != "__init__" and not lines[path.name] & set(span)
    }
    assert set(_NOT_IN_THE_LOOP) == unmet

"""What would this customer get: what waits, what was decided, what will be said next; by the channels that are asked for."""

import datetime
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine

from console.previewing import PreviewError, decided_reminder, foreseen_message, write_message
from infra.database.engine import reading
from notifiers.writing.render import Renderer
from notifiers.writing.samples import sample_reminder
from processors.forecast import forecast
from schemas.facts import ReminderDecided
from tests.notifiers.sending import ScriptedChannel, dispatcher, read, reminder
from tests.scenarios.language import read_script
from tests.scenarios.on_core import Stage, run

RENDERER = Renderer()
STORY = """# one invoice, a courtesy by mail, then mail and letter
customer email ana@c1.test address "Calle 1, Santiago"
plan default
    courtesy  -3 email
    first      0 email, letter
2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-01-03  tick
"""


def test_what_was_decided_is_shown(engine: Engine) -> None:
    """A reminder that was decided is looked up among the jobs, whatever became of it."""
    dispatcher(engine, channel=ScriptedChannel()).record([read(reminder("r1"))])
    with reading(engine) as connection:
        found = decided_reminder(connection, reminder="r1")
        assert (reminder("r1"), None) == (found, decided_reminder(connection, reminder="r2"))
        assert decided_reminder(connection, account="acme:C1") is None


def test_what_comes_next_is_shown(tmp_path: Path) -> None:
    """S0-04: the next message to a customer, on its day, with what will be overdue then; nothing is decided by looking."""
    path = tmp_path / "story.txt"
    path.write_text(STORY)
    stage = Stage()
    run(read_script(path), stage=stage)
    rows = stage.partition.rows()
    clock = stage.partition.clock
    assert clock is not None
    foreseen = forecast("acme:C1", rows=rows.items(), after=clock.at, until=datetime.date(2026, 3, 1))
    found = foreseen_message(foreseen)
    assert found is not None
    on, made = found
    assert (datetime.date(2026, 1, 30), "courtesy", ["INV-1"]) == (
        on,
        made.step,
        [each.item for each in made.items],
    )
    assert foreseen_message([]) is None


def shown(made: ReminderDecided, folder: Path, *channels: str) -> list[str]:
    """Write a message; give the endings of the files to open."""
    paths = write_message(made, render=RENDERER.message, folder=folder, channels=channels)  # type: ignore[arg-type]
    return [path.suffix for path, _message in paths]


def test_a_message_goes_by_its_own_channels(tmp_path: Path) -> None:
    """Mail and letter of the step; another channel where somebody wants to see that."""
    made = sample_reminder(kind="first", language="es")
    own = tuple(each for each in made.deliveries if each.channel in ("email", "letter"))
    made = msgspec.structs.replace(made, deliveries=own)
    assert [".html", ".pdf"] == shown(made, tmp_path / "own")
    assert [".txt"] == shown(made, tmp_path / "asked", "sms")


def test_a_task_is_no_message(tmp_path: Path) -> None:
    """A call to make is for a person of the company; the customer gets nothing."""
    made = sample_reminder(kind="first", language="es")
    tasks = tuple(each for each in made.deliveries if each.channel == "task")
    with pytest.raises(PreviewError):
        shown(msgspec.structs.replace(made, deliveries=tasks), tmp_path)

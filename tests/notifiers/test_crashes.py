"""A notifier dies at the worst moments: nothing is sent twice, nothing is lost, doubt is said."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from infra.settings import Settings
from tests.notifiers.crashing import POINTS, STATUS
from tests.notifiers.mail_server import MailServer
from tests.notifiers.sending import job_row, know, reminder
from tests.notifiers.test_worker import decide, engine, outcomes, settings, working

__all__ = ["engine", "settings"]  # fixtures

ROOT = Path(__file__).resolve().parents[2]


def die(settings: Settings, *, point: str) -> None:
    """Run a mail loop as a process until it dies at this point."""
    environment = {f"COBRANZA_{name.upper()}": str(value) for name, value in settings if value is not None}
    done = subprocess.run(
        [sys.executable, "-m", "tests.notifiers.crashing", point],
        cwd=ROOT,
        env=os.environ | environment,
        timeout=120,
        check=False,
    )
    assert STATUS == done.returncode


@pytest.mark.parametrize("point", POINTS)
def test_with_a_channel_that_can_say_nothing_is_in_doubt(
    settings: Settings, engine: Engine, point: str
) -> None:
    """The recorder is asked: one mail, accepted, said (twice at most, under one natural key)."""
    know(engine)
    decide(settings, reminder())
    with outcomes(settings) as take:
        die(settings, point=point)
        with working(settings, engine, member="m"):
            said = take(2 if point == "after the outcome" else 1)
    assert {("r1", "accepted")} == {(each.reminder, each.status) for each in said}
    assert 1 == len(list((settings.data_dir / "outbox").rglob("*.eml")))
    assert (True, 2 if point == "before the provider" else 1) == (
        job_row(engine)["published"],
        job_row(engine)["attempts"],
    )


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """Give a real SMTP server that takes everything, and set mail to go there."""
    with MailServer() as running:
        for name, value in running.settings.items():
            monkeypatch.setenv(f"COBRANZA_SEND_{name.upper()}", str(value))
        yield running


@pytest.mark.parametrize(("point", "mails"), [(POINTS[0], 0), (POINTS[1], 1)], ids=["before", "after"])
def test_with_smtp_a_person_decides(
    settings: Settings, engine: Engine, server: MailServer, point: str, mails: int
) -> None:
    """SMTP cannot say: the delivery is unknown, that is said, and nobody gets a second mail."""
    know(engine)
    decide(settings, reminder())
    with outcomes(settings) as take:
        die(settings, point=point)
        with working(settings, engine, member="m"):
            said = take(1)
    assert [("unknown", "interrupted")] == [(each.status, each.error_type) for each in said]
    assert mails == len(server.mails)

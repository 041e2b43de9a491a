"""A notifier that cannot go on: it ends with 1, for its supervisor to start another, and its log says which loop ended and why."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
from kafka.errors import FencedInstanceIdError
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from infra.database.engine import open_engine
from infra.database.migrate import upgrade
from infra.metrics.pulse import Pulses
from infra.settings import Settings
from notifiers import serving
from notifiers.dispatch import sendings_tally
from notifiers.serving import serve
from notifiers.settings import SendSettings
from notifiers.worker import GroupError


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (
            GroupError("The group of sms has been rebalancing for 60 s: start again"),
            "GroupError: The group of sms",
        ),
        (FencedInstanceIdError("a-sms"), "FencedInstanceIdError"),
        (OperationalError("BEGIN IMMEDIATE", None, Exception("database is locked")), "database is locked"),
    ],
)
def test_a_loop_that_ends_says_why(
    error: Exception, why: str, sqlite_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it was: one had given up in a night of kills, and nobody could say for what."""

    @contextmanager
    def broken(*_: Any, **__: Any) -> Iterator[None]:
        raise error
        yield

    def await_the_end(*_: Any, stopping: threading.Event, **__: Any) -> None:
        stopping.wait()

    monkeypatch.setattr(serving, "open_worker", broken)
    monkeypatch.setattr(serving, "serve_feedback", await_the_end)
    with structlog.testing.capture_logs() as logs, pytest.raises(type(error)):
        serve(
            ["sms"],
            settings=Settings(data_dir=tmp_path),
            send=SendSettings(),
            engine=sqlite_engine,
            member=None,
            stopping=threading.Event(),
            pulses=Pulses(["sms"], stalled_s=0.0),
            sendings=sendings_tally(channels=["sms"]),
        )
    (line,) = [each for each in logs if each["event"] == "notifier_gives_up"]
    assert "sms" == line["loop"]
    assert why in line["why"]


def test_the_command_ends_with_one(broker: str, namespace: str, tmp_path: Path) -> None:
    """Without its topic a notifier has no group: the last lines of its log say so."""
    settings = Settings(bootstrap_servers=broker, topic_prefix=namespace, data_dir=tmp_path)
    engine = open_engine(settings.database)
    upgrade(engine)
    engine.dispose()
    environment = {f"COBRANZA_{name.upper()}": str(value) for name, value in settings if value is not None}
    ended = subprocess.run(
        [sys.executable, "-m", "console", "notifier", "--channel", "sms"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert 1 == ended.returncode, ended.stderr
    assert '"event": "notifier_gives_up"' in ended.stderr
    assert '"why": "GroupError: Topic' in ended.stderr

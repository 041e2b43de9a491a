"""Log lines: one JSON object each when nobody watches, ours and the libraries' alike."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from console.cli.logs import configure_logs


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Leave logging as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in ("console", "infra", "notifiers", "streams", "kafka", "aiokafka"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    structlog.reset_defaults()


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_lines_are_json_with_their_fields(capsys: pytest.CaptureFixture[str]) -> None:
    """Issue 4, point 7: structured logs, our loggers' and plain ones' in one form."""
    configure_logs(verbose=False)
    structlog.get_logger("streams.letters").warning("dead_letter", event_id="e-1", reason="invalid")
    logging.getLogger("streams.engine.worker").info("%s: fenced", "src-0")
    logging.getLogger("faust").warning("of a library")
    ours, engine, library = _lines(capsys)
    assert ("dead_letter", "e-1", "warning") == (ours["event"], ours["event_id"], ours["level"])
    assert "streams.letters" == ours["logger"]
    assert ("src-0: fenced", "info") == (engine["event"], engine["level"])
    assert "of a library" == library["event"]
    assert all("timestamp" in line for line in (ours, engine, library))


def test_levels(capsys: pytest.CaptureFixture[str]) -> None:
    """Ours from the level that is set, libraries' from warnings up, Kafka clients' chatter not at all."""
    configure_logs(verbose=False, level="warning")
    structlog.get_logger("notifiers.dispatch").info("send_accepted")
    logging.getLogger("faust").info("hello")
    logging.getLogger("kafka.conn").error("refused")
    assert [] == _lines(capsys)
    configure_logs(verbose=False, level="debug")
    structlog.get_logger("streams.tracing").debug("event_folded", event_id="e-1")
    assert ["event_folded"] == [line["event"] for line in _lines(capsys)]


def test_exceptions_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A traceback does not break the line: it is a field."""
    configure_logs(verbose=False)
    try:
        int("no")
    except ValueError:
        structlog.get_logger("infra").exception("failed", value=b"\xff")
    [line] = _lines(capsys)
    assert "ValueError: invalid" in str(line["exception"])


def test_configuring_twice_writes_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Commands that run in one process do not add handlers."""
    configure_logs(verbose=False)
    configure_logs(verbose=False)
    structlog.get_logger("infra").warning("once")
    assert 1 == len(_lines(capsys))

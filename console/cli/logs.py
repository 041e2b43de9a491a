"""How log lines of a command look: one JSON object each, or in colour on a terminal; to standard error.

One handler for our lines and the libraries', so that whoever reads a log reads one form.
"""

import logging
import sys
from typing import Final, TextIO

import structlog
from structlog.typing import Processor

__all__ = ["configure_logs"]

_OURS: Final = ("console", "infra", "notifiers", "streams")
# They log every refused connection; what matters of that is raised and said once.
_CHATTY: Final = ("kafka", "aiokafka")
_SHARED: Final[tuple[Processor, ...]] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def configure_logs(*, verbose: bool, level: str = "info") -> None:
    """Send our log lines, from `level` up, and the libraries' warnings to standard error.

    Args:
        verbose: the libraries' lines, too.
        level: as `logging` names them, in small letters; at ``debug`` there is a line for each event and fact.
    """
    root = logging.getLogger()
    for known in [each for each in root.handlers if isinstance(each, _ToStandardError)]:
        root.removeHandler(known)
    root.addHandler(_ToStandardError())
    root.setLevel(logging.INFO if verbose else logging.WARNING)
    for name in _OURS:
        logging.getLogger(name).setLevel(level.upper())
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.NOTSET if verbose else logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


class _ToStandardError(logging.Handler):
    """Writes to what standard error is now: who runs commands in one process may replace it in between."""

    def emit(self, record: logging.LogRecord) -> None:
        stream = sys.stderr
        try:
            stream.write(_formatter(stream).format(record) + "\n")
            stream.flush()
        except (OSError, ValueError, TypeError):
            self.handleError(record)


def _formatter(stream: TextIO) -> logging.Formatter:
    formatter = _FORMATTERS.get(stream.isatty())
    if formatter is None:
        formatter = _FORMATTERS[stream.isatty()] = _new_formatter(colours=stream.isatty())
    return formatter


_FORMATTERS: dict[bool, logging.Formatter] = {}


def _new_formatter(*, colours: bool) -> logging.Formatter:
    if colours:
        last: list[Processor] = [structlog.dev.ConsoleRenderer()]
    else:
        last = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=repr),
        ]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_SHARED, structlog.stdlib.ExtraAdder()],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )

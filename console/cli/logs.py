"""Where log lines of a command go: to standard error, so that its output can be piped."""

import logging
import sys
from typing import Final

import structlog

__all__ = ["configure_logs"]

# They log every refused connection; what matters of that is raised and said once.
_CHATTY: Final = ("kafka", "aiokafka")


def configure_logs(*, verbose: bool) -> None:
    """Send our log lines, from INFO up, and the libraries' warnings to standard error."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.NOTSET if verbose else logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=("timestamp", "level", "event")),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        # Looked up for each line: who runs commands in one process may replace it in between.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )

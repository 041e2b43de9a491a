"""How brokers of tests are started: quickly, and looking often at what is otherwise looked at rarely."""

import os
from typing import Final

__all__ = ["QUICK_RETURN", "WATCHFUL", "start_java_quickly"]

# The cleaner looks at once, so that compaction can be awaited; nothing waits for its own sake.
WATCHFUL: Final = {
    "log.cleaner.backoff.ms": "100",
    "log.retention.check.interval.ms": "1000",
    "log.initial.task.delay.ms": "500",
    # Members of groups may be declared dead sooner than in an installation.
    "group.min.session.timeout.ms": "1000",
}
# A node that was killed is missed sooner, so that it may come back sooner.
QUICK_RETURN: Final = {"broker.session.timeout.ms": "1500", "broker.heartbeat.interval.ms": "300"}


def start_java_quickly() -> None:
    """Let every Java that is started from here on compile once, not twice: few live long enough to gain by it.

    A broker's start costs half the processor time, which on two cores is half the time.
    """
    given = os.environ.get("JAVA_TOOL_OPTIONS", "")
    os.environ["JAVA_TOOL_OPTIONS"] = f"-XX:TieredStopAtLevel=1 {given}".strip()

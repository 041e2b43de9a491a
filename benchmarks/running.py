"""A process that works off a topic, watched from outside by what its group has committed.

The same eyes for everyone: nothing inside a process is asked. Its text goes to a file.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from benchmarks.systems import Entry

__all__ = ["NotFinished", "processor_s", "running", "watch"]

_POLL_S = 0.02
_SILENCE_S_MAX = 120.0
_STOP_S_MAX = 40.0
_LOG_BYTES = 1_500


class NotFinished(Exception):  # noqa: N818 - an outcome of a benchmark, printed as such
    """A process ended or stood still before it had committed everything."""


@contextlib.contextmanager
def running(entry: Entry, *, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process, and end it in order: SIGTERM, and SIGKILL when that is ignored."""
    with log.open("wb") as text:
        process = subprocess.Popen(
            entry.command, env=dict(entry.environment), stdout=text, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_S_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def watch(
    process: subprocess.Popen[bytes], *, admin: KafkaAdminClient, group: str, records: int, log: Path
) -> float:
    """Look at a group's committed positions until they sum up to ``records``; give the moment (epoch seconds).

    Raises:
        NotFinished: with the end of the process's log.
    """
    committed, changed_s = 0, time.monotonic()
    while True:
        found = _committed(admin, group)
        if found >= records:
            return time.time()
        if found != committed:
            committed, changed_s = found, time.monotonic()
        if process.poll() is not None or time.monotonic() - changed_s > _SILENCE_S_MAX:
            end = log.read_bytes()[-_LOG_BYTES:].decode(errors="replace")
            how = "stood still" if process.poll() is None else f"ended with {process.returncode}"
            raise NotFinished(f"{how} after {committed:,} of {records:,} records\n{end}")
        time.sleep(_POLL_S)


def processor_s(process: subprocess.Popen[bytes]) -> float:
    """Give the processor time that a process and its threads have used, in seconds; 0 where there is no /proc."""
    file = Path(f"/proc/{process.pid}/stat")
    if not file.exists():
        return 0.0
    fields = file.read_text().rpartition(")")[2].split()
    user, system = int(fields[11]), int(fields[12])  # proc(5): utime and stime, counted after the name
    return (user + system) / os.sysconf("SC_CLK_TCK")


def _committed(admin: KafkaAdminClient, group: str) -> int:
    try:
        found = admin.list_group_offsets(group)[group]
    except KafkaError:
        return 0  # the group is not there yet
    return sum(max(0, each.offset) for each in found.values())

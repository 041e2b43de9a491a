"""A process that works off a topic, watched from outside by what its group has committed.

The same eyes for everyone: nothing inside a process is asked. Its text goes to a file.
"""

import contextlib
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from benchmarks.systems import Entry

__all__ = ["NotFinished", "Seen", "rate", "running", "watch"]

_POLL_S = 0.02
_SILENCE_S_MAX = 60.0
_STOP_S_MAX = 40.0
_LOG_BYTES = 1_500


class NotFinished(Exception):  # noqa: N818 - an outcome of a benchmark, printed as such
    """A process ended or stood still before it had committed everything."""


class Seen(NamedTuple):
    """Records committed at a moment (monotonic seconds)."""

    at_s: float
    records: int


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
) -> list[Seen]:
    """Look at a group's committed positions until they sum up to ``records``.

    Raises:
        NotFinished: with the end of the process's log.
    """
    seen: list[Seen] = []
    changed_s = time.monotonic()
    while not seen or seen[-1].records < records:
        now = time.monotonic()
        committed = _committed(admin, group)
        if not seen or committed != seen[-1].records:
            seen.append(Seen(now, committed))
            changed_s = now
        if process.poll() is not None or now - changed_s > _SILENCE_S_MAX:
            end = log.read_bytes()[-_LOG_BYTES:].decode(errors="replace")
            how = "stood still" if process.poll() is None else f"ended with {process.returncode}"
            raise NotFinished(f"{how} after {committed:,} of {records:,} records\n{end}")
        time.sleep(_POLL_S)
    return seen


def rate(seen: list[Seen], *, warm_up: int) -> float:
    """Give records/s from the first commit that has the warm-up behind it to the last commit.

    Raises:
        NotFinished: there is only one such commit.
    """
    first = next(each for each in seen if each.records >= warm_up)
    last = seen[-1]
    if first is last:
        raise NotFinished("committed everything after the warm-up at once: more events are needed")
    return (last.records - first.records) / (last.at_s - first.at_s)


def _committed(admin: KafkaAdminClient, group: str) -> int:
    try:
        found = admin.list_group_offsets(group)[group]
    except KafkaError:
        return 0  # the group is not there yet
    return sum(max(0, each.offset) for each in found.values())

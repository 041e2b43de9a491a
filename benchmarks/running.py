"""Processes that work off a topic, watched from outside by what their group has committed.

The same eyes for everyone: nothing inside a process is asked. Their text goes to a file.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from benchmarks.peers.mark import Begun
from benchmarks.systems import Entry

__all__ = ["NotFinished", "processor_s", "running", "watch"]

_POLL_S = 0.02
_SILENCE_S_MAX = 120.0
_STOP_S_MAX = 40.0
_LOG_BYTES = 1_500


Processes = Sequence[subprocess.Popen[bytes]]


class NotFinished(Exception):  # noqa: N818 - an outcome of a benchmark, printed as such
    """A process ended or stood still before it had committed everything."""


@contextlib.contextmanager
def running(entry: Entry, *, log: Path) -> Iterator[Processes]:
    """Start a system's processes, and end them in order: SIGTERM, and SIGKILL when that is ignored."""
    processes: list[subprocess.Popen[bytes]] = []
    try:
        with log.open("wb") as text:
            processes.extend(
                subprocess.Popen(command, env=dict(entry.environment), stdout=text, stderr=subprocess.STDOUT)
                for command in entry.commands
            )
        yield processes
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            try:
                process.wait(_STOP_S_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def watch(
    processes: Processes,
    *,
    admin: KafkaAdminClient,
    group: str,
    records: int,
    log: Path,
    is_enough: Callable[[int], bool] = lambda _: False,
) -> Begun:
    """Look at a group's committed positions until they sum up to ``records``, or enough for ``is_enough``.

    Returns:
        What was committed, and the moment.

    Raises:
        NotFinished: with the end of the processes' log.
    """
    committed, changed_s = 0, time.monotonic()
    while True:
        found = _committed(admin, group)
        if found >= records or is_enough(found):
            return Begun(found, time.time())
        if found != committed:
            committed, changed_s = found, time.monotonic()
        ended = [process.returncode for process in processes if process.poll() is not None]
        if ended or time.monotonic() - changed_s > _SILENCE_S_MAX:
            end = log.read_bytes()[-_LOG_BYTES:].decode(errors="replace")
            how = f"ended with {ended[0]}" if ended else "stood still"
            raise NotFinished(f"{how} after {committed:,} of {records:,} records\n{end}")
        time.sleep(_POLL_S)


def processor_s(processes: Processes) -> float:
    """Give the processor time that processes and their threads have used, in seconds; 0 where there is no /proc."""
    return sum(map(_processor_s, processes))


def _processor_s(process: subprocess.Popen[bytes]) -> float:
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

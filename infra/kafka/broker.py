"""A single-node Apache Kafka (KRaft) for laptops and tests: start, stop, status.

It owns one folder: data, settings, log, and the file that says which process and which
ports. It refuses to start jars that are not the expected ones, to touch a process that
is not its own, and to listen anywhere but on 127.0.0.1.

    stopped ──start──► starting ──metadata answered──► running ──stop──► stopped
       ▲                  │ dies, or the deadline passes (the process is ended)
       └──────────────────┘
"""

import contextlib
import fcntl
import logging
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from infra.errors import OperatorError
from infra.kafka.broker_files import log_settings, properties_text, server_settings
from infra.kafka.jars import provide_jars
from infra.kafka.java import find_java
from infra.ports import answers, free_port, is_free
from infra.processes import command_line, lives

__all__ = ("BrokerError", "BrokerStatus", "LocalBroker")

_log = logging.getLogger(__name__)

_CLUSTER_ID: Final = "Y29icmFuemEtbG9jYWwtMQ"
_START_DEADLINE_S: Final = 90
_STOP_DEADLINE_S: Final = 30
_POLL_S: Final = 0.05
_BIND_ATTEMPTS: Final = 3
_LOG_LINES: Final = 15
# What ends within minutes does not live to gain by being compiled twice: so a broker's start takes 4 s of processor
# time, not 6, and the play of some months half.
_COMPILE_ONCE: Final = "-XX:TieredStopAtLevel=1"
_COLLECTING: Final = ("-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20")
_COLLECTING_BRIEFLY: Final = "-XX:+UseSerialGC"


class BrokerError(OperatorError):
    """The local broker did not start, or cannot; the text names its log file."""


class BrokerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the local broker now; without a process all but `log_file` is None."""

    running: bool
    pid: int | None
    bootstrap_servers: str | None
    log_file: Path


class _Process(msgspec.Struct, frozen=True, kw_only=True):
    """The content of the process file: which process was started last, on which ports."""

    pid: int
    port: int
    controller_port: int


class LocalBroker:
    """One Kafka node in `directory`: data is kept between starts, the ports too if still free.

    `port` fixes the client port (default: a free one); `heap` is Java's -Xmx;
    `properties` are server properties that add to ours or replace them; `cache` is where
    the jars are kept; `brief`: it is for minutes, so that it starts and warms up with half the work,
    and carries less than one that runs for days. As a context manager it starts, gives itself, and stops.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int | None = None,
        heap: str = "512m",
        properties: Mapping[str, str] | None = None,
        cache: Path | None = None,
        brief: bool = False,
    ) -> None:
        self._directory = directory.absolute()
        self._port = port
        self._heap = heap
        self._properties = dict(properties or {})
        self._cache = cache
        self._brief = brief
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def bootstrap_servers(self) -> str:
        """The address for clients, ``127.0.0.1:PORT``; raises `BrokerError` when not running."""
        address = self.status().bootstrap_servers
        if address is None:
            raise BrokerError(f"No broker is running in {self._directory}: cobranza kafka start")
        return address

    @property
    def log_file(self) -> Path:
        """Where the broker writes its log."""
        return self._directory / "kafka.log"

    def status(self) -> BrokerStatus:
        """Say whether the broker's process lives; a stale process file counts as not running."""
        process = self._read_process()
        if process is None or not self._is_ours(process.pid):
            return BrokerStatus(running=False, pid=None, bootstrap_servers=None, log_file=self.log_file)
        address = f"127.0.0.1:{process.port}"
        return BrokerStatus(running=True, pid=process.pid, bootstrap_servers=address, log_file=self.log_file)

    def start(self) -> str:
        """Start the broker unless it runs, wait until it answers; return the bootstrap address.

        Raises `BrokerError` (with the end of the log), `JarRefusedError`, `JarsUnavailableError`.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        if "," in str(self._directory):
            raise BrokerError(f"Kafka cannot keep data in a folder with a comma: {self._directory}")
        with self._locked():
            # One that was killed a moment ago may still be seen to live.
            address = self._address_once_ready()
            if address is None:
                self._start_anew()
                address = self._address_once_ready()
        if address is None:
            raise BrokerError(self._failure("The broker died while starting."))
        return address

    def stop(self) -> None:
        """Stop the broker in order (SIGTERM to its process), by force after 30 s; idempotent."""
        if not self._directory.is_dir():
            return
        with self._locked():
            pid = self.status().pid
            if pid is not None:
                self._end(pid)

    def _start_anew(self) -> None:
        """Spawn the broker; when the ports were taken between choice and use, choose again."""
        jars = ":".join(map(str, provide_jars(cache=self._cache)))
        java = [str(find_java()), "-cp", jars, *self._java_options()]
        broker = [*java, *_COLLECTING, *([_COMPILE_ONCE] if self._brief else [])]
        for attempt in range(1, _BIND_ATTEMPTS + 1):
            port, controller_port = self._choose_ports(again=attempt > 1)
            self._write_settings(port=port, controller_port=controller_port)
            self._format([*java, _COLLECTING_BRIEFLY, _COMPILE_ONCE])
            child = self._spawn(broker, port=port, controller_port=controller_port)
            if not self._lost_its_port(child, port=port):
                return
        raise BrokerError(self._failure("No port could be bound."))

    def _java_options(self) -> list[str]:
        return [
            f"-Xmx{self._heap}",
            "-XX:+ExitOnOutOfMemoryError",
            "-Djava.awt.headless=true",
            f"-Dlog4j2.configurationFile={self._log_settings.as_uri()}",
        ]

    @property
    def _log_settings(self) -> Path:
        return self._directory / "log4j2.properties"

    @property
    def _settings(self) -> Path:
        return self._directory / "server.properties"

    @property
    def _process_file(self) -> Path:
        return self._directory / "process.json"

    @property
    def _console(self) -> Path:
        return self._directory / "console.log"

    def _choose_ports(self, *, again: bool) -> tuple[int, int]:
        """Return (client port, controller port): as asked, else as last time, else free ones."""
        last = None if again else self._read_process()
        if self._port is not None and not is_free(self._port):
            raise BrokerError(f"Port {self._port} is taken: choose another, or none (--port).")
        wanted = self._port or (last.port if last else None)
        port = wanted if wanted and is_free(wanted) else free_port()
        controller = last.controller_port if last else None
        if controller is None or controller == port or not is_free(controller):
            controller = free_port(besides=port)
        return port, controller

    def _write_settings(self, *, port: int, controller_port: int) -> None:
        ours = server_settings(data=self._directory / "data", port=port, controller_port=controller_port)
        self._settings.write_text(properties_text(ours | self._properties), encoding="ascii")
        logs = log_settings(log_file=self.log_file)
        self._log_settings.write_text(properties_text(logs), encoding="ascii")

    def _format(self, java: list[str]) -> None:
        """Format the data folder once; what is there is never formatted again."""
        if (self._directory / "data" / "meta.properties").exists():
            return
        tool = ["kafka.tools.StorageTool", "format", "-t", _CLUSTER_ID, "-c", str(self._settings)]
        done = subprocess.run(
            [*java, *tool], capture_output=True, text=True, timeout=_START_DEADLINE_S, check=False
        )
        if done.returncode != 0:
            raise BrokerError(f"Formatting the data folder failed:\n{done.stdout}{done.stderr}")

    def _spawn(self, java: list[str], *, port: int, controller_port: int) -> subprocess.Popen[bytes]:
        """Start the process, in a session of its own: Ctrl-C at the terminal is not for it."""
        with self._console.open("wb") as console:
            child = subprocess.Popen(
                [*java, "kafka.Kafka", str(self._settings)],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._child = child
        process = _Process(pid=child.pid, port=port, controller_port=controller_port)
        fresh = self._process_file.with_suffix(".fresh")
        fresh.write_bytes(msgspec.json.encode(process))
        fresh.replace(self._process_file)
        return child

    def _lost_its_port(self, child: subprocess.Popen[bytes], *, port: int) -> bool:
        """Wait until the broker listens or dies; True when it died because a port was taken."""
        deadline = time.monotonic() + _START_DEADLINE_S
        while time.monotonic() < deadline:
            if child.poll() is not None:
                if "Address already in use" in self._log_tail() and self._port is None:
                    return True
                raise BrokerError(self._failure("The broker died while starting."))
            if answers(port):
                return False
            time.sleep(_POLL_S)
        return False

    def _address_once_ready(self) -> str | None:
        """Wait for metadata that names the broker, return its address; None when none lives."""
        status = self.status()
        if status.pid is None or status.bootstrap_servers is None:
            return None
        deadline = time.monotonic() + _START_DEADLINE_S
        while not _serves(status.bootstrap_servers):
            if not self._is_ours(status.pid):
                return None
            if time.monotonic() > deadline:
                self._end(status.pid)
                raise BrokerError(self._failure(f"The broker did not answer in {_START_DEADLINE_S} s."))
            time.sleep(_POLL_S)
        return status.bootstrap_servers

    def _end(self, pid: int) -> None:
        os.kill(pid, signal.SIGTERM)
        if self._gone_within(pid, seconds=_STOP_DEADLINE_S):
            return
        _log.warning("Broker %d ignored SIGTERM for %d s: killed.", pid, _STOP_DEADLINE_S)
        os.kill(pid, signal.SIGKILL)
        if not self._gone_within(pid, seconds=_STOP_DEADLINE_S):
            raise BrokerError(f"The broker's process {pid} cannot be ended.")

    def _gone_within(self, pid: int, *, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._is_gone(pid):
                return True
            time.sleep(_POLL_S)
        return False

    def _is_gone(self, pid: int) -> bool:
        """Say whether the process has ended (its command line goes before its threads do)."""
        if self._child is not None and self._child.pid == pid:
            return self._child.poll() is not None
        return not lives(pid)

    def _is_ours(self, pid: int) -> bool:
        """Say whether `pid` lives and runs from our settings (the number may be another's now)."""
        if self._child is not None and self._child.pid == pid:
            return self._child.poll() is None
        return str(self._settings) in command_line(pid)

    def _read_process(self) -> _Process | None:
        try:
            return msgspec.json.decode(self._process_file.read_bytes(), type=_Process)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError as error:
            raise BrokerError(
                f"{self._process_file} is damaged: if no broker runs, remove it and start again."
            ) from error

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the folder's lock: two starts at once would make two brokers on one data folder."""
        with (self._directory / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _log_tail(self) -> str:
        files = [path for path in (self._console, self.log_file) if path.exists()]
        lines = [
            line
            for path in files
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
        ]
        return "\n".join(lines)

    def _failure(self, what: str) -> str:
        return f"{what} Log: {self.log_file}\n{self._log_tail()}"


def _serves(address: str) -> bool:
    """Ask for metadata; True when the answer names a broker that may serve (is not fenced)."""
    try:
        admin = KafkaAdminClient(bootstrap_servers=address, bootstrap_timeout_ms=2_000)
    except (KafkaError, OSError):
        return False
    try:
        return any(not broker["is_fenced"] for broker in admin.describe_cluster()["brokers"])
    except KafkaError:
        return False
    finally:
        admin.close()

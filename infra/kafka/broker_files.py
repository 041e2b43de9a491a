"""The files that the local broker is started from: server settings and log settings.

It owns their text only; it starts nothing.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

__all__ = ("log_settings", "properties_text", "server_settings")

# Dead-letter topics, the largest, take records of 5 MiB (topics say their own limit).
_LARGEST_RECORD_BYTES: Final = 5 * 1024 * 1024
_INTERNAL_PARTITIONS: Final = 8


def server_settings(*, data: Path, port: int, controller_port: int) -> dict[str, str]:
    """Return the server properties of a single KRaft node that keeps its data in `data`."""
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": str(data),
        # A killed node may register again only when its old session is over (default 9 s).
        "broker.session.timeout.ms": "4000",
        "broker.heartbeat.interval.ms": "1000",
        # Topics come from the registry alone: a misspelt name must fail, not be created.
        "auto.create.topics.enable": "false",
        "group.initial.rebalance.delay.ms": "0",
        "default.replication.factor": "1",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": str(_INTERNAL_PARTITIONS),
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": str(_INTERNAL_PARTITIONS),
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "share.coordinator.state.topic.num.partitions": "1",
        "message.max.bytes": str(_LARGEST_RECORD_BYTES),
        # The cleaner's default buffer, 128 MiB, is a quarter of the default heap.
        "log.cleaner.dedupe.buffer.size": str(32 * 1024 * 1024),
        "num.io.threads": "4",
    }


def log_settings(*, log_file: Path) -> dict[str, str]:
    """Return log4j2 properties: warnings to `log_file`, at most 4 files of 10 MB."""
    return {
        "rootLogger.level": "WARN",
        "rootLogger.appenderRef.file.ref": "File",
        # "Kafka Server started" and "shut down completed" mark the runs in the file.
        "logger.server.name": "kafka.server.KafkaRaftServer",
        "logger.server.level": "INFO",
        "appender.file.type": "RollingFile",
        "appender.file.name": "File",
        "appender.file.fileName": str(log_file),
        "appender.file.filePattern": f"{log_file}.%i",
        "appender.file.layout.type": "PatternLayout",
        "appender.file.layout.pattern": "%d %p %m (%c)%n",
        "appender.file.policies.type": "Policies",
        "appender.file.policies.size.type": "SizeBasedTriggeringPolicy",
        "appender.file.policies.size.size": "10MB",
        "appender.file.strategy.type": "DefaultRolloverStrategy",
        "appender.file.strategy.max": "3",
    }


def properties_text(settings: Mapping[str, str]) -> str:
    """Return `settings` as a Java properties file (which is read as ISO 8859-1)."""
    return "".join(f"{name}={_escaped(value)}\n" for name, value in settings.items())


def _escaped(value: str) -> str:
    doubled = value.replace("\\", "\\\\")
    utf16 = doubled.encode("utf-16-be")
    units = [int.from_bytes(utf16[at : at + 2], "big") for at in range(0, len(utf16), 2)]
    return "".join(chr(unit) if unit < 0x7F else f"\\u{unit:04x}" for unit in units)

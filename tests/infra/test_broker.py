"""The local broker, a real one: start, stop, status, data kept, wrecks survived (DESIGN 6)."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from kafka import KafkaAdminClient

from infra.kafka.broker import BrokerError, LocalBroker
from infra.processes import command_line
from tests.brokers import QUICK_RETURN


def _topics(address: str) -> set[str]:
    admin = KafkaAdminClient(bootstrap_servers=address)
    try:
        return set(admin.list_topics())
    finally:
        admin.close()


def _create(address: str, topic: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=address)
    try:
        admin.create_topics({topic: {"num_partitions": 1, "replication_factor": 1}})
    finally:
        admin.close()


def test_data_and_port_survive_stop_and_kill(tmp_path: Path) -> None:
    """A topic outlives a stop in order and a kill -9, and clients find the broker at its old port; a brief one compiles once."""
    broker = LocalBroker(tmp_path / "a folder: año", properties=QUICK_RETURN, brief=True)
    try:
        address = broker.start()
        assert address == broker.start()
        _create(address, "kept")
        seen_by_another = LocalBroker(tmp_path / "a folder: año").status()
        assert seen_by_another == broker.status()

        pid = broker.status().pid
        assert pid is not None
        assert "-XX:TieredStopAtLevel=1" in command_line(pid)
        os.kill(pid, signal.SIGKILL)
        assert address == broker.start()
        assert {"kept"} == _topics(address)

        broker.stop()
        broker.stop()
        assert not broker.status().running
        assert address == broker.start()
        assert {"kept"} == _topics(address)
    finally:
        broker.stop()
    assert b"BindException" not in (broker.log_file).read_bytes()


def test_a_stale_process_file_hurts_nobody(tmp_path: Path) -> None:
    """A process number that belongs to someone else now is neither trusted nor signalled."""
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        (tmp_path / "process.json").write_text(f'{{"pid":{stranger.pid},"port":1,"controller_port":2}}')
        broker = LocalBroker(tmp_path)
        assert not broker.status().running
        broker.stop()
        assert stranger.poll() is None
    finally:
        stranger.terminate()
        stranger.wait(timeout=60)


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    """A port asked for by number and taken by another is an error that says so."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BrokerError, match=f"Port {port} is taken"):
            LocalBroker(tmp_path, port=port).start()


def test_a_broker_that_dies_shows_its_log(tmp_path: Path) -> None:
    """A setting that Kafka refuses ends in an error with Kafka's own words, and no process left."""
    broker = LocalBroker(tmp_path, properties={"num.partitions": "many"})
    with pytest.raises(BrokerError, match=r"num\.partitions"):
        broker.start()
    assert not broker.status().running


def test_no_broker_no_address(tmp_path: Path) -> None:
    """Asking a stopped broker for its address names the command that starts it."""
    with pytest.raises(BrokerError, match="cobranza kafka start"):
        _ = LocalBroker(tmp_path).bootstrap_servers


def test_the_session_broker_refuses_unknown_topics(broker: str, namespace: str) -> None:
    """Nothing is created by being named (auto-creation is off)."""
    assert namespace + "nobody" not in _topics(broker)

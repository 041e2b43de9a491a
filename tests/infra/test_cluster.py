"""The three-node cluster, a real one: a node killed, one frozen, and nothing acknowledged is lost."""

from pathlib import Path

import pytest

from infra.kafka.cluster import LocalCluster
from infra.kafka.consumers import admin, consumer, producer
from tests.brokers import QUICK_RETURN


@pytest.mark.system
def test_acknowledged_records_survive_each_node(tmp_path: Path) -> None:
    """RF 3, minISR 2: what was acknowledged while one node was dead is read when another one is."""
    with LocalCluster(tmp_path, heap="256m", properties=QUICK_RETURN) as cluster:
        with admin(bootstrap_servers=cluster.bootstrap_servers) as client:
            client.create_topics({"kept": {"num_partitions": 3, "replication_factor": 3}})
        cluster.await_whole()
        with producer(bootstrap_servers=cluster.bootstrap_servers) as writer:
            cluster.kill(0)
            sent = [writer.send("kept", b"%d" % number, partition=number % 3) for number in range(30)]
            assert 30 == len([each.get(timeout=60) for each in sent])
        cluster.restart(0)
        cluster.await_whole()
        cluster.kill(1)
        reader = consumer("kept", bootstrap_servers=cluster.bootstrap_servers, group=None)
        found: list[int] = []
        while len(found) < 30:
            found += [int(record.value) for many in reader.poll(1_000).values() for record in many]
        reader.close()
        assert list(range(30)) == sorted(found)
        cluster.freeze(2)
        cluster.thaw(2)

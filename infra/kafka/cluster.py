"""Several Apache Kafka nodes (KRaft, each broker and controller) on this machine, for proofs.

Each node is a ``LocalBroker`` in a folder of its own; three keep everything three times and
acknowledge with two. A *route* is a listener more on every node that advertises a port of
its caller's: clients that begin there stay there, with whatever stands between. It kills
and freezes its own processes only.
"""

import os
import signal
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from kafka.errors import KafkaError

from infra.kafka.broker import BrokerError, LocalBroker
from infra.kafka.consumers import admin
from infra.ports import free_port

__all__ = ("LocalCluster",)

_GONE_S_MAX: Final = 30.0
_WHOLE_S_MAX: Final = 90.0
_POLL_S: Final = 0.05


class LocalCluster:
    """`nodes` Kafka nodes in `directory`, numbered from 0; as a context it runs while it lasts.

    Args:
        directory: the nodes' data, settings and logs.
        nodes: 1, or 3: then replication factor 3, and 2 in sync to acknowledge.
        heap: Java's -Xmx of each.
        properties: server properties that add to ours or replace them, on every node.
        routes: name (capitals) -> the port to advertise, per node; see the module.
    """

    def __init__(
        self,
        directory: Path,
        *,
        nodes: int = 3,
        heap: str = "512m",
        properties: Mapping[str, str] | None = None,
        routes: Mapping[str, Sequence[int]] | None = None,
    ) -> None:
        advertised = {name: list(ports) for name, ports in (routes or {}).items()}
        taken: set[int] = {port for ports in advertised.values() for port in ports}
        self._ports = [_another(taken) for _ in range(nodes)]
        controllers = [_another(taken) for _ in range(nodes)]
        self._route_ports = {name: [_another(taken) for _ in range(nodes)] for name in advertised}
        self._frozen: set[int] = set()
        self._brokers = [
            LocalBroker(
                directory / f"node-{number}",
                port=port,
                heap=heap,
                properties={
                    **_replication(nodes),
                    **self._node_settings(number, controllers=controllers, advertised=advertised),
                    **(properties or {}),
                },
            )
            for number, port in enumerate(self._ports)
        ]

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
    def nodes(self) -> int:
        """How many nodes there are, running or not."""
        return len(self._brokers)

    @property
    def bootstrap_servers(self) -> str:
        """Every node's own address, ``host:port[,host:port]``."""
        return ",".join(f"127.0.0.1:{port}" for port in self._ports)

    def route_port(self, route: str, *, node: int) -> int:
        """Return where a node listens for a route: what stands at the advertised port connects here."""
        return self._route_ports[route][node]

    def start(self) -> None:
        """Start what does not run, and wait until each node answers; ``BrokerError`` if one dies."""
        with ThreadPoolExecutor(self.nodes) as pool:
            list(pool.map(LocalBroker.start, self._brokers))

    def stop(self) -> None:
        """Stop all nodes; frozen ones are woken first."""
        for node in list(self._frozen):
            self.thaw(node)
        with ThreadPoolExecutor(self.nodes) as pool:
            list(pool.map(LocalBroker.stop, self._brokers))

    def kill(self, node: int) -> None:
        """End a node as a power failure of its process would (-9), and wait until it is gone."""
        self._signal(node, signal.SIGKILL)
        self._frozen.discard(node)
        deadline = time.monotonic() + _GONE_S_MAX
        while self._brokers[node].status().running:
            if time.monotonic() > deadline:
                raise BrokerError(f"Node {node} lives after SIGKILL.")
            time.sleep(_POLL_S)

    def restart(self, node: int) -> None:
        """Start a node that has ended, and wait until it answers."""
        self._brokers[node].start()

    def freeze(self, node: int) -> None:
        """Stop a node from doing anything; its connections stay."""
        self._signal(node, signal.SIGSTOP)
        self._frozen.add(node)

    def thaw(self, node: int) -> None:
        """Let a frozen node go on."""
        self._signal(node, signal.SIGCONT)
        self._frozen.discard(node)

    def await_whole(self) -> None:
        """Wait until every partition has all its replicas in sync; ``BrokerError`` after 90 s."""
        deadline = time.monotonic() + _WHOLE_S_MAX
        missing = ["(not asked yet)"]
        while missing:
            if time.monotonic() > deadline:
                raise BrokerError(f"Not in sync after {_WHOLE_S_MAX:g} s: {', '.join(missing[:10])}")
            time.sleep(_POLL_S)
            missing = self._not_in_sync()

    def _not_in_sync(self) -> list[str]:
        try:
            with admin(bootstrap_servers=self.bootstrap_servers) as client:
                described = client.describe_topics()
        except (KafkaError, OSError) as error:
            return [repr(error)]
        return [
            f"{topic['name']}-{one['partition_index']}"
            for topic in described
            for one in topic["partitions"]
            if len(one["isr_nodes"]) < len(one["replica_nodes"])
        ]

    def _signal(self, node: int, number: signal.Signals) -> None:
        pid = self._brokers[node].status().pid
        if pid is None:
            raise BrokerError(f"Node {node} does not run.")
        os.kill(pid, number)

    def _node_settings(
        self, number: int, *, controllers: Sequence[int], advertised: Mapping[str, Sequence[int]]
    ) -> dict[str, str]:
        listens = {
            "PLAINTEXT": self._ports[number],
            "CONTROLLER": controllers[number],
            **{name: ports[number] for name, ports in self._route_ports.items()},
        }
        says = {
            "PLAINTEXT": self._ports[number],
            **{name: ports[number] for name, ports in advertised.items()},
        }
        voters = (f"{node + 1}@127.0.0.1:{port}" for node, port in enumerate(controllers))
        return {
            "node.id": str(number + 1),
            "controller.quorum.voters": ",".join(voters),
            "listeners": _addresses(listens),
            "advertised.listeners": _addresses(says),
            "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in listens),
        }


def _addresses(ports: Mapping[str, int]) -> str:
    return ",".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items())


def _replication(nodes: int) -> dict[str, str]:
    """Keep everything on every node (three at most); one may be away."""
    copies, in_sync = min(nodes, 3), max(1, min(nodes, 3) - 1)
    return {
        "default.replication.factor": str(copies),
        "min.insync.replicas": str(in_sync),
        "offsets.topic.replication.factor": str(copies),
        "transaction.state.log.replication.factor": str(copies),
        "transaction.state.log.min.isr": str(in_sync),
        "share.coordinator.state.topic.replication.factor": str(copies),
        "share.coordinator.state.topic.min.isr": str(in_sync),
    }


def _another(taken: set[int]) -> int:
    """Choose a free port that was not chosen yet."""
    port = free_port()
    while port in taken:
        port = free_port()
    taken.add(port)
    return port

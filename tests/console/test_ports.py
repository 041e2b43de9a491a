"""Each process of an installation has a port of its own for metrics and health."""

import socket

from console.installation import services, with_ports
from infra.metrics.targets import Target
from infra.ports import free_port


def test_each_service_has_its_port_and_taken_ones_are_left_out() -> None:
    """Ports follow each other; where a process answers is what it was told."""
    first = free_port()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first))
        taken.listen()
        ported, targets = with_ports(services(clock=True), host="127.0.0.1", first=first)
    told = [
        Target(
            process=each.name,
            address=f"{each.variables['COBRANZA_METRICS_HOST']}:{each.variables['COBRANZA_METRICS_PORT']}",
        )
        for each in ported
    ]
    assert told == targets
    ports = [int(each.address.partition(":")[2]) for each in targets]
    assert first < ports[0]
    assert sorted(set(ports)) == ports
    assert {"intake", "ledger", "projector", "notifier", "exporter", "clock"} == {
        each.name for each in ported
    }


def test_commands_stay_as_they_were() -> None:
    """A port is a variable of the process's own, not an argument."""
    plain = services(clock=False)
    ported, _ = with_ports(plain, host="127.0.0.1", first=free_port())
    assert [each.command for each in plain] == [each.command for each in ported]

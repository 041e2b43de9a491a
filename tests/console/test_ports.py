"""Each process of an installation has a port of its own for metrics and health."""

import socket

import pytest

from console.installation import services, with_page_ports, with_ports
from infra.metrics.targets import Target
from infra.ports import NoFreePortError, PortClaims, free_port


def test_each_service_has_its_port_and_taken_ones_are_left_out() -> None:
    """Ports follow each other; where a process answers is what it was told."""
    first = free_port()
    with PortClaims() as claims, socket.socket() as taken:
        taken.bind(("127.0.0.1", first))
        taken.listen()
        ported, targets = with_ports(services(clock=True), host="127.0.0.1", claims=claims, first=first)
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
    with PortClaims() as claims:
        ported, _ = with_ports(plain, host="127.0.0.1", claims=claims, first=free_port())
    assert [each.command for each in plain] == [each.command for each in ported]


def test_two_installations_that_start_at_one_moment_have_ports_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody listens there yet, for seconds: who asked the one how it is was answered by the other's processes."""
    monkeypatch.delenv("COBRANZA_CONSOLE_PORT", raising=False)
    monkeypatch.delenv("COBRANZA_WEB_PORT", raising=False)
    first = free_port()
    plain = services(clock=True, web=True, console=True)
    with PortClaims() as one, PortClaims() as other:
        addresses, pages = [], []
        for claims in (one, other):
            ported, targets = with_ports(plain, host="127.0.0.1", claims=claims, first=first)
            addresses += [each.address for each in targets]
            paged = with_page_ports(ported, claims=claims)
            pages += [
                port
                for each in paged
                for name, port in each.variables.items()
                if name in ("COBRANZA_CONSOLE_PORT", "COBRANZA_WEB_PORT")
            ]
    assert 2 * len(plain) == len(set(addresses))
    assert 4 == len(set(pages))


def test_a_claim_ends_with_who_had_it() -> None:
    """The next start of an installation has the ports that it had."""
    port = free_port()
    with PortClaims() as claims:
        assert port == claims.first_of([port])
        with PortClaims() as others, pytest.raises(NoFreePortError):
            others.first_of([port])
    with PortClaims() as claims:
        assert port == claims.first_of([port])

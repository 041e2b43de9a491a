"""An installation on one machine: what is prepared before its processes start, which these are, and their order.

``prepare`` makes broker, topics and tables; ``running`` keeps the processes alive
on top of that. With ``bootstrap_servers`` set, the broker is somebody else's.
"""

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from console.supervisor import Service, ServiceStatus, Supervisor
from console.web.inside.settings import ConsoleSettings
from console.web.settings import WebSettings
from infra.errors import OperatorError
from infra.metrics.settings import FIRST_PORT, MetricsSettings
from infra.metrics.targets import Target, targets_file, write_targets
from infra.ports import PortClaims
from infra.settings import Settings

if TYPE_CHECKING:
    from infra.kafka.broker import LocalBroker

__all__ = [
    "STOP_ORDER",
    "NotReadyError",
    "address_of",
    "await_ready",
    "environment",
    "prepare",
    "running",
    "services",
    "with_page_ports",
    "with_ports",
]

# Those who decide stop before those who carry out, writers before readers.
# Those who bring in work end before those who do it; nine ends one after the other would take too long.
STOP_ORDER = (
    ("console", "web", "reports", "clock", "intake", "notifier"),
    ("ledger", "projector", "exporter"),
)
_LISTENING: Mapping[str, type[WebSettings | ConsoleSettings]] = {
    "web": WebSettings,
    "console": ConsoleSettings,
}
_READY_S_MAX = 180.0  # nine processes on a busy machine; one that dies is told at once
_POLL_S = 0.1
_BROKER_LOOK_S = 1.0
_PORT_MAX = 65_535


class NotReadyError(OperatorError):
    """The processes did not take up their work in time."""


@contextlib.contextmanager
def prepare(
    settings: Settings, *, say: Callable[[str], None] = lambda _: None, brief: bool = False
) -> Iterator[Settings]:
    """Start the local broker (unless another is set), make topics and tables; give settings that name it.

    The broker is stopped at the end, if it was started here; ``brief``: that is minutes from now.
    """
    from infra.database.engine import open_engine
    from infra.database.migrate import upgrade
    from infra.kafka.topics import apply

    with _broker(settings, say=say, brief=brief) as address:
        ready = settings.model_copy(update={"bootstrap_servers": address})
        changes = apply(ready)
        if changes:
            say(f"topics: {len(changes)} made or changed")
        engine = open_engine(ready.database)
        try:
            upgrade(engine)
        finally:
            engine.dispose()
        yield ready


@contextlib.contextmanager
def _broker(settings: Settings, *, say: Callable[[str], None], brief: bool) -> Iterator[str]:
    from infra.kafka.broker import LocalBroker

    if settings.bootstrap_servers is not None:
        yield settings.bootstrap_servers
        return
    broker = LocalBroker(settings.broker_dir, brief=brief)
    was_running = broker.status().running
    say(f"broker: {'runs already' if was_running else 'starts'} in {settings.broker_dir}")
    address = broker.start()
    stop = threading.Event()
    keeper = threading.Thread(target=_keep, args=(broker, stop, say), name="keep-broker", daemon=True)
    keeper.start()
    try:
        yield address
    finally:
        stop.set()
        keeper.join()
        if not was_running:
            say("broker: stops")
            broker.stop()


def _keep(broker: "LocalBroker", stop: threading.Event, say: Callable[[str], None]) -> None:
    """Start the broker again whenever it has died; it keeps its ports."""
    while not stop.wait(_BROKER_LOOK_S):
        if not broker.status().running:
            say("broker: has died, starts again")
            broker.start()


def services(*, clock: bool, web: bool = False, console: bool = False) -> list[Service]:
    """List the processes in the order of starting.

    ``clock``: the live clock is among them, ``web``: what readers of messages reach, and what mails
    reports, ``console``: the users' pages.
    """
    named: dict[str, tuple[str, ...]] = {
        # A fixed member name: after a kill the worker has its partitions back at once.
        "intake": ("worker", "intake", "--member", "up"),
        "ledger": ("worker", "ledger", "--member", "up"),
        "projector": ("projector",),
        "notifier": ("notifier", "--member", "up"),
        "exporter": ("exporter",),
    }
    if web:
        named["web"] = ("web",)
        named["reports"] = ("reports",)
    if console:
        named["console"] = ("console",)
    if clock:
        named["clock"] = ("clock",)
    command = (sys.executable, "-m", "console")
    return [Service(name=name, command=(*command, *arguments)) for name, arguments in named.items()]


def with_page_ports(services: Sequence[Service], *, claims: PortClaims) -> list[Service]:
    """Tell web and console their ports: free ones, unless they are set: two installations may share a machine."""
    return [
        replace(each, variables={**each.variables, **_port_of(each.name, claims=claims)})
        if each.name in _LISTENING
        else each
        for each in services
    ]


def _port_of(name: str, *, claims: PortClaims) -> dict[str, str]:
    limits = _LISTENING[name]()
    is_set = "port" in limits.model_fields_set
    port = limits.port if is_set else claims.first_of(range(limits.port, _PORT_MAX + 1))
    return {f"COBRANZA_{name.upper()}_PORT": str(port)}


def address_of(services: Iterable[Service], name: str) -> str:
    """Give the address of web or console, as they were told it."""
    variables = next(each.variables for each in services if each.name == name)
    return f"http://{_LISTENING[name]().host}:{variables[f'COBRANZA_{name.upper()}_PORT']}"


def environment(settings: Settings) -> dict[str, str]:
    """Give the settings as variables: all processes have the same."""
    return {
        f"COBRANZA_{name.upper()}": str(value)
        for name, value in settings.model_dump().items()
        if value is not None
    }


@contextlib.contextmanager
def running(
    settings: Settings,
    *,
    clock: bool,
    web: bool = False,
    console: bool = False,
    changed: Callable[[ServiceStatus], None] = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[Supervisor]:
    """Run the processes of an installation that is prepared; give their supervisor.

    Each process has a port of its own for metrics and health; where, is written for
    Prometheus and `cobranza top` (``infra.metrics.targets``). ``web``: what readers of messages reach runs, too;
    ``console``: what users reach.
    """
    metrics = MetricsSettings()
    with PortClaims() as claims:
        wanted = with_page_ports(services(clock=clock, web=web, console=console), claims=claims)
        if web:
            say(f"Readers of messages are answered at {address_of(wanted, 'web')}.")
        if console:
            say(f"The console is at {address_of(wanted, 'console')}.")
        ported, targets = with_ports(wanted, host=metrics.host, claims=claims, first=metrics.port)
        supervisor = Supervisor(
            settings.data_dir,
            services=ported,
            stop_order=STOP_ORDER,
            environment=environment(settings),
            changed=changed,
        )
        file = targets_file(settings.data_dir)
        with supervisor:
            write_targets(file, targets=targets)
            try:
                yield supervisor
            finally:
                # What is stopped on purpose is not missed by those who watch.
                write_targets(file, targets=[])


def with_ports(
    services: Sequence[Service], *, host: str, claims: PortClaims, first: int = 0
) -> tuple[list[Service], list[Target]]:
    """Give each service a port for its metrics, from ``first`` on (0: 9640), past those that are taken.

    Each is claimed: between this and the moment when its process listens another installation would choose it, too, and
    who asks the one how it is would be answered by the other.
    """
    ported, targets = [], []
    candidates = iter(range(first or FIRST_PORT, _PORT_MAX + 1))
    for each in services:
        port = claims.first_of(candidates)
        variables = {"COBRANZA_METRICS_HOST": host, "COBRANZA_METRICS_PORT": str(port)}
        ported.append(replace(each, variables={**each.variables, **variables}))
        targets.append(Target(process=each.name, address=f"{host}:{port}"))
    return ported, targets


def await_ready(
    settings: Settings, *, groups: Mapping[str, Sequence[str]], check: Callable[[], None]
) -> None:
    """Wait until every group has members that have all its partitions, or has committed on them.

    Args:
        settings: names the broker.
        groups: consumer group -> physical topics.
        check: called while waiting; raises when waiting is in vain.

    Raises:
        NotReadyError: names the groups that are not there after 90 s.
    """
    from infra.kafka.consumers import admin

    deadline = time.monotonic() + _READY_S_MAX
    client = admin(bootstrap_servers=settings.brokers())
    try:
        left = set(groups)
        while left := {each for each in left if not _is_ready(client, each, topics=groups[each])}:
            check()
            if time.monotonic() > deadline:
                raise NotReadyError(
                    f"Not ready after {_READY_S_MAX:g} s: {', '.join(sorted(left))}. "
                    f"Logs: {Path(settings.data_dir) / 'logs'}"
                )
            time.sleep(_POLL_S)
    finally:
        client.close()


def _is_ready(client: KafkaAdminClient, group: str, *, topics: Sequence[str]) -> bool:
    try:
        committed: dict[Any, Any] = client.list_group_offsets(group)[group]
        if {tp.topic for tp in committed} >= set(topics):
            return True
        described: dict[str, Any] = client.describe_groups([group])[group]
    except KafkaError as error:
        if error.retriable:  # the group's coordinator is still starting
            return False
        raise
    return described["group_state"] == "Stable" and bool(described["members"])

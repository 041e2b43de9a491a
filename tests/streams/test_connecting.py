"""A worker's first connection: cut, refused, never answered; it says so, tries again, and can be stopped meanwhile."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest
from aiokafka.errors import KafkaConnectionError

from infra.ports import free_port
from streams.engine.boot import connected
from streams.engine.faults import BrokerAway
from streams.engine.serving import serve
from tests.chaos.wire import Link, Wire
from tests.streams import toy
from tests.streams.rig import Rig, until

AGAIN = "the broker is away, trying again"


def test_a_first_connection_that_is_cut_is_made_again(
    broker: str, namespace: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A worker ended with an error when its very first connections were cut, and others had to start it again."""
    rig = Rig(broker, namespace)
    rig.create()
    rig.send([("a", "1"), ("b", "2")])
    port = free_port()

    async def story() -> None:
        async with Rig(f"127.0.0.1:{port}", namespace).worker():
            await rig.drained()

    with Wire([Link(port, int(broker.rpartition(":")[2]))], chance=random.Random(1), refused=3) as wire:  # noqa: S311
        asyncio.run(story())
        assert 3 == wire.dropped
    assert 3 == sum(AGAIN in line.getMessage() for line in caplog.records)
    assert {"a": [1], "b": [2]} == rig.numbers()


def test_a_worker_that_finds_no_broker_can_be_told_to_stop(caplog: pytest.LogCaptureFixture) -> None:
    """SIGTERM is heard while it waits to try again, and is no error."""

    async def story() -> None:
        stop = asyncio.Event()
        app = toy.build("nobody.", bootstrap_servers=f"127.0.0.1:{free_port()}")
        serving = asyncio.create_task(serve(app, stop=stop))
        await until(lambda: AGAIN in caplog.text)
        stop.set()
        async with asyncio.timeout(60):
            await serving

    asyncio.run(story())


def _failing(
    times: int,
) -> tuple[list[str], Callable[[], Awaitable[None]], Callable[[float], Awaitable[None]]]:
    done: list[str] = []

    async def connect() -> None:
        done.append("try")
        if done.count("try") <= times:
            raise KafkaConnectionError("cut")

    async def pause(seconds: float) -> None:
        done.append(f"{seconds:g}")

    return done, connect, pause


def test_pauses_grow_and_end() -> None:
    """0.2 s at first, 8 s at most, a minute in all; then its supervisor must know."""
    done, connect, pause = _failing(4)
    asyncio.run(connected(connect, pause=pause))
    assert ["try", "0.2", "try", "0.5", "try", "1", "try", "2", "try"] == done
    done, connect, pause = _failing(100)
    with pytest.raises(BrokerAway, match="no connection: KafkaConnectionError"):
        asyncio.run(connected(connect, pause=pause))
    assert 60 <= sum(float(each) for each in done if each != "try") <= 70
    assert "try" == done[-1]


def test_what_is_no_fault_of_the_connection_is_not_tried_again() -> None:
    """A wrong setting stays wrong."""

    async def refuse() -> None:
        raise ValueError("no such setting")

    async def pause(_: float) -> None:
        raise AssertionError("waited")

    with pytest.raises(ValueError, match="no such setting"):
        asyncio.run(connected(refuse, pause=pause))

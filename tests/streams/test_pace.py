"""How much a step takes on, and whose turn it is; no broker."""

import asyncio

from streams.engine.pace import Pace, Turns


def test_a_slow_fold_is_given_less_and_a_quick_one_more() -> None:
    """At most half or twice as much at a time, so that one hiccup does not decide."""
    pace = Pace(records_max=8000)
    assert 500 == pace.records
    pace.took(records=500, seconds=0.01)
    assert 1000 == pace.records
    pace.took(records=1000, seconds=10.0)
    assert 500 == pace.records
    pace.took(records=500, seconds=0.25)
    assert 400 == pace.records


def test_the_pace_keeps_its_limits() -> None:
    """Never more than a run, never so little that transactions are all that is done."""
    pace = Pace(records_max=700)
    pace.took(records=500, seconds=0.0)
    assert 700 == pace.records
    for _ in range(9):
        pace.took(records=pace.records, seconds=60.0)
    assert 50 == pace.records
    assert 10 == Pace(records_max=10).records


def test_an_empty_step_teaches_nothing() -> None:
    """Control records alone say nothing of the fold."""
    pace = Pace(records_max=8000)
    pace.took(records=0, seconds=1.0)
    assert 500 == pace.records


def test_between_two_steps_the_loop_does_its_own_work() -> None:
    """What waits for an answer gets on, though several partitions have something to fold."""
    order: list[str] = []

    async def partition(turns: Turns, name: str) -> None:
        async with turns.mine():
            order.append(name)

    async def transaction() -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        order.append("answered")

    async def story() -> None:
        turns = Turns()
        await asyncio.gather(
            partition(turns, "a"), partition(turns, "b"), partition(turns, "c"), transaction()
        )

    asyncio.run(story())
    assert ["a", "answered", "b", "c"] == order


def test_hundreds_of_partitions_are_not_taken_at_once() -> None:
    """Eight ask at a time, who came first goes first, and one that fails makes room."""
    asking: set[int] = set()
    most = 0
    done: list[int] = []

    async def partition(turns: Turns, number: int) -> None:
        nonlocal most
        async with turns.asking():
            asking.add(number)
            most = max(most, len(asking))
            await asyncio.sleep(0)
            asking.discard(number)
            done.append(number)
            if number % 3 == 0:
                raise ConnectionError(number)

    async def story() -> None:
        turns = Turns()
        await asyncio.gather(*(partition(turns, number) for number in range(50)), return_exceptions=True)

    asyncio.run(story())
    assert 8 == most
    assert list(range(50)) == done

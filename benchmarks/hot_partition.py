"""One account with a twentieth of all events: what it does to its partition, and what cures it. A simulation.

    events, Zipf over accounts + one hot account ─► partitions by account ─► workers, a run at a time

A worker is one core. It takes its partitions in turn, from each a run of what waits there, as the
ledger does: a transaction's fixed cost, the fold of each event, the rows of each account that was
touched (once a run, as a run writes a row once). Arrivals are even in time, accounts are drawn from
a seed: the same seed gives the same table. Nothing is measured here; speeds are those of the
capacity model (``console/sizing/constants.toml``).
"""

import argparse
import random
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from msgspec import Struct

from console.sizing.measured import read_constants

__all__ = ["Crowd", "Outcome", "Setting", "draw", "main", "simulate", "table"]

_HOT = 0  # the account's number
_ROWS_SHARE = 0.4  # of an event's cost: encoding rows and movements; the rest is the fold
_TRANSACTION_S = 0.01


class Setting(Struct, frozen=True, kw_only=True):
    """An installation.

    Attributes:
        run_max: events of one partition in one transaction.
        own_worker: the hot account's partition has a worker for itself.
        coalesced: a run writes the rows of an account once, however many of its events are in it.
    """

    name: str
    partitions: int = 40
    workers: int = 10
    run_max: int = 8_000
    own_worker: bool = False
    coalesced: bool = True


class Outcome(NamedTuple):
    """Lag in seconds, from an event's arrival to its commit: of the hot partition, its worker's others, the rest."""

    hot_p50_s: float
    hot_p99_s: float
    neighbours_p99_s: float
    others_p99_s: float
    hot_run: float  # events of the hot partition in a transaction, on average
    waiting: int  # events of the hot partition that are not committed at the end of arrivals


class _Run(NamedTuple):
    partition: int
    arrived_s: float  # the middle one of its events
    lag_s: float
    events: int


def draw(*, events: int, accounts: int, exponent: float, hot_share: float, seed: int) -> list[int]:
    """Draw the account of each event: `_HOT` with its share, the others by Zipf."""
    chance = random.Random(seed)  # noqa: S311 - a simulation, no secret
    weights = [(rank + 1) ** -exponent for rank in range(accounts - 1)]
    total = sum(weights) / (1 - hot_share)
    cumulated = list(accumulate([total * hot_share, *weights]))
    return chance.choices(range(accounts), cum_weights=cumulated, k=events)


def simulate(
    setting: Setting, *, drawn: Sequence[int], events_per_s: float, worker_events_per_s: float
) -> Outcome:
    """Let the events arrive and the workers work until all is committed; give the lags."""
    place = _places(setting.partitions, accounts=max(drawn) + 1, seed=1)
    arrivals: list[list[float]] = [[] for _ in range(setting.partitions)]
    accounts: list[list[int]] = [[] for _ in range(setting.partitions)]
    for number, account in enumerate(drawn):
        arrivals[place[account]].append(number / events_per_s)
        accounts[place[account]].append(account)
    hot, end_s = place[_HOT], len(drawn) / events_per_s
    runs: list[_Run] = []
    neighbours: set[int] = set()
    for owned in _assigned(setting, hot=hot):
        _work(setting, owned, arrivals, accounts, runs=runs, worker_events_per_s=worker_events_per_s)
        if hot in owned:
            neighbours = set(owned) - {hot}
    of_hot = [run for run in runs if run.partition == hot]
    return Outcome(
        _percentile(of_hot, 0.5),
        _percentile(of_hot, 0.99),
        _percentile([run for run in runs if run.partition in neighbours], 0.99),
        _percentile([run for run in runs if run.partition not in neighbours | {hot}], 0.99),
        sum(run.events for run in of_hot) / len(of_hot),
        sum(run.events for run in of_hot if run.arrived_s + run.lag_s > end_s),
    )


def _work(
    setting: Setting,
    owned: Sequence[int],
    arrivals: Sequence[Sequence[float]],
    accounts: Sequence[Sequence[int]],
    *,
    runs: list[_Run],
    worker_events_per_s: float,
) -> None:
    """Work off a worker's partitions in turn."""
    event_s = 1 / worker_events_per_s
    taken = dict.fromkeys(owned, 0)
    now_s = 0.0
    left = sum(len(arrivals[each]) for each in owned)
    turn = 0
    while left:
        idle = True
        for _ in owned:
            partition = owned[turn % len(owned)]
            turn += 1
            first = taken[partition]
            last = min(bisect_right(arrivals[partition], now_s), first + setting.run_max)
            if last <= first:
                continue
            idle = False
            events = last - first
            touched = len(set(accounts[partition][first:last])) if setting.coalesced else events
            now_s += _TRANSACTION_S + event_s * ((1 - _ROWS_SHARE) * events + _ROWS_SHARE * touched)
            middle_s = arrivals[partition][(first + last) // 2]
            runs.append(_Run(partition, middle_s, now_s - middle_s, events))
            taken[partition] = last
            left -= events
        if idle:
            now_s = min(arrivals[each][taken[each]] for each in owned if taken[each] < len(arrivals[each]))


def _places(partitions: int, *, accounts: int, seed: int) -> list[int]:
    chance = random.Random(seed)  # noqa: S311 - as even as murmur2
    return [chance.randrange(partitions) for _ in range(accounts)]


def _assigned(setting: Setting, *, hot: int) -> list[list[int]]:
    """Give each worker as many partitions as the others, in turn; the hot one alone if it is to be."""
    if not setting.own_worker:
        return [list(range(worker, setting.partitions, setting.workers)) for worker in range(setting.workers)]
    rest = [each for each in range(setting.partitions) if each != hot]
    others = setting.workers - 1
    return [[hot], *(rest[worker::others] for worker in range(others))]


def _percentile(runs: Sequence[_Run], share: float) -> float:
    """Give the lag that this share of the events does not exceed."""
    wanted = share * sum(run.events for run in runs)
    for run in sorted(runs, key=lambda one: one.lag_s):
        wanted -= run.events
        if wanted <= 0:
            return run.lag_s
    return 0.0


_SETTINGS = (
    Setting(name="as it is: 40 partitions, 10 workers"),
    Setting(name="160 partitions, 10 workers", partitions=160),
    Setting(name="40 partitions, 20 workers", workers=20),
    Setting(name="160 partitions, 20 workers", partitions=160, workers=20),
    Setting(name="runs of 500 at most", run_max=500),
    Setting(name="the hot partition on a worker of its own", own_worker=True),
    Setting(name="the same, and 160 partitions", own_worker=True, partitions=160),
    Setting(name="rows written per event, not per run", coalesced=False),
)


class Crowd(Struct, frozen=True, kw_only=True):
    """The events of a simulation: how many, how fast, on whom."""

    seconds: float = 20.0
    load: float = 0.85
    hot_share: float = 0.05
    accounts: int = 100_000
    exponent: float = 0.8
    seed: int = 1


def table(crowd: Crowd | None = None) -> list[str]:
    """Simulate every setting; give the lines of the table of ``docs/scale.md``."""
    crowd = crowd or Crowd()
    speed = read_constants()[0].ledger_events_per_s
    events_per_s = crowd.load * _SETTINGS[0].workers * speed
    drawn = draw(
        events=int(events_per_s * crowd.seconds),
        accounts=crowd.accounts,
        exponent=crowd.exponent,
        hot_share=crowd.hot_share,
        seed=crowd.seed,
    )
    lines = [
        f"{len(drawn):,} events in {crowd.seconds:g} s, {crowd.hot_share:.0%} of them on one account,",
        f"{speed:,.0f} events/s a worker, seed {crowd.seed}:",
        "",
        "| setting | hot p50 | hot p99 | same worker p99 | others p99 | events per hot run | hot events behind |",
        "|---|---|---|---|---|---|---|",
    ]
    for setting in _SETTINGS:
        found = simulate(setting, drawn=drawn, events_per_s=events_per_s, worker_events_per_s=speed)
        lines.append(
            f"| {setting.name} | {found.hot_p50_s:.2f} s | {found.hot_p99_s:.2f} s "
            f"| {found.neighbours_p99_s:.2f} s | {found.others_p99_s:.2f} s "
            f"| {found.hot_run:,.0f} | {found.waiting:,} |"
        )
    return lines


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    usual = Crowd()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=usual.seconds)
    parser.add_argument("--load", type=float, default=usual.load, help="of all workers' capacity")
    parser.add_argument(
        "--hot-share", type=float, default=usual.hot_share, help="of all events, on one account"
    )
    parser.add_argument("--accounts", type=int, default=usual.accounts)
    parser.add_argument(
        "--exponent", type=float, default=usual.exponent, help="of Zipf, for the other accounts"
    )
    parser.add_argument("--seed", type=int, default=usual.seed)
    print("\n".join(table(Crowd(**vars(parser.parse_args(arguments))))))


if __name__ == "__main__":
    main()

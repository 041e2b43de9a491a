"""``make dst``: one seed with its trace, or many; the last line is the verdict.

python -m tests.simulation --seed 7        what happened, and the trace's hash
python -m tests.simulation --seeds 10000   many, from --first on
python -m tests.simulation --canaries      each planted bug, and the seed that finds it
"""

import argparse
import sys
import time
from collections import Counter

from tests.simulation.canaries import CANARIES, find
from tests.simulation.scenario import run_seed

_LINES_SHOWN = 60
_COUNTED = ("commits", "faults", "holes", "tombstones")


def main() -> int:
    """Run what is asked for; non-zero when something is wrong."""
    asked = argparse.ArgumentParser(prog="dst", description=__doc__)
    asked.add_argument("--seed", type=int)
    asked.add_argument("--seeds", type=int, default=1000)
    asked.add_argument("--first", type=int, default=0)
    asked.add_argument("--all-lines", action="store_true", help="the whole trace of one seed")
    asked.add_argument("--canaries", action="store_true")
    given = asked.parse_args()
    if given.canaries:
        return _canaries(given.seeds)
    if given.seed is not None:
        return _one(given.seed, every_line=given.all_lines)
    return _many(given.first, given.seeds)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _one(seed: int, *, every_line: bool) -> int:
    verdict = run_seed(seed, verbose=True)
    lines = list(verdict.lines)
    if not every_line and len(lines) > _LINES_SHOWN:
        lines = ["…", *lines[-_LINES_SHOWN:]]
    for line in lines:
        _say(line)
    _say(
        f"{verdict.events} events in {verdict.seconds:.0f} s of virtual time, "
        f"{verdict.commits} commits, {verdict.faults} faults"
    )
    _say(f"seed {seed} trace {verdict.fingerprint}: {verdict.problem or 'safe and live'}")
    return 1 if verdict.problem else 0


def _many(first: int, count: int) -> int:
    started = time.monotonic()
    unsafe = stuck = 0
    counts: Counter[str] = Counter()
    for seed in range(first, first + count):
        verdict = run_seed(seed)
        unsafe, stuck = unsafe + bool(verdict.safety), stuck + bool(verdict.liveness)
        counts.update({name: getattr(verdict, name) for name in _COUNTED})
        if verdict.problem:
            _say(f"seed {seed} trace {verdict.fingerprint}: {verdict.problem[:500]}")
    took_s = time.monotonic() - started
    counted = "".join(f"{number} {name}, " for name, number in counts.items())
    _say(
        f"dst: {count} seeds from {first}, {counted}{took_s:.0f} s: "
        f"{'all safe' if not unsafe else f'{unsafe} UNSAFE'}, {'all live' if not stuck else f'{stuck} NOT LIVE'}"
    )
    return 1 if unsafe or stuck else 0


def _canaries(seeds: int) -> int:
    missed = 0
    for name in CANARIES:
        verdict = find(name, seeds=seeds)
        missed += verdict is None
        _say(
            f"{name}: "
            + (
                f"NOT FOUND in {seeds} seeds"
                if verdict is None
                else f"seed {verdict.seed}: {verdict.problem[:160]}"
            )
        )
    _say(f"dst: {len(CANARIES) - missed} of {len(CANARIES)} planted bugs found")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

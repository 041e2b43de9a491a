"""``make mutate MODULE=kin``: one thing of a module of the core is changed at a time; whatever nobody notices is shown.

python -m tests.mutation kin                        all changes of processors.kin
python -m tests.mutation charges.claims --part 40 --seed 7    40 of them, drawn by the seed
python -m tests.mutation kin --line 120             those of one line
"""

import argparse
import gc
import random
import sys
from collections import Counter
from pathlib import Path

from tests.mutation.changes import Mutant, mutants_of
from tests.mutation.trial import NOTICED_BY, Trial, own_tests, read_stories


def main() -> int:
    """Try the mutants; the last line is the sum. 0: whether any survives is for a person to judge."""
    asked = argparse.ArgumentParser(prog="mutate", description=__doc__)
    asked.add_argument("module", help="within processors: kin, charges.claims")
    asked.add_argument("--part", type=int, help="so many of them, not all")
    asked.add_argument("--seed", type=int, default=1, help="which, with --part")
    asked.add_argument("--line", type=int, help="the changes of one line only")
    asked.add_argument("--tests", type=Path, nargs="*", default=[], help="beside its own: files of tests")
    asked.add_argument("--stories", default="*", help="only stories of such names")
    given = asked.parse_args()
    name = f"processors.{given.module}"
    trial = Trial.prepare(name, stories=read_stories(given.stories), tests=[*own_tests(name), *given.tests])
    trial.check()
    gc.freeze()  # else each forked process copies what it only looks at
    every = mutants_of(trial.tree)
    chosen = [each for each in every if given.line in (None, each.line)]
    if given.part is not None and given.part < len(chosen):
        drawn = random.Random(given.seed).sample(range(len(chosen)), given.part)  # noqa: S311 - a draw, no secret
        chosen = [chosen[place] for place in sorted(drawn)]
    _say(f"{name}: {len(chosen)} of {len(every)} changes; tests: {', '.join(p.stem for p in trial.tests)}")
    said = Counter(_try(trial, each) for each in chosen)
    counts = ", ".join(f"{count} by {who}" for who, count in sorted(said.items()))
    _say(f"{name}: {len(chosen)} of {len(every)} changes tried, {said['nobody']} survived; by whom: {counts}")
    return 0


def _try(trial: Trial, mutant: Mutant) -> str:
    who = NOTICED_BY.get(trial.ask(mutant), "a crash")
    if who == "nobody":
        _say(f"{trial.module.__file__}:{mutant.line}: {mutant.said}")
    return who


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

"""What every Python peer is told on its command line: the broker, two topics, a group, a guarantee, the warm-up."""

import argparse
from pathlib import Path
from typing import NamedTuple

__all__ = ["Arguments", "read_arguments"]


class Arguments(NamedTuple):
    """How a peer is to run; ``folder`` is for its local files, and empty at the start; ``warm_up`` records are not measured."""

    broker: str
    journal: str
    output: str
    group: str
    guarantee: str
    folder: Path
    warm_up: int


def read_arguments(description: str | None) -> Arguments:
    """Read the seven arguments, in this order."""
    parser = argparse.ArgumentParser(description=description)
    for name in ("broker", "journal", "output", "group", "guarantee"):
        parser.add_argument(name)
    parser.add_argument("folder", type=Path)
    parser.add_argument("warm_up", type=int)
    return Arguments(**vars(parser.parse_args()))

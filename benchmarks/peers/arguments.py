"""What every Python peer is told on its command line: the broker, two topics, a group, a guarantee."""

import argparse
from pathlib import Path
from typing import NamedTuple

__all__ = ["Arguments", "read_arguments"]


class Arguments(NamedTuple):
    """How a peer is to run; ``folder`` is for its local files, and empty at the start."""

    broker: str
    journal: str
    output: str
    group: str
    guarantee: str
    folder: Path


def read_arguments(description: str | None) -> Arguments:
    """Read the six arguments, in this order."""
    parser = argparse.ArgumentParser(description=description)
    for name in ("broker", "journal", "output", "group", "guarantee"):
        parser.add_argument(name)
    parser.add_argument("folder", type=Path)
    return Arguments(**vars(parser.parse_args()))

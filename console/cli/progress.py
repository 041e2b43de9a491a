"""Progress bars: on a terminal a bar, elsewhere nothing (a log needs none)."""

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

__all__ = ["tracked"]

T = TypeVar("T")


def tracked(items: Iterable[T], *, label: str, total: int) -> Iterator[T]:
    """Give the items back one by one, moving a bar on standard error."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    yield from track(
        items,
        description=label,
        total=total,
        console=console,
        transient=True,
        disable=not sys.stderr.isatty(),
    )

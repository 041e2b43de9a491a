"""What a promise of seconds comes to on a machine that has others to serve: all parts of the tests run side by side."""

import os

__all__ = ["stretched"]


def stretched(seconds: float) -> float:
    """Give so many seconds of a machine that is idle, as many times as there is work for each of its processors now."""
    return seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))

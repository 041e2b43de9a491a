"""Asking a process over HTTP how it is: health, readiness and metrics, for `cobranza top` and tests."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct
from prometheus_client.parser import text_string_to_metric_families

__all__ = ["Answer", "Reading", "ask"]

_TIMEOUT_S: Final = 2.0


class Reading(Struct, frozen=True, kw_only=True):
    """One value that a process exports."""

    name: str
    labels: dict[str, str]
    value: float


class Answer(Struct, frozen=True, kw_only=True):
    """How a process is: `reached` is false when nothing of ours answers; texts are "" when all is well.

    ``resting`` is of one that is ready: why it pauses as it should, and until when.
    """

    reached: bool
    stalled: str = ""
    unready: str = ""
    resting: str = ""
    readings: tuple[Reading, ...] = ()

    def values(self, name: str, **labels: str) -> Iterator[tuple[Mapping[str, str], float]]:
        """Give labels and value of each reading of this name with these labels."""
        for each in self.readings:
            if each.name == name and labels.items() <= each.labels.items():
                yield each.labels, each.value

    def total(self, name: str, **labels: str) -> float:
        """Add up the readings of this name with these labels."""
        return sum(value for _, value in self.values(name, **labels))


def ask(address: str, *, timeout_s: float = _TIMEOUT_S) -> Answer:
    """Ask the process at ``host:port``; what answers there and is none of ours is as good as nothing."""
    try:
        stalled, unready, metrics = (
            _get(address, path, timeout_s=timeout_s) for path in ("healthz", "readyz", "metrics")
        )
        readings = tuple(_readings(*metrics))
    except (OSError, http.client.HTTPException, ValueError):  # no HTTP, or no metrics
        return Answer(reached=False)
    return Answer(
        reached=True,
        stalled=_trouble(stalled),
        unready=_trouble(unready),
        resting="" if _trouble(unready) else unready[1].strip().removeprefix("ok").strip(),
        readings=readings,
    )


def _readings(status: int, text: str) -> Iterator[Reading]:
    if status != 200:
        raise ValueError(f"/metrics is answered with {status}")
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            yield Reading(name=one.name, labels=one.labels, value=one.value)


def _get(address: str, path: str, *, timeout_s: float) -> tuple[int, str]:
    # Straight to the process: a proxy of the environment does not know this machine's ports.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{address}/{path}", timeout=timeout_s) as answer:
            return int(answer.status), answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def _trouble(answer: tuple[int, str]) -> str:
    status, text = answer
    return "" if status == 200 else text.strip()

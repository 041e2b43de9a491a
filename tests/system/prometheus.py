"""A real Prometheus for tests: its programs found, its server run, its answers read."""

import json
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import pytest

from infra.ports import free_port

__all__ = ["DEPLOYED", "Prometheus", "eventually", "program"]

DEPLOYED = Path(__file__).resolve().parents[2] / "infra" / "deploy" / "prometheus"
_POLL_S = 0.2
_Found = TypeVar("_Found")


def program(name: str) -> str:
    """Find a program of Debian's package ``prometheus``; fail when it is not there."""
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is not there: make test-system provides it")
    return found


def eventually(look: Callable[[], _Found], *, wanted: Callable[[_Found], bool], within_s: float) -> _Found:
    """Look again and again until what is seen is what is wanted; fail with what is seen at the end."""
    deadline_s = time.monotonic() + within_s
    while not wanted(seen := look()):
        assert time.monotonic() < deadline_s, f"after {within_s:g} s: {seen}"
        time.sleep(_POLL_S)
    return seen


class Prometheus:
    """A server on the delivered configuration; only its clock is faster (a second, not 15).

    Args:
        directory: where `targets/` is, or will be; the configuration is copied there.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._address = f"127.0.0.1:{free_port()}"

    def __enter__(self) -> Self:
        self._directory.mkdir(parents=True, exist_ok=True)
        for name in ("prometheus.yml", "alerts.yml"):
            content = (DEPLOYED / name).read_text().replace("15s", "1s")
            (self._directory / name).write_text(content)
        with (self._directory / "prometheus.log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    program("prometheus"),
                    f"--config.file={self._directory / 'prometheus.yml'}",
                    f"--storage.tsdb.path={self._directory / 'data'}",
                    f"--web.listen-address={self._address}",
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        eventually(self._answers, wanted=bool, within_s=120)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait(60)

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Give the series of an expression now: ``metric`` and ``value`` of each."""
        result: list[dict[str, Any]] = self._get("query", query=expression)["result"]
        return result

    def targets(self) -> dict[str, str]:
        """Give the health of each target, by process."""
        active = self._get("targets", state="active")["activeTargets"]
        return {each["labels"]["process"]: each["health"] for each in active}

    def firing(self) -> set[str]:
        """Name the alerts that fire."""
        return {
            each["labels"]["alertname"] for each in self._get("alerts")["alerts"] if each["state"] == "firing"
        }

    def rules(self) -> dict[str, str]:
        """Give the health of each alert rule."""
        groups = self._get("rules")["groups"]
        return {rule["name"]: rule["health"] for group in groups for rule in group["rules"]}

    def names(self) -> set[str]:
        """Name all metrics that have series."""
        return set(self._get("label/__name__/values"))

    def _answers(self) -> bool:
        assert self._process.poll() is None, (self._directory / "prometheus.log").read_text()
        try:
            self._get("status/buildinfo")
        except OSError:
            return False
        return True

    def _get(self, path: str, **parameters: str) -> Any:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        url = f"http://{self._address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with opener.open(url, timeout=60) as answer:
            return json.loads(answer.read())["data"]

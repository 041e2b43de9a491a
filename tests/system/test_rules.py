"""Scrape configuration and alert rules, judged by Prometheus' own tool."""

import subprocess

import pytest

from tests.system.prometheus import DEPLOYED, program

pytestmark = pytest.mark.packages


def _promtool(*arguments: str) -> str:
    done = subprocess.run(
        [program("promtool"), *arguments], cwd=DEPLOYED, capture_output=True, text=True, check=False
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


def test_configuration_and_rules_are_what_prometheus_takes() -> None:
    """Issue 4, point 7: what is delivered can be loaded."""
    assert "SUCCESS" in _promtool("check", "config", "prometheus.yml")


def test_alerts_fire_when_they_should_and_not_before() -> None:
    """Issue 4, point 7: a case of each alert that fires, and one that does not."""
    assert "SUCCESS" in _promtool("test", "rules", "alerts_test.yml")

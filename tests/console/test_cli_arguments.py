"""What stands on a command line and is no text is said, in one line."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from console.cli.main import main


def test_an_argument_that_is_no_utf_8_is_told(tmp_path: Path) -> None:
    """The shell hands on any bytes; no traceback."""
    upgraded = CliRunner().invoke(main, ["--data-dir", str(tmp_path), "db", "upgrade"])
    assert 0 == upgraded.exit_code, upgraded.output
    for asked in (["change", "an\udcffa", "--disable"], ["add", "an\udcffa", "--role", "viewer"]):
        found = CliRunner().invoke(main, ["--data-dir", str(tmp_path), "users", *asked])
        assert (1, True) == (found.exit_code, "is no text in UTF-8" in found.output), found.output
    listed = CliRunner().invoke(main, ["--data-dir", str(tmp_path), "users", "list"])
    assert "an" not in listed.output.split()


def test_a_file_may_be_named_by_any_bytes(tmp_path: Path) -> None:
    """It was made by a system of another time."""
    file = tmp_path / "factura-\udcf1.json"
    file.write_text("{}")
    found = CliRunner().invoke(main, ["validate", str(file)])
    assert "is no text in UTF-8" not in found.output


def test_a_terminal_without_a_character_is_not_taken_for_a_wrong_argument(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who prints "ñ" where only ASCII is possible sees that it was the printing."""

    def printing(*_: object) -> None:
        "ñ".encode("ascii")

    monkeypatch.setattr(click.Group, "invoke", printing)
    found = CliRunner().invoke(main, ["topics"])
    assert isinstance(found.exception, UnicodeEncodeError)

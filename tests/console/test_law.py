"""The laws that ship, as a person reads them, and a company's own from a file."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from console.cli.main import main
from console.law_files import read_law
from infra.errors import OperatorError
from processors.validation import problems

OWN = """
choices = [{ country = "US", kind = "consumer", profile = "us_third_party" }, { kind = "business", profile = "own" }]

[[profiles]]
id = "own"

[[profiles.editions]]
start_on = 2026-01-01
sources = ["our code of conduct"]

[profiles.editions.contacting]
hours = [{ days = ["mon", "fri"], opens = 09:00:00, closes = 17:00:00 }]
"""


def test_shipped_laws_are_shown_with_their_sources() -> None:
    """Section 5: what each profile encodes, and where it was read."""
    done = CliRunner().invoke(main, ["law", "show", "--format", "json"])
    rows = {row["profile"]: row for row in json.loads(done.stdout)}
    assert {"cl_consumer", "co", "strict", "plain", "uk_business"} <= set(rows)
    assert "mon–sat 08:00–20:00, no holidays" == rows["cl_consumer"]["hours"]
    assert "message: 2 in 7 days" in rows["cl_consumer"]["limits"]
    assert all(row["sources"] for row in rows.values())


def test_own_law_is_read_from_a_file(tmp_path: Path) -> None:
    """A profile of one's own is written like those that ship."""
    file = tmp_path / "law.toml"
    file.write_text(OWN, encoding="utf-8")
    event = read_law(file, company="acme", occurred_at="2026-03-02", author="controller")
    assert [] == problems(event)
    assert ["us_third_party", "own"] == [each.profile for each in event.choices]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("choices = [{ profil = 'own' }]", "profil"), ("[[profiles]\n", "law.toml"), ("hours = 3", "hours")],
)
def test_a_file_that_is_no_law_says_where(tmp_path: Path, text: str, expected: str) -> None:
    """A slip of the pen is named."""
    file = tmp_path / "law.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(OperatorError, match=expected):
        read_law(file, company="acme", occurred_at="2026-03-02", author="")

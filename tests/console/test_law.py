"""The laws that ship, as a person reads them, and a company's own from a file or with one more rate."""

import datetime
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from console.cli.main import main
from console.law_files import law_with_rate, rate_lines, read_law
from infra.errors import OperatorError
from processors.validation import problems
from schemas.law import Rate

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


JULY = Rate(start_on=datetime.date(2026, 7, 1), percent="9.99")


def test_tables_of_rates_are_shown_with_the_day_on_which_they_end() -> None:
    """R22: whoever claims interest sees which rate is used, and that its table is over."""
    done = CliRunner().invoke(main, ["law", "rates", "--format", "json"])
    rows = {row["profile"]: row for row in json.loads(done.stdout)}
    eu = rows["eu_business"]
    assert ("EUR", "10.15", "2026-01-01", "2026-06-30") == (
        eu["currency"],
        eu["percent"],
        eu["since"],
        eu["through"],
    )
    assert "none: the company publishes its own" == rows["cl_business"]["percent"]
    ended = [
        next(each["ended"] for each in rate_lines(None, on=on) if each["profile"] == "eu_business")
        for on in (datetime.date(2026, 6, 30), datetime.date(2026, 7, 1))
    ]
    assert ["", "yes"] == ended


def test_a_company_adds_the_next_rate_and_keeps_the_rest_of_its_law(tmp_path: Path) -> None:
    """R22: Chile's rates begin so; what the company chose before stays, and the new word is the later one."""
    file = tmp_path / "law.toml"
    file.write_text(OWN, encoding="utf-8")
    own = read_law(file, company="acme", occurred_at="2199-03-02T09:00:00+09:00", author="")
    told = {"company": "acme", "author": "ana"}
    event = law_with_rate(own, profile="cl_business", currency="CLP", rate=JULY, **told)
    again = law_with_rate(event, profile="eu_business", currency="EUR", rate=JULY, **told)
    assert ([], own.choices, "2199-03-02T00:00:02+00:00") == (
        problems(again),
        again.choices,
        again.occurred_at,
    )
    assert ["own", "cl_business", "eu_business"] == [each.id for each in again.profiles]
    rows = {each["profile"]: each for each in rate_lines(again, on=datetime.date(2026, 8, 1))}
    assert [("yes", "9.99", "")] * 2 == [
        (rows[name]["own"], rows[name]["percent"], rows[name]["ended"])
        for name in ("cl_business", "eu_business")
    ]
    with pytest.raises(OperatorError, match="there is no law 'mars'"):
        law_with_rate(own, profile="mars", currency="EUR", rate=JULY, **told)

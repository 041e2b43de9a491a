"""Payment links: https only, known places only, and nothing that is filled in leads elsewhere."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.payment_link import PLACES, fill_payment_link, payment_link_problem
from processors.validation import problems
from schemas.commands import ConfigureCompany

LINK = "https://pay.example.com/{customer}/{document}?sum={amount}&in={currency}&ref={reminder}"


@pytest.mark.parametrize(
    ("link", "problem"),
    [
        (LINK, ""),
        ("https://pay.example.com", ""),
        ("https://pay.example.com:8443/x#y", ""),
        ("http://pay.example.com/", "does not begin with https"),
        ("javascript:alert(1)", "does not begin with https"),
        ("//pay.example.com", "does not begin with https"),
        ("https:///x", "does not begin with https"),
        ("https://{customer}.example.com/", "has a place in its host"),
        ("https://pay.example.com{customer}/", "has a place in its host"),
        ("https://bank.example@pay.example.com/", "has a user name"),
        ("https://pay.example.com/{iban}", "has the place 'iban'"),
        ("https://pay.example.com/{amount:>99999999}", "has the place 'amount:>99999999'"),
        ("https://pay.example.com/{amount", "has a brace"),
        ("https://pay.example.com/amount}", "has a brace"),
        ("https://pay.example.com/ x", "has characters"),
        ('https://pay.example.com/"onclick', "has characters"),
        ("https://pay.example.com:x/", "is no address"),
        ("https://päy.example.com/", "has characters"),
    ],
)
def test_a_link_is_checked_when_the_company_is_configured(link: str, problem: str) -> None:
    """A profile with a link that messages cannot carry is refused at the door, with the reason."""
    assert payment_link_problem(link).startswith(problem)
    profile = ConfigureCompany(
        company="acme",
        command="c",
        occurred_at="2026-01-01",
        name="Acme",
        time_zone="UTC",
        currency="USD",
        payment_link=link,
    )
    assert bool(problem) == any("`$.payment_link`" in each for each in problems(profile))


@given(st.fixed_dictionaries({place: st.text() for place in PLACES}))
def test_what_is_filled_in_stays_in_its_place(values: dict[str, str]) -> None:
    """Whatever a customer or a document is called, host and number of parts stay, and each part says what was given."""
    usable = {name: value.encode("utf-8", "replace").decode() for name, value in values.items()}
    parts = urlsplit(fill_payment_link(LINK, usable))
    assert ("https", "pay.example.com", 3) == (parts.scheme, parts.netloc, len(parts.path.split("/")))
    asked = parse_qs(parts.query, keep_blank_values=True)
    expected = {"sum": usable["amount"], "in": usable["currency"], "ref": usable["reminder"]}
    assert expected == {name: value[0] for name, value in asked.items()}


@pytest.mark.parametrize(
    ("logo", "is_wrong"),
    [
        ("", False),
        ("https://example.com/logo.png", False),
        ("logo.png", False),
        ("logo.svg", True),
        ("../logo.png", True),
        ("http://example.com/logo.png", True),
    ],
)
def test_a_logo_is_an_address_or_a_file_of_the_company(logo: str, is_wrong: bool) -> None:
    """S4-18: https, or the name of a picture in the company's own template folder."""
    profile = ConfigureCompany(
        company="acme",
        command="c",
        occurred_at="2026-01-01",
        name="Acme",
        time_zone="UTC",
        currency="USD",
        logo=logo,
    )
    assert is_wrong == bool(problems(profile))

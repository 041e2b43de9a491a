"""The shipped law: data with sources, which a replay meets again."""

import datetime

import pytest
from msgspec.structs import replace

from processors.law.book import LawBook
from processors.law.shipped import digest, shipped_choices, shipped_profiles
from processors.law.validity import law_problems
from schemas.commands import SetLaw
from schemas.events import CustomerUpserted
from schemas.law import LawChoice, LawProfile
from schemas.rows import CustomerRow
from streams.ledger import FOLD_VERSION

# What each version of the fold ships. An edition that has been shipped is never changed under the same version:
# a replay would judge the past by another law than the ledger did.
DIGESTS = {4: "f0fe76dd7b84389c6e4edacc"}
DAY = datetime.date(2026, 3, 2)


def customer(*, country: str = "", kind: str = "unknown") -> CustomerRow:
    """Make the master data of a debtor."""
    said = CustomerUpserted(
        company="acme",
        customer="C1",
        occurred_at="2026-01-01",
        name="C1",
        country=country,
        kind=kind,  # type: ignore[arg-type]
    )
    return CustomerRow(account="acme:C1", customer=said)


def set_law(**changes: object) -> SetLaw:
    """Make a company's own law."""
    return replace(SetLaw(company="acme", occurred_at="2026-01-01", command="law"), **changes)


def test_law_is_part_of_the_fold_version() -> None:
    """R26: shipped law that changes is another fold version, or an edition of a later day; here it is said which."""
    assert DIGESTS[FOLD_VERSION] == digest()


@pytest.mark.parametrize("name", sorted(shipped_profiles()))
def test_profile_is_sound_and_has_its_sources(name: str) -> None:
    """Section 5: each edition cites where it was read."""
    profile = shipped_profiles()[name]
    assert [] == law_problems(set_law(profiles=(profile,)))
    assert all(edition.sources for edition in profile.editions)


def test_each_choice_names_a_profile() -> None:
    """No debtor is without a law."""
    assert set() == {each.profile for each in shipped_choices()} - set(shipped_profiles())


@pytest.mark.parametrize(
    ("country", "kind", "expected"),
    [
        ("CL", "consumer", "cl_consumer"),
        ("CL", "unknown", "cl_consumer"),
        ("CL", "business", "cl_business"),
        ("CO", "consumer", "co"),
        ("CO", "business", "co"),
        ("DE", "business", "eu_business"),
        ("DE", "consumer", "strict"),
        ("GB", "business", "uk_business"),
        ("US", "consumer", "strict"),
        ("US", "business", "plain"),
        ("", "unknown", "strict"),
        ("", "business", "plain"),
    ],
)
def test_which_profile(country: str, kind: str, expected: str) -> None:
    """Section 5: the debtor's country and kind choose; unknown counts as consumer, strict and plain are the defaults."""
    assert expected == LawBook().named_edition(customer(country=country, kind=kind), on=DAY)[0]


def test_debtor_without_master_data_is_treated_strictly() -> None:
    """Section 5: nothing known of the debtor: strict."""
    assert "strict" == LawBook().named_edition(None, on=DAY)[0]


def test_before_a_law_was_in_force_the_default_holds() -> None:
    """Section 5: editions are dated."""
    book, debtor = LawBook(), customer(country="CL")
    assert "strict" == book.named_edition(debtor, on=datetime.date(2021, 4, 19))[0]
    assert "cl_consumer" == book.named_edition(debtor, on=datetime.date(2021, 4, 20))[0]


def test_company_chooses_another_profile() -> None:
    """Section 5: a company that collects for others puts its debtors under Regulation F."""
    choice = LawChoice(profile="us_third_party", country="US", kind="consumer")
    book = LawBook(set_law(choices=(choice,)))
    assert "us_third_party" == book.named_edition(customer(country="US"), on=DAY)[0]
    assert "strict" == book.named_edition(customer(country="PE"), on=DAY)[0]


def test_company_replaces_a_shipped_profile() -> None:
    """Section 5: a user can override any profile, under its own name."""
    plain = shipped_profiles()["plain"]
    ended = replace(plain.editions[0], end_on=DAY, start_on=datetime.date(2026, 1, 1))
    later = replace(plain.editions[0], start_on=DAY, sources=("ours",))
    book = LawBook(set_law(profiles=(replace(plain, editions=(ended, later)),)))
    assert ("ours",) == book.edition(customer(kind="business"), on=DAY).sources


@pytest.mark.parametrize(
    ("problem", "profile"),
    [
        (
            "is not later than opens",
            {"contacting": {"hours": [{"days": ["mon"], "opens": "20:00:00", "closes": "08:00:00"}]}},
        ),
        ("is not later than its start", {"end_on": "2025-01-01"}),
        ("is no decimal number", {"interest": [{"margin_percent": "eight"}]}),
        ("an amount needs a currency", {"fixed_sums": [{"amount": "40.00"}]}),
        (
            "the last band has no end",
            {"cost_cap": {"unit": "UF", "bands": [{"percent": "9", "up_to": "10"}]}},
        ),
    ],
)
def test_what_cannot_be_applied_is_refused(problem: str, profile: dict[str, object]) -> None:
    """A company's own law is checked before it enters the journal, with path and reason."""
    import msgspec

    edition = {"start_on": "2026-01-01", "sources": ["ours"], **profile}
    law = set_law(profiles=(msgspec.convert({"id": "own", "editions": [edition]}, LawProfile),))
    assert [problem] == [problem for each in law_problems(law) if problem in each]


def test_choice_of_an_unknown_profile_is_refused() -> None:
    """A slip of the pen must not leave debtors under the wrong law."""
    law = set_law(choices=(LawChoice(profile="atlantis"),))
    assert law_problems(law)[0].startswith("there is no profile 'atlantis'")
